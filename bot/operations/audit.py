"""The audit trail: append-only, each entry carrying the hash of the one before.

An entry's hash is SHA-256 over its fields and the hash before it (:mod:`.trail.chain`), so a changed, removed or
inserted entry breaks the chain from there on. Cutting off the newest entries leaves a valid, shorter chain: the
tables contradict it then (:mod:`.trail.ties`), and so does a head that was noted elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.chain import GENESIS
from slipway.bot.core.model import Json
from slipway.bot.operations.trail.chain import COLUMNS, FORMAT, hash_of, iso
from slipway.bot.operations.trail.chain import Broken as Broken
from slipway.bot.operations.trail.verification import Intact as Intact
from slipway.bot.operations.trail.verification import verify as verify
from slipway.bot.store.database import Database
from slipway.bot.store.tables import audit


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
        """A vote that was taken back: by the event that had given it, or by the command that said so."""
        return cls(f"withdrawal:{event_key}")

    @classmethod
    def of_loss(cls, at: datetime) -> AuditKey:
        """Somebody accepted that files were lost; see :mod:`slipway.bot.store.installation`."""
        return cls(f"loss:{iso(at)}")

    @classmethod
    def of_restoring(cls, at: datetime) -> AuditKey:
        """A backup was put back."""
        return cls(f"restored:{iso(at)}")

    @classmethod
    def of_configuration(cls, at: datetime, token: str) -> AuditKey:
        """A start, or a reload, took a configuration in; the token tells one from another."""
        return cls(f"configuration:{iso(at)}:{token}")

    @classmethod
    def of_pause_end(cls, pause_key: str) -> AuditKey:
        """A schedule's pause ended by itself, by the step that had placed it."""
        return cls(f"pause-end:{pause_key}")

    @classmethod
    def of_lockout(cls, person: str, until: datetime) -> AuditKey:
        """Somebody gave so many wrong codes that none of theirs counts for some time."""
        return cls(f"step-up:{person}:locked:{iso(until)}")

    @classmethod
    def of_freeze(cls, freeze_key: str, what: str) -> AuditKey:
        """A freeze window began, or any freeze was over in time, by what names it."""
        return cls(f"freeze:{freeze_key}:{what}")

    @classmethod
    def of_step(cls, operation_id: str, number: int, phase: StepPhase) -> AuditKey:
        """A step, from 1, began or ended."""
        return cls(f"{operation_id}:step-{number}:{phase}")


WITHDRAWN = "approval withdrawn"
"""What the trail calls a vote that was taken back. Stored."""


class StepPhase(StrEnum):
    """What the trail says of a step."""

    BEGUN = "begun"
    STANDING = "standing"  # it was about to begin, and stands still before that
    RESUMED = "resumed"  # it begins after that
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

    def with_detail(self, *more: tuple[str, Json]) -> AuditEntry:
        """The same entry that says more."""
        return replace(self, detail=(*self.detail, *more))


def doubted(doubt: str) -> tuple[tuple[str, Json], ...]:
    """What an entry says in its detail of why its actor may be another than it names; nothing where nobody doubts."""
    return (("doubt", doubt),) if doubt else ()


BY_CODE = "code"
"""What the entry of a vote says under ``step_up`` where it came with a single-use code of its giver's. Stored."""


def by_code(stepped_up: bool) -> tuple[tuple[str, Json], ...]:
    """What the entry of a vote says in its detail of a step-up; nothing where it came with none."""
    return (("step_up", BY_CODE),) if stepped_up else ()


@dataclass(frozen=True)
class Recorded:
    """An entry with its place in the chain."""

    number: int
    entry: AuditEntry
    previous: str
    hash: str
    format: int


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
    detail = json.dumps(dict(entry.detail), ensure_ascii=False)
    await connection.execute(
        audit.insert().values(
            number=number,
            key=entry.key,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            operation_id=entry.operation_id,
            detail=detail,
            previous=previous,
            hash=hash_of(
                number,
                entry.key,
                iso(entry.at),
                entry.actor,
                entry.action,
                entry.operation_id,
                detail,
                previous,
            ),
            format=FORMAT,
        )
    )


async def entries(database: Database, operation_id: str | None = None) -> AsyncGenerator[Recorded]:
    """The trail from its beginning, of one operation or of all."""
    async with aclosing(_rows(database, operation_id)) as rows:
        async for row in rows:
            yield _recorded(row)


async def head_number(database: Database) -> int:
    """The number of the newest entry; 0 where there is none."""
    async with database.reading() as connection:
        return int(await connection.scalar(sa.select(sa.func.max(audit.c.number))) or 0)


async def newer_entries(database: Database, number: int, most: int) -> list[Recorded]:
    """The entries behind one, the oldest first, and no more than so many."""
    query = sa.select(*COLUMNS).where(audit.c.number > number).order_by(audit.c.number).limit(most)
    async with database.reading() as connection:
        return [_recorded(row) for row in await connection.execute(query)]


async def entries_between(
    database: Database, since: datetime | None, until: datetime | None
) -> AsyncGenerator[Recorded]:
    """The entries of a time, in the order in which they were written. Whoever stops before the end closes it.

    Args:
        database: has the trail.
        since: from then on; None for from the beginning.
        until: before then; None for to the end.
    """
    async with aclosing(entries(database)) as trail:
        async for each in trail:
            if (since is None or each.entry.at >= since) and (until is None or each.entry.at < until):
                yield each


async def lines(database: Database, operation_id: str | None = None) -> list[str]:
    """The trail as JSON lines, with each entry's hash and its format, for people and their tools."""
    return [json_line(recorded) async for recorded in entries(database, operation_id)]


def document_of(recorded: Recorded) -> dict[str, Any]:
    """An entry as an object of JSON. Its fields are documented in docs/operating.md, and stay."""
    entry = recorded.entry
    return {
        "action": entry.action,
        "actor": entry.actor,
        "at": iso(entry.at),
        "detail": dict(entry.detail),
        "key": entry.key,
        "number": recorded.number,
        "operation": entry.operation_id,
        "previous": recorded.previous,
        "hash": recorded.hash,
        "format": recorded.format,
    }


def json_line(recorded: Recorded) -> str:
    """An entry as one line of JSON, without the line break."""
    return json.dumps(document_of(recorded), ensure_ascii=False)


async def _rows(database: Database, operation_id: str | None = None) -> AsyncGenerator[Any]:
    query = sa.select(*COLUMNS).order_by(audit.c.number)
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
    return Recorded(row.number, entry, row.previous, row.hash, row.format)
