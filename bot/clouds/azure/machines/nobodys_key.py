"""A key that opens nothing: Azure makes no machine without a password or a key, and some are to have neither."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_BITS = 2048
"""The least that Azure takes."""


def nobodys_key() -> str:
    """A public key whose private half is forgotten at once; a line as ``authorized_keys`` holds it."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    line = made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return f"{line.decode('ascii')} nobody"
