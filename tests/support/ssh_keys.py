"""Public SSH keys for tests, made by another library than the one that reads them here."""

from __future__ import annotations

import base64
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def ed25519(number: int) -> str:
    """An Ed25519 key, the same for the same number."""
    return _line(Ed25519PrivateKey.from_private_bytes(number.to_bytes(32)).public_key())


def ecdsa(curve: ec.EllipticCurve, number: int = 7) -> str:
    """An ECDSA key, the same for the same number."""
    return _line(ec.derive_private_key(number, curve).public_key())


@cache
def rsa_key(bits: int) -> str:
    """An RSA key of this length."""
    return _line(rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key())


def security_key(kind: str, number: int = 7) -> str:
    """A key that lives in a security key: ``ed25519`` or ``ecdsa``; of a kind that no library here makes."""
    if kind == "ed25519":
        name = b"sk-ssh-ed25519@openssh.com"
        point = base64.b64decode(ed25519(number).split()[1])[-32:]
        blob = field(name) + field(point) + field(b"ssh:")
    else:
        name = b"sk-ecdsa-sha2-nistp256@openssh.com"
        point = base64.b64decode(ecdsa(ec.SECP256R1(), number).split()[1])[-65:]
        blob = field(name) + field(b"nistp256") + field(point) + field(b"ssh:")
    return f"{name.decode()} {base64.b64encode(blob).decode()}"


def field(content: bytes) -> bytes:
    """A field of a key's bytes: its length, and what it holds."""
    return len(content).to_bytes(4) + content


def _line(key: PublicKeyTypes) -> str:
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
