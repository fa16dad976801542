"""Breaking lines for a terminal. What people copy stays in one piece: commands, fingerprints, names of images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.text import Text

from slipway.bot.chat.shared.plain import clean, display_width, spans

CODE = "bold cyan"
"""How what is to be typed is set off."""

_USAGE = "["
"""Stands in a command's usage, around what may be left out. A usage is read and not copied, so it may break."""

_PARTS = re.compile(r"\s+|\S+")


class _Piece(NamedTuple):
    """What stands on one line or on no line: a word, or a command with what is attached to it."""

    gap: str  # the blanks before it, where something stands before it on its line
    text: Text

    @property
    def width(self) -> int:
        return display_width(self.text.plain)


def wrapped(text: str, width: int, *, ticks: bool) -> list[Text]:
    """A card's text as lines of at most so many columns. A piece that is wider has a line of its own, and is whole.

    Args:
        text: with code spans between backticks.
        width: in columns.
        ticks: whether code spans keep their backticks, as where no colour sets them off.
    """
    return [
        line
        for paragraph in clean(text).split("\n")
        for line in _filled(_pieces(paragraph, ticks=ticks), width)
    ]


def widest(text: str, *, ticks: bool) -> int:
    """How many columns the widest piece of a text takes, at least 1."""
    pieces = (each for line in clean(text).split("\n") for each in _pieces(line, ticks=ticks))
    return max((each.width for each in pieces), default=1)


def joined(lines: Iterable[Text]) -> Text:
    """Lines as one text that breaks nowhere else."""
    text = Text("\n").join(lines)
    text.no_wrap, text.overflow = True, "ignore"
    return text


def _pieces(line: str, *, ticks: bool) -> Iterator[_Piece]:
    gap, piece = "", Text()
    for span in spans(line):
        shown = f"`{span.text}`" if span.code and ticks else span.text
        style = CODE if span.code else ""
        for part in [shown] if span.code and _USAGE not in span.text else _PARTS.findall(shown):
            if not part.isspace():
                piece.append(part, style=style)
                continue
            if piece:
                yield _Piece(gap, piece)
                gap, piece = "", Text()
            gap += part
    if piece:
        yield _Piece(gap, piece)


def _filled(pieces: Iterable[_Piece], width: int) -> list[Text]:
    lines, line, used = [], Text(), 0
    for piece in pieces:
        gap = display_width(piece.gap)
        if used and used + gap + piece.width > width:
            lines.append(line)
            line, used = Text(), 0
        elif used or (not lines and gap + piece.width <= width):  # or what the line is set in by
            line.append(piece.gap)
            used += gap
        line.append_text(piece.text)
        used += piece.width
    return [*lines, line]
