"""Make a card small enough for a platform, leaving out the least, and saying that something is left out."""

from __future__ import annotations

from collections.abc import Callable

from slipway.bot.chat.model import Card, Field, Table
from slipway.bot.chat.shared.plain import render_plain

_CUTS = (4_000, 1_000, 300, 80)
_MOST_ITEMS = 20
LONGEST_CELL = 100
"""Characters of a cell that a phone shows in a few lines; longer ones are cut where the whole is attached."""

_MOST_ROWS = 1_000  # no message of any platform has room for more


def shorten(card: Card, fits: Callable[[Card], bool]) -> Card:
    """The card itself if it fits, or else as much of it as does.

    First long cells are cut; then the longest table loses rows from its end, over and over; then all long texts are
    cut. A note at the end says so. The title, fields and notes survive in some length, so the result is always small.

    Args:
        card: what should be said.
        fits: whether the platform takes a card.
    """
    if fits(card):
        return card
    total = sum(len(table.rows) for table in card.tables)
    if fits(noted := _noted(_with_short_cells(card), total)):
        return noted
    shorter = _with_short_cells(card)
    while any(len(table.rows) > 1 for table in shorter.tables):
        shorter = _with_fewer_rows(shorter)
        noted = _noted(shorter, total)
        if fits(noted):
            return noted
    for length in _CUTS:
        noted = _noted(_cut(shorter, length), total)
        if fits(noted):
            return noted
    return Card(tone=card.tone, title=_short(card.title, _CUTS[-1]), buttons=card.buttons)


def full_text_if_too_long(card: Card, fits: Callable[[Card], bool]) -> str | None:
    """The full text of a card that :func:`shorten` would shorten, to be attached; None for one that fits."""
    return None if fits(card) else render_plain(card)


def _with_fewer_rows(card: Card) -> Card:
    longest = max(range(len(card.tables)), key=lambda index: len(card.tables[index].rows))
    tables = list(card.tables)
    table = tables[longest]
    keep = min(len(table.rows) * 3 // 4, _MOST_ROWS)
    tables[longest] = table.model_copy(update={"rows": table.rows[:keep], "values": table.values[:keep]})
    return card.model_copy(update={"tables": tuple(tables)})


def _with_short_cells(card: Card) -> Card:
    tables = tuple(
        table.model_copy(
            update={"rows": tuple(tuple(_short(cell, LONGEST_CELL) for cell in row) for row in table.rows)}
        )
        for table in card.tables
    )
    return card.model_copy(update={"tables": tables})


def _noted(card: Card, total: int) -> Card:
    shown = sum(len(table.rows) for table in card.tables)
    what = f"{shown} of {total} rows are shown" if shown < total else "Long texts are cut"
    note = f"This was too long for one message: {what}. The attached file has all of it."
    return card.model_copy(update={"notes": (*card.notes, note)})


def _cut(card: Card, length: int) -> Card:
    tables = tuple(
        Table(
            columns=tuple(_short(cell, length) for cell in table.columns),
            rows=tuple(tuple(_short(cell, length) for cell in row) for row in table.rows[:1]),
            title=_short(table.title, length),
        )
        for table in card.tables[:_MOST_ITEMS]
    )
    return card.model_copy(
        update={
            "title": _short(card.title, length),
            "text": _short(card.text, length),
            "fields": tuple(
                Field(label=_short(field.label, length), value=_short(field.value, length))
                for field in card.fields[:_MOST_ITEMS]
            ),
            "tables": tables,
            "notes": tuple(_short(note, length) for note in card.notes[:_MOST_ITEMS]),
            "mentions": card.mentions[:_MOST_ITEMS],
        }
    )


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
