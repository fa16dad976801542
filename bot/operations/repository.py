"""Operations in the database. Each change of state is one compare-and-set, with its audit entry in the same
transaction: either both are there or neither."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.model import Choice, Platform, Room
from slipway.bot.config.settings import OperationKind
from slipway.bot.core.model import canonical_json
from slipway.bot.images.requests import Pin
from slipway.bot.images.steps import SetExcluded
from slipway.bot.operations.audit import AuditEntry, append
from slipway.bot.operations.model import OPEN, Operation, OperationState, Outcome, Plan, StepReport, Vote
from slipway.bot.store.database import Database
from slipway.bot.store.tables import audit, operation, step_report, vote

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""For operation ids: no 0/o, 1/i/l, which people confuse when they read aloud."""

_ID_TRIES = 8


@dataclass(frozen=True)
class Proposed:
    """What is stored when an operation is proposed."""

    origin: str
    plan: Plan
    room: Room
    thread: str | None
    at: datetime


@dataclass(frozen=True)
class OpenOperation:
    """An operation that has not ended: as much of it as tells what time alone does to it."""

    id: str
    state: OperationState
    expires_at: datetime


class OperationRepository:
    """Reads and changes operations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, proposed: Proposed) -> Operation:
        """Store a proposal; for an origin that proposed before, the operation of then is returned."""
        async with self._database.writing() as connection:
            known = await connection.execute(
                sa.select(operation.c.id).where(operation.c.origin == proposed.origin)
            )
            operation_id = known.scalar()
            if operation_id is None:
                operation_id = await self._insert(connection, proposed)
            return await _load(connection, operation_id)

    async def _insert(self, connection: AsyncConnection, proposed: Proposed) -> str:
        plan = proposed.plan
        operation_id = await _fresh_id(connection)
        await connection.execute(
            operation.insert().values(
                id=operation_id,
                origin=proposed.origin,
                kind=plan.kind,
                state=OperationState.PROPOSED,
                plan=canonical_json(plan),
                digest=plan.digest,
                requester=plan.requester,
                platform=proposed.room.platform,
                room=proposed.room.id,
                thread=proposed.thread,
                created_at=proposed.at,
                expires_at=plan.expires_at,
            )
        )
        await append(
            connection,
            AuditEntry(
                key=f"{operation_id}:proposed",
                at=proposed.at,
                actor=plan.requester,
                action="proposed",
                operation_id=operation_id,
                detail=(("digest", plan.digest), ("summary", plan.summary), ("steps", len(plan.steps))),
            ),
        )
        return operation_id

    async def find(self, operation_id: str) -> Operation | None:
        """One operation, with its votes and step reports; None if there is no such id."""
        async with self._database.reading() as connection:
            rows = await _select(connection, sa.select(operation).where(operation.c.id == operation_id))
        return rows[0] if rows else None

    async def get(self, operation_id: str) -> Operation:
        """One operation that is known to exist.

        Raises:
            LookupError: it does not, which is a fault of Slipway's own.
        """
        found = await self.find(operation_id)
        if found is None:
            raise LookupError(f"operation {operation_id} is not in the database")
        return found

    async def by_origin(self, origin: str) -> Operation | None:
        """The operation that this event asked for, if it did."""
        async with self._database.reading() as connection:
            rows = await _select(connection, sa.select(operation).where(operation.c.origin == origin))
        return rows[0] if rows else None

    async def noted(self, key: str) -> bool:
        """Whether the audit trail has an entry with this key."""
        async with self._database.reading() as connection:
            found = await connection.scalar(sa.select(audit.c.number).where(audit.c.key == key))
        return found is not None

    async def in_states(self, states: Sequence[OperationState]) -> tuple[Operation, ...]:
        """All operations in one of these states, oldest first."""
        query = sa.select(operation).where(operation.c.state.in_(states)).order_by(operation.c.created_at)
        async with self._database.reading() as connection:
            return await _select(connection, query)

    async def open_ones(self) -> tuple[OpenOperation, ...]:
        """All operations that have not ended, oldest first, without their plans: those can be very long."""
        query = (
            sa.select(operation.c.id, operation.c.state, operation.c.expires_at)
            .where(operation.c.state.in_(OPEN))
            .order_by(operation.c.created_at)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(OpenOperation(row.id, OperationState(row.state), row.expires_at) for row in rows)

    async def recent(self, limit: int) -> tuple[Operation, ...]:
        """The newest operations, newest first."""
        query = sa.select(operation).order_by(operation.c.created_at.desc()).limit(limit)
        async with self._database.reading() as connection:
            return await _select(connection, query)

    async def rolled_back(self) -> tuple[Pin, ...]:
        """The versions that roll-backs took back, and that no promotion has named since.

        A roll-back counts from its approval on, and also if it failed: people agreed that the version is bad,
        and the flag may have been set all the same.
        """
        begun = (OperationState.APPROVED, OperationState.RUNNING, OperationState.FAILED)
        query = (
            sa.select(operation.c.plan)
            .where(
                sa.or_(
                    operation.c.kind.in_((OperationKind.ROLLBACK, OperationKind.PROMOTE))
                    & (operation.c.state == OperationState.DONE),
                    (operation.c.kind == OperationKind.ROLLBACK) & operation.c.state.in_(begun),
                )
            )
            .order_by(operation.c.ended_at.nulls_last())
        )
        back: dict[Pin, None] = {}
        async with self._database.reading() as connection:
            for text in (await connection.execute(query)).scalars():
                for step in Plan.model_validate_json(text).steps:
                    if isinstance(step, SetExcluded):
                        pin = Pin(definition=step.definition, version=step.version)
                        if step.excluded:
                            back[pin] = None
                        else:
                            back.pop(pin, None)
        return tuple(back)

    async def ids(self) -> tuple[str, ...]:
        """The ids of the newest thousand operations, for suggesting the one somebody meant."""
        query = sa.select(operation.c.id).order_by(operation.c.created_at.desc()).limit(1000)
        async with self._database.reading() as connection:
            return tuple((await connection.execute(query)).scalars())

    async def move(
        self,
        operation_id: str,
        *,
        expected: OperationState,
        to: OperationState,
        entry: AuditEntry,
        outcome: Outcome | None = None,
        cancelled_by: str | None = None,
    ) -> bool:
        """Compare and set the state. False, with nothing changed or recorded, if it was another by now."""
        values: dict[str, Any] = {"state": to}
        if to.ended:
            values["ended_at"] = entry.at
        if outcome is not None:
            values["outcome"] = canonical_json(outcome)
        if cancelled_by is not None:
            values["cancelled_by"] = cancelled_by
        statement = (
            operation.update()
            .where(operation.c.id == operation_id, operation.c.state == expected)
            .values(values)
        )
        async with self._database.writing() as connection:
            if not (await connection.execute(statement)).rowcount:
                return False
            await append(connection, entry)
        return True

    async def record_vote(self, operation_id: str, given: Vote, entry: AuditEntry) -> Operation | None:
        """Record a vote while the operation is proposed, replacing the person's former one.

        Saying the same again leaves the first vote: taking that one back takes the vote back, even where a
        platform delivered it twice. Returns the operation with all votes, or None if it was no longer proposed.
        """
        async with self._database.writing() as connection:
            state = await connection.scalar(
                sa.select(operation.c.state).where(operation.c.id == operation_id)
            )
            if state != OperationState.PROPOSED:
                return None
            theirs = (vote.c.operation_id == operation_id) & (vote.c.person == given.person)
            if await connection.scalar(sa.select(vote.c.choice).where(theirs)) != given.choice:
                await connection.execute(vote.delete().where(theirs))
                await connection.execute(
                    vote.insert().values(operation_id=operation_id, **given.model_dump())
                )
            await append(connection, entry)
            return await _load(connection, operation_id)

    async def withdraw(self, event: str, entry: AuditEntry) -> str | None:
        """Take the vote of this event back while its operation is proposed; the operation's id, or None."""
        counted = (
            sa.select(vote.c.operation_id)
            .join(operation)
            .where(
                vote.c.event == event,
                vote.c.person == entry.actor,
                operation.c.state == OperationState.PROPOSED,
            )
        )
        async with self._database.writing() as connection:
            operation_id = await connection.scalar(counted)
            if operation_id is not None:
                await connection.execute(vote.delete().where(vote.c.event == event))
                await append(connection, replace(entry, operation_id=operation_id))
            return operation_id

    async def ask_to_stop(self, operation_id: str, entry: AuditEntry) -> bool:
        """Note that a running operation should stop before its next step; False if it does not run."""
        statement = (
            operation.update()
            .where(
                operation.c.id == operation_id,
                operation.c.state.in_((OperationState.APPROVED, OperationState.RUNNING)),
                operation.c.cancelled_by.is_(None),
            )
            .values(cancelled_by=entry.actor)
        )
        async with self._database.writing() as connection:
            if not (await connection.execute(statement)).rowcount:
                return False
            await append(connection, entry)
        return True

    async def note(self, entry: AuditEntry) -> None:
        """Record something that changes no operation's state."""
        async with self._database.writing() as connection:
            await append(connection, entry)

    async def step_report(self, operation_id: str, number: int) -> StepReport | None:
        """How a step ended; None for one that has not."""
        query = sa.select(step_report.c.report).where(
            step_report.c.operation_id == operation_id, step_report.c.number == number
        )
        async with self._database.reading() as connection:
            text = await connection.scalar(query)
        return None if text is None else StepReport.model_validate_json(text)

    async def asked_to_stop(self, operation_id: str) -> bool:
        """Whether somebody asked the operation to stop."""
        query = sa.select(operation.c.cancelled_by).where(operation.c.id == operation_id)
        async with self._database.reading() as connection:
            return await connection.scalar(query) is not None

    async def report(self, operation_id: str, report: StepReport, entry: AuditEntry) -> None:
        """Store how a step ended, with its audit entry; a step has one end."""
        async with self._database.writing() as connection:
            await connection.execute(
                step_report.insert().values(
                    operation_id=operation_id, number=report.number, report=canonical_json(report)
                )
            )
            await append(connection, entry)


