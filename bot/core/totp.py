"""Codes of authenticator apps: time-based one-time passwords, as RFC 6238 has them and every app shows them.

SHA-1, six digits, 30 seconds: what apps take for granted where an address says nothing else, and some of them
whatever it says. Nothing here keeps a code or says one.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, SecretStr

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.twofactor.hotp import HOTP

PERIOD = timedelta(seconds=30)
"""How long a code is shown. RFC 6238, 5.2."""

DIGITS = 6

SECRET_BYTES = 20
"""Of a secret that is made here. RFC 4226, 4: at least 128 bits, and 160 are recommended."""

_FEWEST_BYTES = 16

_CODE = r"[0-9]{3}[ \u00a0\u202f-]?[0-9]{3}"
_ALONE = re.compile(rf"\s*({_CODE})\s*", re.ASCII)
_WITHIN = re.compile(rf"(?<![0-9]){_CODE}(?![0-9])", re.ASCII)
_WORD = re.compile(rf"(?<![\w.:/-]){_CODE}(?![\w:/-]|\.\w)")
_NO_DIGIT = re.compile(r"[^0-9]", re.ASCII)


def check_secret(text: str) -> None:
    """See that a text is a secret as apps take it.

    Raises:
        ValueError: it is none, as the rest of a sentence that holds nothing of it.
    """
    _key(text)


def _secret(value: object) -> object:
    if isinstance(value, str):
        check_secret(value)
    return value


TotpSecret = Annotated[SecretStr, BeforeValidator(_secret)]
"""What a person's authenticator app and Slipway share, in base32, as apps take it."""


def _key(text: str) -> bytes:
    """The bytes of a secret.

    Raises:
        ValueError: it is none, as the rest of a sentence that holds nothing of it.
    """
    written = re.sub(r"[\s=-]", "", text).upper()
    try:
        key = base64.b32decode(written + "=" * (-len(written) % 8))
    except (binascii.Error, ValueError):
        raise ValueError("holds no secret in base32 (A-Z, 2-7); make one with `slipway totp new`") from None
    if len(key) < _FEWEST_BYTES:
        raise ValueError(
            f"holds a secret of {len(key)} bytes, and RFC 4226 asks for {_FEWEST_BYTES}; make one with "
            "`slipway totp new`"
        )
    return key


def new_secret() -> SecretStr:
    """A secret at random."""
    return SecretStr(base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode())


def address(secret: SecretStr, account: str, issuer: str) -> SecretStr:
    """The ``otpauth://`` address that apps read from a QR code. It holds the secret."""
    return SecretStr(_hotp(secret, totp=(account, issuer)))


def step_at(moment: datetime) -> int:
    """The number of the time step that a moment belongs to."""
    return int(moment.timestamp() // PERIOD.total_seconds())


def code_at(secret: SecretStr, step: int) -> str:
    """The code of a time step. For tests and for whoever compares; never stored, logged or shown."""
    return _generator(secret).generate(step).decode()


def matching_step(secret: SecretStr, code: str, now: datetime, window: int) -> int | None:
    """The newest time step around now of which this is the code; None where it is of none.

    Each step is compared, and in constant time, whatever was found before.

    Args:
        secret: the person's.
        code: six digits.
        now: the time.
        window: how many steps before and after the present one count.
    """
    generator, here, found = _generator(secret), step_at(now), None
    for step in range(max(here - window, 0), here + window + 1):
        if compare_digest(generator.generate(step), code.encode()):
            found = step
    return found


def code_in(text: str) -> str | None:
    """The six digits of a message that is nothing but a code, maybe written in two halves; None for any other."""
    match = _ALONE.fullmatch(text)
    return _digits(match[1]) if match is not None else None


def codes_within(text: str) -> Iterator[str]:
    """The six digits of whatever in a text may be a code: where they are compared, nothing else is made of them."""
    return (_digits(match[0]) for match in _WITHIN.finditer(text))


def without_codes(text: str) -> str:
    """A text in which an ellipsis stands for whatever may be a code."""
    return _WITHIN.sub("…", text)


def split_code(text: str) -> tuple[str, str] | None:
    """A code that stands in a text as a word of its own, and the rest of the text; None where none does."""
    match = _WORD.search(text)
    if match is None:
        return None
    return _digits(match[0]), " ".join(f"{text[: match.start()]} {text[match.end() :]}".split())


def _digits(written: str) -> str:
    return _NO_DIGIT.sub("", written)


def _generator(secret: SecretStr) -> HOTP:
    # With the library's binary part: not for whoever only reads a configuration.
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.hotp import HOTP

    return HOTP(_key(secret.get_secret_value()), DIGITS, SHA1())  # noqa: S303  RFC 6238's own; HMAC does not rest on it


def _hotp(secret: SecretStr, *, totp: tuple[str, str]) -> str:
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    account, issuer = totp
    seconds = int(PERIOD.total_seconds())
    made = TOTP(_key(secret.get_secret_value()), DIGITS, SHA1(), seconds)  # noqa: S303  as above
    return made.get_provisioning_uri(account, issuer)
