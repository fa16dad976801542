"""Secrets as people, editors and tools hand them over: with signs around them that nobody sees."""

from __future__ import annotations

import unicodedata
from itertools import takewhile
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

_UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Zs"}
"""Unicode's categories of control signs, formats such as a byte order mark, separators and spaces."""


def without_unseen_ends(text: str) -> str:
    """The text without line breaks, byte order marks, zero-width signs, tabs and the like at its ends.

    An ordinary space beside what is seen stays: a password may begin or end with one.
    """
    return _without_unseen_begin(_without_unseen_begin(text)[::-1])[::-1]


def _without_unseen_begin(text: str) -> str:
    unseen = "".join(takewhile(lambda sign: unicodedata.category(sign) in _UNSEEN, text))
    return text[len(unseen.rstrip(" ")) :]


def _token(value: object) -> object:
    if not isinstance(value, str):
        return value
    token = value.strip(" ")
    odd = next((sign for sign in token if not "!" <= sign <= "~"), None)
    if odd is not None:
        raise ValueError(f"holds {_called(odd)}, which no such secret does; copy it anew")
    return token


def _password(value: object) -> object:
    if isinstance(value, str):
        odd = next((sign for sign in value if unicodedata.category(sign) in ("Cc", "Zl", "Zp")), None)
        if odd is not None:
            raise ValueError(f"holds {_called(odd)}, which cannot be typed; copy it anew")
    return value


def _called(sign: str) -> str:
    """What a sign is called, where it says nothing of the secret: letters are not named."""
    category = unicodedata.category(sign)
    if sign in "\r\n":
        return "a line break"
    if sign == " ":
        return "a space"
    return f"the invisible sign U+{ord(sign):04X}" if category in _UNSEEN else "a sign beyond ASCII"


Token = Annotated[SecretStr, BeforeValidator(_token)]
"""A secret that a machine made: visible ASCII without spaces, whatever stands around it."""

Password = Annotated[SecretStr, BeforeValidator(_password)]
"""A secret that somebody thought of: one line of any signs."""
