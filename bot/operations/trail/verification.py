"""Proves the audit trail: the chain, the tables that have to agree with it, and heads that were noted elsewhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.chain import GENESIS, Place
from slipway.bot.operations.trail.chain import COLUMNS, Broken, Row, follow
from slipway.bot.operations.trail.ties import contradictions
from slipway.bot.store.database import Database
from slipway.bot.store.tables import audit

BATCH = 5_000
"""How many entries are read at once: few enough that hashing them takes a few hundredths of a second."""

FEWEST_DIGITS = 16
"""The shortest beginning of a hash that may stand for it: 64 bits."""

_HEAD = re.compile(rf"[0-9a-f]{{{FEWEST_DIGITS},64}}", re.ASCII)

MOST_TOLD = 5
"""So many contradictions are told; more are counted."""


@dataclass(frozen=True)
class Intact:
    """The trail holds. ``head`` is the newest hash."""

    entries: int
    head: str


@dataclass(frozen=True)
class Contradicted:
    """The chain holds, and something else says that it is not the whole of it."""

    why: str


def read_head(text: str) -> str:
    """A head as somebody noted it, or at least its first digits, in small letters.

    Raises:
        ValueError: it cannot be one; says why, as the rest of a sentence.
    """
    head = text.strip().lower()
    if not head:
        raise ValueError("is empty, so nothing would be proved: give the head that was noted")
    if _HEAD.fullmatch(head) is None:
        raise ValueError(
            f"is no head: write the {FEWEST_DIGITS} to 64 hexadecimal digits that `audit verify` printed"
        )
    return head


async def verify(
    database: Database,
    expect: str | None = None,
    *,
    since: Place | None = None,
    noted: Sequence[Place] = (),
) -> Intact | Broken | Contradicted:
    """Walk the chain and recompute every hash; then compare the tables, and what was noted.

    Args:
        database: where the trail is.
        expect: a head that was noted earlier, or its beginning as :func:`read_head` gives it; if it is not in the
            chain, entries were cut off since.
        since: where an earlier walk ended, as :func:`place_of` finds it: only what follows is walked.
        noted: places that were noted elsewhere, all of which the chain has to go through.
    """
    async with database.reading() as connection:  # one state of it all, whatever is written meanwhile
        place = await _walked(connection, since or Place())
        if isinstance(place, Broken):
            return place
        for each in noted:
            if not await _goes_through(connection, each):
                return Broken(place.entries, _cut_off(each))
        if expect is not None and not await _holds(connection, expect):
            return Broken(
                place.entries, "the head that was noted earlier is not in it; newer entries were cut off"
            )
        return await _compared(connection, place)


async def why_it_does_not_hold(connection: AsyncConnection) -> str:
    """As :func:`verify` proves all of the trail, within a transaction that has to be committed yet; empty where it
    holds."""
    place = await _walked(connection, Place())
    found = place if isinstance(place, Broken) else await _compared(connection, place)
    return "" if isinstance(found, Intact) else found.why


async def _compared(connection: AsyncConnection, place: Place) -> Intact | Contradicted:
    found = await contradictions(connection, place)
    return Contradicted(_in_words(found)) if found else Intact(place.entries, place.head)


async def _walked(connection: AsyncConnection, since: Place) -> Place | Broken:
    first = await connection.scalar(sa.select(sa.func.min(audit.c.number)))
    if first is not None and first < 1:
        return Broken(first, f"entry {first} stands before the first one")
    place: Place | Broken = since
    while isinstance(place, Place):
        rows = await _batch(connection, place.entries)
        if isinstance(rows, Broken):
            return rows
        if not rows:
            return place
        place = await asyncio.to_thread(follow, rows, place)
    return place


async def place_of(database: Database, head: str) -> Place | None:
    """The place of a hash, or of the only one that begins so; None where the trail does not have it."""
    if GENESIS.startswith(head):
        return Place()
    query = sa.select(audit.c.number, audit.c.hash).where(_begins(audit.c.hash, head)).limit(1)
    async with database.reading() as connection:
        row = (await connection.execute(query)).first()
    return Place(row.number, row.hash) if row else None


async def newest_place(database: Database) -> Place:
    """Where the trail ends, as its newest entry says."""
    query = sa.select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
    async with database.reading() as connection:
        row = (await connection.execute(query)).first()
    return Place(row.number, row.hash) if row else Place()


async def _batch(connection: AsyncConnection, after: int, size: int = BATCH) -> Sequence[Row] | Broken:
    """The next entries; where one cannot even be read, such as for a text that is no text, that."""
    query = sa.select(*COLUMNS).where(audit.c.number > after).order_by(audit.c.number).limit(size)
    try:
        return (await connection.execute(query)).all()
    except sa.exc.OperationalError:
        if size == 1:
            return Broken(after + 1, f"entry {after + 1} was changed after it was written")
        return await _batch(connection, after, max(size // 10, 1))


async def _goes_through(connection: AsyncConnection, place: Place) -> bool:
    if not place.entries:
        return place.head == GENESIS
    query = sa.select(audit.c.hash).where(audit.c.number == place.entries)
    return bool(await connection.scalar(query) == place.head)


async def _holds(connection: AsyncConnection, head: str) -> bool:
    if GENESIS.startswith(head):
        return True
    query = sa.select(audit.c.number).where(_begins(audit.c.hash, head)).limit(1)
    return await connection.scalar(query) is not None


def _begins(column: sa.ColumnElement[str], head: str) -> sa.ColumnElement[bool]:
    return sa.func.substr(column, 1, len(head)) == head


def _cut_off(place: Place) -> str:
    short = place.head[:FEWEST_DIGITS]
    return (
        f"entry {place.entries} was noted with the head {short}…, and is another one or none; "
        "entries were cut off or written anew"
    )


def _in_words(found: Sequence[str]) -> str:
    more = len(found) - MOST_TOLD
    told = "; ".join(found[:MOST_TOLD])
    return f"{told}; and {more} more" if more > 0 else told
