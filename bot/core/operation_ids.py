"""How operations are named: ``op-7k3f``."""

from __future__ import annotations

import re
import secrets

LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""No 0 and o, 1, i and l, which people confuse when they read aloud. Without o, a leading “op” is always the prefix,
however the hyphen was lost."""

FEWEST = 4
"""How many letters follow the prefix, unless these are all taken."""

_SOME = "[2-9a-hjkmnp-z]{4,8}"

PATTERN = f"op-{_SOME}"
"""An operation's id as the bot writes it, as a part of a regular expression."""

IN_TEXT = re.compile(rf"\b{PATTERN}\b", re.ASCII)
"""An operation's id somewhere in a text."""

_LOOSELY = re.compile(rf"(?:op-?)?({_SOME})", re.ASCII)


def random_operation_id(length: int = FEWEST) -> str:
    """An id that may be taken already, with so many letters."""
    return "op-" + "".join(secrets.choice(LETTERS) for _ in range(length))


def read_operation_id(text: str) -> str | None:
    """The id that somebody means by ``7k3f``, ``op7k3f`` or ``op-7k3f``; None where it can be none."""
    match = _LOOSELY.fullmatch(text)
    return f"op-{match[1]}" if match else None
