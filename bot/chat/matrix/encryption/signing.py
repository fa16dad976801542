"""Ed25519 over canonical JSON, as Matrix signs keys with: pure functions, no network.

Source: the client-server specification, "Signing JSON" and "Cross-signing".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32
"""The length of an Ed25519 seed and of every public key that Matrix knows."""

_UNSIGNED = ("signatures", "unsigned")


def canonical(value: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: the object without ``signatures`` and ``unsigned``, keys sorted, no space."""
    signed = {key: inner for key, inner in value.items() if key not in _UNSIGNED}
    text = json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def encode(data: bytes) -> str:
    """Base64 without padding, as the specification writes keys and signatures."""
    return base64.b64encode(data).decode().rstrip("=")


def decode(text: object) -> bytes | None:
    """What stands in unpadded base64; None if it is nothing of the kind."""
    if not isinstance(text, str) or not text.isascii():
        return None
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def is_public_key(text: object) -> bool:
    """Whether a text has the form of a Curve25519 or Ed25519 public key."""
    found = decode(text)
    return found is not None and len(found) == KEY_BYTES


class SigningKey:
    """A private Ed25519 key, made from its seed (RFC 8032)."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = encode(self._key.public_key().public_bytes_raw())

    @property
    def id(self) -> str:
        """How signatures by it are named: ``ed25519:`` and the public key."""
        return f"ed25519:{self.public}"

    def sign(self, value: Mapping[str, Any], user_id: str) -> dict[str, Any]:
        """The object with this key's signature added to those it has, and without ``unsigned``."""
        signatures = {user: dict(keys) for user, keys in (value.get("signatures") or {}).items()}
        signatures.setdefault(user_id, {})[self.id] = encode(self._key.sign(canonical(value)))
        kept = {key: inner for key, inner in value.items() if key != "unsigned"}
        return {**kept, "signatures": signatures}


def is_signed(value: object, user_id: str, key_id: str, public: object) -> bool:
    """Whether an object carries a valid signature; anything ill-formed does not.

    Args:
        value: the object, as a homeserver gave it.
        user_id: whose signature it should be.
        key_id: how the signature is named in the object, such as ``ed25519:DEVICE``.
        public: the public key in unpadded base64.
    """
    if not isinstance(value, Mapping):
        return False
    by_user = value.get("signatures")
    own = by_user.get(user_id) if isinstance(by_user, Mapping) else None
    signature = decode(own.get(key_id)) if isinstance(own, Mapping) else None
    key = decode(public)
    if signature is None or key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, canonical(value))
    except (InvalidSignature, ValueError, TypeError, RecursionError):
        return False
    return True
