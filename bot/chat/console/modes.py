"""How the console shows what is said, and which way suits a stream."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import TextIO


class Mode(Enum):
    """How messages are written."""

    TERMINAL = auto()  # cards with borders and, where allowed, colours
    PLAIN = auto()  # text that any program and any terminal can show
    JSON = auto()  # one JSON object a line


def choose_mode(stream: TextIO, environ: Mapping[str, str], *, json: bool = False) -> Mode:
    """Cards for a terminal, JSON if asked for, plain text for everything else.

    ``TERM=dumb`` names a terminal that can only print. ``NO_COLOR`` takes the colours, not the cards;
    `rich` sees to it (https://no-color.org).
    """
    if json:
        return Mode.JSON
    if stream.isatty() and environ.get("TERM", "").lower() not in ("", "dumb", "unknown"):
        return Mode.TERMINAL
    return Mode.PLAIN
