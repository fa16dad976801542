"""A card as plain text: for terminals, logs, and the plain body beside a formatted one.

The helpers here (cleaning, code spans, widths) are what every renderer of cards shares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from slipway.bot.chat.model import SYMBOLS, Card, Field, Table, Tone

_WORDS = {Tone.WAITING: "Waiting", Tone.RUNNING: "Running"}
"""What titles of these tones need in words, unless they say it: that it is not over. ✔ and ✘ speak for themselves,
and stand before much that nobody did, such as that there are no problems, or that a certificate has ended."""

# Control characters but for the newline, line separators, signs that turn the reading direction (they can
# make a name look like another one), and lone surrogates, which no UTF-8 can carry.
_UNPRINTABLE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_CODE = re.compile(r"`([^`\n]+)`")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?\s?%?", re.ASCII)
_GAP = "  "


class Span(NamedTuple):
    """A piece of a text; ``code`` says that it stood between backticks."""

    text: str
    code: bool


def clean(text: str) -> str:
    """The text with every character that could not be shown, or would mislead, made visible as ``\\ufffd``.

    Tabs become spaces and CRLF becomes one newline; newlines stay.
    """
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\t", "    "))


def clean_line(text: str) -> str:
    """As :func:`clean`, on one line: newlines become spaces."""
    return clean(text).replace("\n", " ")


def spans(text: str) -> tuple[Span, ...]:
    """Split a card's text at its `` `backticks` ``. A backtick without a partner on its line is literal."""
    pieces: list[Span] = []
    end = 0
    for match in _CODE.finditer(text):
        if match.start() > end:
            pieces.append(Span(text[end : match.start()], code=False))
        pieces.append(Span(match.group(1), code=True))
        end = match.end()
    if end < len(text):
        pieces.append(Span(text[end:], code=False))
    return tuple(pieces)


def without_ticks(text: str) -> str:
    """The text with the backticks of its code spans taken off."""
    return _CODE.sub(r"\1", text)


def display_width(text: str) -> int:
    """How many columns a terminal or a fixed-width font gives the text.

    Wide characters and emoji count two, combining marks nothing.
    """
    return cell_len(text)


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Fill the text with spaces up to a display width, in front if ``right``. Longer text stays whole."""
    space = " " * max(0, width - display_width(text))
    return space + text if right else text + space


def headline(card: Card) -> str:
    """The card's title with the symbol of its tone, and its word where it needs one: colour never stands alone."""
    word = _WORDS.get(card.tone, "")
    title = clean_line(card.title)
    state = title.rpartition(": ")[2].casefold()  # as in `op-7k3f promote: done`, which says it already
    said = not word or state.startswith(word.casefold().removesuffix("ing"))
    return f"{SYMBOLS[card.tone]} {title}" if said else f"{SYMBOLS[card.tone]} {word} · {title}"


def table_lines(table: Table) -> list[str]:
    """Headings, a rule and the rows, in columns aligned by display width; numbers stand right.

    The table's title is not among them. Backticks are taken off, because they would break the columns apart.
    """
    head = [without_ticks(clean_line(cell)) for cell in table.columns]
    rows = [[without_ticks(clean_line(cell)) for cell in row] for row in table.rows]
    columns = list(zip(head, *rows, strict=True))
    widths = [max(display_width(cell) for cell in column) for column in columns]
    right = [all_numbers(column[1:]) for column in columns]

    def line(cells: list[str]) -> str:
        padded = (pad(*cell[:2], right=cell[2]) for cell in zip(cells, widths, right, strict=True))
        return _GAP.join(padded).rstrip()

    rule = _GAP.join("─" * width for width in widths)
    return [line(head), rule, *map(line, rows)]


def all_numbers(cells: Sequence[str]) -> bool:
    """Whether cells are numbers, which stand right in their column; empty ones do not count."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)


_WIDEST_LABEL = 40
"""Columns; values stand below each other behind labels of up to so many."""


def field_lines(fields: tuple[Field, ...]) -> list[str]:
    """Labels and values in two columns; further lines of a value stand under its first. A label that is very long
    moves only its own value."""
    widths = (display_width(clean_line(field.label)) for field in fields)
    width = max((each for each in widths if each <= _WIDEST_LABEL), default=0) + 1
    lines = []
    for field in fields:
        first, *more = clean(field.value).split("\n")
        lines.append(f"{pad(clean_line(field.label) + ':', width)} {first}".rstrip())
        lines.extend(" " * (width + 1) + line for line in more)
    return lines


def render_plain(card: Card) -> str:
    """The whole card as text a person reads, but for its buttons: the card's notes say what to type.

    Backticks stay where they mark something to type; in tables they are taken off.
    """
    blocks = [headline(card)]
    if card.mentions:
        blocks.append("For " + ", ".join(map(clean_line, card.mentions)))
    if card.text:
        blocks.append(clean(card.text))
    if card.fields:
        blocks.append("\n".join(field_lines(card.fields)))
    for table in card.tables:
        title = [clean_line(table.title)] if table.title else []
        blocks.append("\n".join(title + table_lines(table)))
    if card.notes:
        blocks.append("\n".join(f"• {clean(note)}" for note in card.notes))
    return "\n\n".join(blocks)
