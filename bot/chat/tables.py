"""Tables whose cells carry a value beside their words: people read the words, programs the values.

Values are what JSON holds: numbers, truth values, texts such as ids and states, moments in ISO 8601 with their zone,
spans in seconds, lists, and null where there is none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from slipway.bot.chat.model import NONE, Table
from slipway.bot.core.model import Json


class Cell(NamedTuple):
    """What stands in a cell, and what it tells."""

    words: str
    value: Json


Row = Mapping[str, Cell]
"""Cells by the names of their values; those that no column shows are for programs alone."""


def table_of(
    columns: Mapping[str, str], rows: Iterable[Row], *, title: str = "", sparse: Collection[str] = ()
) -> Table:
    """A table of cells.

    Args:
        columns: the headings of what is shown, by the names of the values.
        rows: a cell for each column, and maybe more.
        title: what stands above it.
        sparse: names of columns that are left out where no row has anything in them; programs are told all the same.
    """
    held = tuple(rows)
    columns = {
        name: heading
        for name, heading in columns.items()
        if name not in sparse or any(row[name].words not in ("", NONE) for row in held)
    }
    return Table(
        title=title,
        columns=tuple(columns.values()),
        rows=tuple(tuple(row[name].words for name in columns) for row in held),
        values=tuple({name: cell.value for name, cell in row.items()} for row in held),
    )


def text(value: str | None, words: str | None = None) -> Cell:
    """An id, a state, a name or a sentence; the words are the value itself, if no others are given."""
    return Cell((value or NONE) if words is None else words, value or None)


def number(value: int) -> Cell:
    """A count."""
    return Cell(str(value), value)


def texts(values: Sequence[str], words: str) -> Cell:
    """Several ids, states or names."""
    return Cell(words, [str(value) for value in values])


def moment(at: datetime | None, words: str) -> Cell:
    """A point in time."""
    return Cell(words, None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z"))


def span(length: timedelta | None, words: str) -> Cell:
    """How long something is, in seconds."""
    return Cell(words, None if length is None else length.total_seconds())
