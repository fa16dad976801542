"""Public keys as OpenSSH writes them: which are taken, and what is inside. Asks nobody.

A key is read to its last byte, and written anew from its type and its bytes alone: neither options nor a comment,
both of which come from outside, ever reach a machine.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 16_384
"""What OpenSSH reads."""

_MOST_BYTES = 4_096  # an RSA key of 16,384 bits has 2,100
_LENGTH_BYTES = 4  # before each field
_POINT_BYTES = {"nistp256": 32, "nistp384": 48, "nistp521": 66}  # of one coordinate
_UNCOMPRESSED = 4  # the first byte of a point that has both coordinates
_ED25519_BYTES = 32

_BLANKS = re.compile("[ \t]+")
_BREAKS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
"""What could end a line, or is not to be seen."""


class KeyRefusedError(ValueError):
    """A text that is no public key, or one that is not taken: the rest of a sentence that begins with “it”."""


class KeyType(StrEnum):
    """The kinds that are taken, as OpenSSH names them: cloud-init, which puts them into a machine, takes them all.
    Source: its ``ssh_util``."""

    RSA = "ssh-rsa"
    ED25519 = "ssh-ed25519"
    ECDSA_256 = "ecdsa-sha2-nistp256"
    ECDSA_384 = "ecdsa-sha2-nistp384"
    ECDSA_521 = "ecdsa-sha2-nistp521"
    SK_ED25519 = "sk-ssh-ed25519@openssh.com"
    SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"

    @property
    def words(self) -> str:
        """What people call it."""
        return _WORDS[self]


_WORDS = {
    KeyType.RSA: "RSA",
    KeyType.ED25519: "Ed25519",
    KeyType.ECDSA_256: "ECDSA P-256",
    KeyType.ECDSA_384: "ECDSA P-384",
    KeyType.ECDSA_521: "ECDSA P-521",
    KeyType.SK_ED25519: "Ed25519 in a security key",
    KeyType.SK_ECDSA: "ECDSA in a security key",
}


@dataclass(frozen=True)
class PublicKey:
    """A public key that is taken. Made by :func:`read_key`.

    Attributes:
        type: its kind.
        blob: its bytes, as they stand encoded in a line.
        bits: how long an RSA key is; 0 of other kinds, which have one length each.
    """

    type: KeyType
    blob: bytes
    bits: int = 0

    @property
    def line(self) -> str:
        """What authorized_keys holds of it: its type and its bytes, and nothing else."""
        return f"{self.type.value} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` shows it: ``SHA256:…``."""
        return f"SHA256:{base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip('=')}"

    @property
    def words(self) -> str:
        """What people call its kind: ``RSA 3072``."""
        return f"{self.type.words} {self.bits}" if self.bits else self.type.words


def read_key(text: str) -> PublicKey:
    """Read one line of a public key; a comment behind it is left out.

    Raises:
        KeyRefusedError: it is none, or one that is not taken, and why.
    """
    line = text.strip(" \t\r\n")
    if "PRIVATE KEY" in line:
        raise KeyRefusedError("is a private key")
    if _BREAKS.search(line):
        raise KeyRefusedError("is more than one line, or holds control characters")
    words = _BLANKS.split(line)
    kind = _kind(words)
    if len(words) < 2:
        raise KeyRefusedError("lacks what stands behind its type")
    blob = _decoded(words[1])
    fields = _Fields(blob)
    inner = fields.take()
    if inner != kind.value.encode():
        raise KeyRefusedError(f"says that it is {kind.value}, and holds another kind of key")
    bits = _check(kind, fields)
    fields.end()
    return PublicKey(kind, blob, bits)


def _kind(words: Sequence[str]) -> KeyType:
    """The kind that a line begins with."""
    first = words[0] if words else ""
    if first in {kind.value for kind in KeyType}:
        return KeyType(first)
    if first.startswith("----"):
        raise KeyRefusedError(
            "is not written as OpenSSH writes keys: `ssh-keygen -i -f FILE` turns it into that"
        )
    if first in ("ssh-dss", "ssh-dsa"):
        raise KeyRefusedError("is a DSA key, which OpenSSH does not take any more")
    if "-cert-v01" in first:
        raise KeyRefusedError("is a certificate, which ends at a time of its own; the key itself is needed")
    if any(word in {kind.value for kind in KeyType} for word in words[1:]):
        raise KeyRefusedError(
            "begins with options, which are not taken: leave out what stands before its type"
        )
    raise KeyRefusedError(f"is none of the kinds that are taken: {', '.join(kind.value for kind in KeyType)}")


def _decoded(word: str) -> bytes:
    if len(word) > _MOST_BYTES * 4 // 3:
        raise KeyRefusedError("is longer than any key")
    try:
        return base64.b64decode(word.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise KeyRefusedError("is not whole: what stands behind its type is not base64") from None


def _check(kind: KeyType, fields: _Fields) -> int:
    """Whether the fields are those of such a key; how many bits an RSA key has."""
    match kind:
        case KeyType.RSA:
            return _rsa_bits(fields)
        case KeyType.ED25519 | KeyType.SK_ED25519:
            if len(fields.take()) != _ED25519_BYTES:
                raise KeyRefusedError("is not whole: its point has another length")
        case KeyType.ECDSA_256 | KeyType.ECDSA_384 | KeyType.ECDSA_521 | KeyType.SK_ECDSA:
            _check_point(kind, fields)
    if kind in (KeyType.SK_ED25519, KeyType.SK_ECDSA) and not fields.take():
        raise KeyRefusedError("is not whole: it does not say for what it is used")
    return 0


def _rsa_bits(fields: _Fields) -> int:
    exponent, modulus = fields.number(), fields.number()
    bits = modulus.bit_length()
    if bits < LEAST_RSA_BITS:
        raise KeyRefusedError(f"is an RSA key of {bits} bits; {LEAST_RSA_BITS} are the least")
    if bits > MOST_RSA_BITS:
        raise KeyRefusedError(f"is an RSA key of {bits} bits; {MOST_RSA_BITS} are the most")
    if exponent < 3 or exponent % 2 == 0 or modulus % 2 == 0:
        raise KeyRefusedError("is no RSA key: its numbers do not fit")
    return bits


def _check_point(kind: KeyType, fields: _Fields) -> None:
    curve = kind.value.partition("@")[0].rpartition("-")[2]
    if fields.take() != curve.encode():
        raise KeyRefusedError(f"says that it is {kind.value}, and is on another curve")
    point = fields.take()
    if len(point) != 1 + 2 * _POINT_BYTES[curve] or point[0] != _UNCOMPRESSED:
        raise KeyRefusedError("is not whole: its point has another length")


class _Fields:
    """The fields of a key's bytes, one after the other, each with its length before it."""

    def __init__(self, blob: bytes) -> None:
        self._rest = blob

    def take(self) -> bytes:
        """The next field."""
        length = int.from_bytes(self._rest[:_LENGTH_BYTES])
        field = self._rest[_LENGTH_BYTES : _LENGTH_BYTES + length]
        if len(self._rest) < _LENGTH_BYTES or len(field) != length:
            raise KeyRefusedError("is not whole: it ends too early")
        self._rest = self._rest[_LENGTH_BYTES + length :]
        return field

    def number(self) -> int:
        """The next field, as a number above zero."""
        field = self.take()
        if not field or field[0] & 0x80:
            raise KeyRefusedError("is no RSA key: its numbers do not fit")
        return int.from_bytes(field)

    def end(self) -> None:
        """Refuse what stands behind the last field."""
        if self._rest:
            raise KeyRefusedError("holds more than a key")