async def _fresh_id(connection: AsyncConnection) -> str:
    for attempt in range(_ID_TRIES):
        length = 4 + attempt // 4
        candidate = "op-" + "".join(secrets.choice(_LETTERS) for _ in range(length))
        taken = await connection.scalar(sa.select(operation.c.id).where(operation.c.id == candidate))
        if taken is None:
            return candidate
    raise RuntimeError("no free operation id was found")


async def _load(connection: AsyncConnection, operation_id: str) -> Operation:
    return (await _select(connection, sa.select(operation).where(operation.c.id == operation_id)))[0]


async def _select(connection: AsyncConnection, query: sa.Select[tuple[Any, ...]]) -> tuple[Operation, ...]:
    rows = (await connection.execute(query)).mappings().all()
    ids = [row["id"] for row in rows]
    votes: dict[str, list[Vote]] = {}
    for row in (
        await connection.execute(sa.select(vote).where(vote.c.operation_id.in_(ids)).order_by(vote.c.at))
    ).mappings():
        given = Vote(
            person=row["person"],
            choice=Choice(row["choice"]),
            reason=row["reason"],
            at=row["at"],
            event=row["event"],
        )
        votes.setdefault(row["operation_id"], []).append(given)
    reports: dict[str, list[StepReport]] = {}
    for row in (
        await connection.execute(
            sa.select(step_report).where(step_report.c.operation_id.in_(ids)).order_by(step_report.c.number)
        )
    ).mappings():
        reports.setdefault(row["operation_id"], []).append(StepReport.model_validate_json(row["report"]))
    return tuple(
        _operation(row, tuple(votes.get(row["id"], ())), tuple(reports.get(row["id"], ()))) for row in rows
    )


def _operation(row: Mapping[str, Any], votes: tuple[Vote, ...], reports: tuple[StepReport, ...]) -> Operation:
    return Operation(
        id=row["id"],
        kind=OperationKind(row["kind"]),
        state=OperationState(row["state"]),
        plan=Plan.model_validate_json(row["plan"]),
        digest=row["digest"],
        requester=row["requester"],
        room=Room(platform=Platform(row["platform"]), id=row["room"]),
        thread=row["thread"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        ended_at=row["ended_at"],
        votes=votes,
        reports=reports,
        outcome=Outcome.model_validate_json(row["outcome"]) if row["outcome"] else None,
        cancelled_by=row["cancelled_by"],
    )
