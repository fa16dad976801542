"""The audit trail: append-only, each entry carrying the hash of the one before.

An entry's hash is SHA-256 over the canonical JSON of its fields and the hash before it, so a changed, removed
or inserted entry breaks the chain from there on. Cutting off the newest entries leaves a valid, shorter chain:
note the head that ``slipway audit verify`` prints somewhere else, and pass it as ``--expect`` next time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.model import Json, canonical
from slipway.bot.store.database import Database
from slipway.bot.store.tables import audit

GENESIS = "0" * 64
"""Stands before the first entry."""


class AuditKey(str):
    """Names what is recorded, so that recording it twice leaves one entry. Made by the functions below alone."""

    __slots__ = ()

    @classmethod
    def of_state(cls, operation_id: str, action: str) -> AuditKey:
        """An operation was proposed, approved, started, …: each happens once to it."""
        return cls(f"{operation_id}:{action}")

    @classmethod
    def of_vote(cls, operation_id: str, event_key: str) -> AuditKey:
        """A vote, by the event that gave it."""
        return cls(f"{operation_id}:vote:{event_key}")

    @classmethod
    def of_cancellation(cls, operation_id: str, event_key: str) -> AuditKey:
        """A cancellation, by the event that asked for it."""
        return cls(f"{operation_id}:cancel:{event_key}")

    @classmethod
    def of_withdrawal(cls, event_key: str) -> AuditKey:
        """A vote that was taken back, by the event that had given it."""
        return cls(f"withdrawal:{event_key}")

    @classmethod
    def of_step(cls, operation_id: str, number: int, phase: StepPhase) -> AuditKey:
        """A step, from 1, began or ended."""
        return cls(f"{operation_id}:step-{number}:{phase}")


class StepPhase(StrEnum):
    """What the trail says of a step."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"  # begun, and nobody knows whether it took effect


@dataclass(frozen=True)
class AuditEntry:
    """What happened: who did what to which operation."""

    key: AuditKey
    at: datetime
    actor: str  # a person's id, "schedule:NAME", or "slipway"
    action: str
    operation_id: str | None = None
    detail: tuple[tuple[str, Json], ...] = ()

    def text(self, number: int, previous: str) -> str:
        """The canonical text that is hashed."""
        return canonical(
            {
                "action": self.action,
                "actor": self.actor,
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "detail": dict(self.detail),
                "key": self.key,
                "number": number,
                "operation": self.operation_id,
                "previous": previous,
            }
        )


@dataclass(frozen=True)
class Recorded:
    """An entry with its place in the chain."""

    number: int
    entry: AuditEntry
    previous: str
    hash: str


@dataclass(frozen=True)
class Intact:
    """The chain holds. ``head`` is the newest hash."""

    entries: int
    head: str


@dataclass(frozen=True)
class Broken:
    """The chain does not hold; ``number`` is the first entry that does not fit."""

    number: int
    why: str


async def is_noted(connection: AsyncConnection, *keys: AuditKey) -> bool:
    """Whether the trail has an entry with one of these keys."""
    known = await connection.execute(sa.select(audit.c.number).where(audit.c.key.in_(keys)).limit(1))
    return known.first() is not None


async def append(connection: AsyncConnection, entry: AuditEntry) -> None:
    """Add an entry within the caller's write transaction; one whose key is there already is not added."""
    if await is_noted(connection, entry.key):
        return
    newest = (
        await connection.execute(
            sa.select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
        )
    ).first()
    number, previous = (newest.number + 1, newest.hash) if newest else (1, GENESIS)
    await connection.execute(
        audit.insert().values(
            number=number,
            key=entry.key,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            operation_id=entry.operation_id,
            detail=_detail(entry),
            previous=previous,
            hash=_hash(entry, number, previous),
        )
    )


async def entries(database: Database, operation_id: str | None = None) -> AsyncIterator[Recorded]:
    """The trail from its beginning, of one operation or of all."""
    async for row in _rows(database, operation_id):
        yield _recorded(row)


async def verify(database: Database, expect: str | None = None) -> Intact | Broken:
    """Walk the chain and recompute every hash.

    Args:
        database: where the trail is.
        expect: a head that was noted earlier; if it is not in the chain, entries were cut off since.
    """
    number, head, met = 0, GENESIS, expect in (None, GENESIS)
    async for row in _rows(database):
        number += 1
        if row.number != number:
            return Broken(number, f"entry {number} is missing")
        if row.previous != head:
            return Broken(number, f"entry {number} does not follow on entry {number - 1}")
        if not _holds(row, head):
            return Broken(number, f"entry {number} was changed after it was written")
        head = row.hash
        met = met or head == expect
    if not met:
        return Broken(number, "the head that was noted earlier is not in it; newer entries were cut off")
    return Intact(number, head)


async def lines(database: Database, operation_id: str | None = None) -> list[str]:
    """The trail as JSON lines, with each entry's hash, for people and their tools."""
    return [
        json.dumps(
            {**json.loads(recorded.entry.text(recorded.number, recorded.previous)), "hash": recorded.hash},
            ensure_ascii=False,
        )
        async for recorded in entries(database, operation_id)
    ]


async def _rows(database: Database, operation_id: str | None = None) -> AsyncIterator[Any]:
    # The time as it is stored: whatever somebody wrote there must be told, not stop the walk.
    stored = [column for column in audit.c if column is not audit.c.at]
    query = sa.select(*stored, sa.type_coerce(audit.c.at, sa.Text).label("at")).order_by(audit.c.number)
    if operation_id is not None:
        query = query.where(audit.c.operation_id == operation_id)
    async with database.reading() as connection:
        async for row in await connection.stream(query):
            yield row


def _recorded(row: Any) -> Recorded:
    entry = AuditEntry(
        key=AuditKey(row.key),
        at=datetime.fromisoformat(row.at).replace(tzinfo=UTC),
        actor=row.actor,
        action=row.action,
        operation_id=row.operation_id,
        detail=tuple(json.loads(row.detail).items()),
    )
    return Recorded(row.number, entry, row.previous, row.hash)


def _holds(row: Any, previous: str) -> bool:
    """Whether an entry is as it was written, to the letter; what cannot be read any more is not."""
    try:
        entry = _recorded(row).entry
        return bool(row.hash == _hash(entry, row.number, previous)) and row.detail == _detail(entry)
    except (ValueError, TypeError, AttributeError):
        return False


def _detail(entry: AuditEntry) -> str:
    return json.dumps(dict(entry.detail), ensure_ascii=False)


def _hash(entry: AuditEntry, number: int, previous: str) -> str:
    return hashlib.sha256(entry.text(number, previous).encode()).hexdigest()
