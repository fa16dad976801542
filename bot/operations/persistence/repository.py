"""Operations in the database. Each change of state is one compare-and-set, with its audit entries in the same
transaction: either all are there or none."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.model import Platform, Room
from slipway.bot.core.measuring.meter import UNMETERED, Meter
from slipway.bot.core.model import canonical_json
from slipway.bot.core.uptime import Moment
from slipway.bot.operations.audit import AuditEntry, AuditKey, StepPhase, append, is_noted
from slipway.bot.operations.locking.store import let_go
from slipway.bot.operations.model import (
    OPEN,
    Operation,
    OperationState,
    Outcome,
    Plan,
    StepReport,
    Vote,
    step_token,
)
from slipway.bot.operations.persistence.ballots import withdrawn_votes
from slipway.bot.operations.persistence.changes import Move, OperationChange, StepChange
from slipway.bot.operations.persistence.details import noted_decision, uptime_in
from slipway.bot.operations.persistence.proposals import NOWHERE, ProposalWriter
from slipway.bot.operations.persistence.records import (
    OpenOperation,
    PastChange,
    Proposal,
    StepStatus,
    UnknownOperationError,
)
from slipway.bot.operations.persistence.rows import OperationRows
from slipway.bot.operations.persistence.stored import read_report
from slipway.bot.operations.persistence.tally import OperationTally
from slipway.bot.operations.registry import SubjectRegistry
from slipway.bot.operations.runs.integrity import contradiction, keys_of
from slipway.bot.store.database import Database
from slipway.bot.store.tables import (
    audit,
    message,
    operation,
    operation_target,
    step_report,
    target_end,
    vote,
)

log = structlog.get_logger(__name__)

T = TypeVar("T")


class OperationRepository:
    """Reads and changes operations.

    Args:
        database: where they are.
        registry: the kinds that are known; operations of others are given as what they are.
        meter: is told what became of operations.
    """

    def __init__(self, database: Database, registry: SubjectRegistry, meter: Meter = UNMETERED) -> None:
        self._tally = OperationTally(meter)
        self._database = database
        self._registry = registry
        self._rows = OperationRows(registry)
        self._proposals = ProposalWriter(registry, self._rows)

    async def create(self, proposed: Proposal) -> Operation:
        """Store a proposal, and return its operation.

        For an event that proposed before, it is the operation of then; and where one that has not ended would change
        the same, whoever asked for that, it is that one: its event is another.
        """

        async def store(connection: AsyncConnection) -> Operation:
            return await self._load(connection, await self._proposals.store(connection, proposed))

        found = await self._database.write(store)
        self._tally.proposed(found, proposed.event_key, proposed.at)
        return found

    async def find(self, operation_id: str) -> Operation | None:
        """One operation, with its votes and step reports; None if there is no such id."""
        async with self._database.reading() as connection:
            rows = await self._rows.select(
                connection, sa.select(operation).where(operation.c.id == operation_id)
            )
        return rows[0] if rows else None

    async def exists(self, operation_id: str) -> bool:
        """Whether there is an operation of this id."""
        async with self._database.reading() as connection:
            query = sa.select(operation.c.id).where(operation.c.id == operation_id)
            return await connection.scalar(query) is not None

    async def get(self, operation_id: str) -> Operation:
        """One operation that is known to exist.

        Raises:
            UnknownOperationError: it does not, which is a fault of Slipway's own.
        """
        found = await self.find(operation_id)
        if found is None:
            raise UnknownOperationError(operation_id)
        return found

    async def by_event_key(self, event_key: str) -> Operation | None:
        """The operation that this event asked for, if it did."""
        async with self._database.reading() as connection:
            rows = await self._rows.select(
                connection, sa.select(operation).where(operation.c.event_key == event_key)
            )
        return rows[0] if rows else None

    async def in_states(self, states: Sequence[OperationState]) -> tuple[Operation, ...]:
        """All operations in one of these states, oldest first."""
        query = sa.select(operation).where(operation.c.state.in_(states)).order_by(operation.c.sequence)
        async with self._database.reading() as connection:
            return await self._rows.select(connection, query)

    async def open_ones(self) -> tuple[OpenOperation, ...]:
        """All operations that have not ended, oldest first, without their plans: those can be very long."""
        query = (
            sa.select(
                *(operation.c[name] for name in ("id", "kind", "state", "created_at", "expires_at")),
            )
            .where(operation.c.state.in_(OPEN))
            .order_by(operation.c.sequence)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(
            OpenOperation(row.id, row.kind, OperationState(row.state), row.created_at, row.expires_at)
            for row in rows
        )

    async def untold(self, since: datetime) -> tuple[str, ...]:
        """Ids of the operations that ended since then and should be told of in a room, and never were.

        Whoever takes back what they asked for before it began sees that on its card alone.
        """
        ends = [state for state in OperationState if state.ended and state is not OperationState.UNKNOWN]
        own = (operation.c.state == OperationState.CANCELLED) & (
            operation.c.cancelled_by == operation.c.requester
        )
        begun = sa.exists().where(audit.c.key == operation.c.id + ":started")
        said = sa.exists().where(message.c.key == operation.c.id + ":report")
        query = (
            sa.select(operation.c.id)
            .where(operation.c.state.in_(ends), operation.c.ended_at >= since, operation.c.room != NOWHERE)
            .where(~said, ~own | begun)
        )
        async with self._database.reading() as connection:
            return tuple((await connection.execute(query)).scalars())

    async def rooms_of(self, states: Sequence[OperationState]) -> tuple[Room, ...]:
        """The rooms in which operations in one of these states are told."""
        here = operation.c.state.in_(states) & (operation.c.room != NOWHERE)
        query = sa.select(operation.c.platform, operation.c.room).where(here).distinct()
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(Room(platform=Platform(row.platform), id=row.room) for row in rows)

    async def told_in(
        self, rooms: Collection[Room], states: Sequence[OperationState], ended_since: datetime
    ) -> tuple[Operation, ...]:
        """The operations that are told in one of these rooms, and are in one of these states or ended since then."""
        wanted = [(each.platform, each.id) for each in rooms]
        here = sa.tuple_(operation.c.platform, operation.c.room).in_(wanted)
        there = operation.c.state.in_(states) | (operation.c.ended_at >= ended_since)
        query = sa.select(operation).where(here, there).order_by(operation.c.sequence)
        async with self._database.reading() as connection:
            return await self._rows.select(connection, query)

    async def recent(self, limit: int) -> tuple[Operation, ...]:
        """The newest operations, newest first."""
        query = sa.select(operation).order_by(operation.c.sequence.desc()).limit(limit)
        async with self._database.reading() as connection:
            return await self._rows.select(connection, query)

    async def about(self, target: str, limit: int) -> tuple[Operation, ...]:
        """The newest operations that change this, as the steps' declarations name it, newest first."""
        about = sa.select(operation_target.c.operation_id).where(operation_target.c.target == target)
        query = sa.select(operation).where(operation.c.id.in_(about))
        async with self._database.reading() as connection:
            return await self._rows.select(
                connection, query.order_by(operation.c.sequence.desc()).limit(limit)
            )

    async def past(
        self, kinds: Collection[str], states: Collection[OperationState], targets: Collection[str]
    ) -> tuple[PastChange, ...]:
        """What operations of these kinds last did to these targets, in the order in which they ended, open ones last.

        Of those that ended, the last one of each kind, state and target: reads no plan, and costs the same however
        often a thing was changed. They are noted where they are ``done`` or ``failed``; in other ends nothing is.

        Args:
            kinds: kinds of operation.
            states: where they are.
            targets: what they change, as the steps' declarations name it.
        """
        ended = sa.select(target_end).where(
            target_end.c.target.in_(targets), target_end.c.kind.in_(kinds), target_end.c.state.in_(states)
        )
        still_open = (
            sa.select(operation_target.c.target, operation.c.kind, operation.c.state, operation.c.id)
            .select_from(operation.join(operation_target))
            .where(
                operation.c.state.in_([state for state in states if not state.ended]),
                operation.c.kind.in_(kinds),
                operation_target.c.target.in_(targets),
            )
            .order_by(operation.c.sequence)
        )
        async with self._database.reading() as connection:
            over = (await connection.execute(ended.order_by(target_end.c.number))).all()
            under_way = (await connection.execute(still_open)).all()
        return (
            *(PastChange(row.target, row.kind, OperationState(row.state), row.times) for row in over),
            *(PastChange(row.target, row.kind, OperationState(row.state), 1, row.id) for row in under_way),
        )

    async def ids(self) -> tuple[str, ...]:
        """The ids of the newest hundred operations, for suggesting the one somebody meant: comparing more is felt."""
        query = sa.select(operation.c.id).order_by(operation.c.sequence.desc()).limit(100)
        async with self._database.reading() as connection:
            return tuple((await connection.execute(query)).scalars())

    async def change(self, operation_id: str, work: Callable[[OperationChange], Awaitable[T]]) -> T:
        """Do something to an operation as it is now, in a transaction that nobody else's change comes between.

        Raises:
            UnknownOperationError: there is no such operation.
        """

        async def within(connection: AsyncConnection) -> tuple[T, Operation, OperationChange]:
            before = await self._load(connection, operation_id)
            change = OperationChange(connection, before)
            return await work(change), before, change

        result, before, change = await self._database.write(within)
        self._tally.changed(before, change.operation, change.moved_at)
        return result

    async def move(
        self,
        operation_id: str,
        *,
        expected: OperationState,
        to: OperationState,
        entry: AuditEntry,
        also: Sequence[AuditEntry] = (),
        outcome: Outcome | None = None,
        cancelled_by: str | None = None,
    ) -> bool:
        """Compare and set the state. False, with nothing changed or recorded, if it was another by now.

        ``also`` are entries of what begins with the new state.
        """

        async def move(connection: AsyncConnection) -> sa.Row[Any, Any] | None:
            made = await Move.of(connection, to, entry, outcome=outcome, cancelled_by=cancelled_by)
            statement = (
                operation.update()
                .where(operation.c.id == operation_id, operation.c.state == expected)
                .values(made.values)
            )
            if not (await connection.execute(statement)).rowcount:
                return None
            for each in (made.entry, *also):
                await append(connection, each)
            if to.ended:
                await let_go(connection, operation_id)
            which = sa.select(operation.c.kind, operation.c.created_at).where(operation.c.id == operation_id)
            return (await connection.execute(which)).one()

        moved = await self._database.write(move)
        if moved is None:
            return False
        self._tally.moved(operation_id, moved.kind, to)
        if to is OperationState.EXPIRED:  # else nobody was waited for
            self._tally.decided(moved.kind, to, moved.created_at, entry.at)
        return True

    async def voted_on(self, event_key: str, person: str) -> str | None:
        """The operation on which a person voted by this event, also if they took that back since; None for none."""
        voted = sa.select(vote.c.operation_id).where(vote.c.event_key == event_key, vote.c.person == person)
        taken_back = sa.select(audit.c.operation_id).where(
            audit.c.key == AuditKey.of_withdrawal(event_key), audit.c.actor == person
        )
        async with self._database.reading() as connection:
            found: str | None = await connection.scalar(voted.union_all(taken_back).limit(1))
        return found

    async def withdrawn_votes(self, operation_id: str) -> tuple[Vote, ...]:
        """The votes on an operation that were taken back, each at the time at which that was."""
        async with self._database.reading() as connection:
            return await withdrawn_votes(connection, operation_id)

    async def examined(self, operation_id: str) -> tuple[Operation, str]:
        """An operation that is known to exist, and what of it does not fit its plan's digest or its audit entries, as
        a sentence; empty for nothing. Both as they were at one moment.

        Raises:
            UnknownOperationError: there is no such operation.
        """
        row = sa.select(operation).where(operation.c.id == operation_id)
        entries = sa.select(audit.c.key, audit.c.action, audit.c.actor, audit.c.detail)
        async with self._database.reading() as connection:
            rows = await self._rows.select(connection, row)
            if not rows:
                raise UnknownOperationError(operation_id)
            text = await connection.scalar(row.with_only_columns(operation.c.plan))
            kept = (await connection.execute(entries.where(audit.c.key.in_(keys_of(rows[0]))))).all()
        noted = {each.key: noted_decision(each.action, each.actor, each.detail) for each in kept}
        return rows[0], contradiction(rows[0], hashlib.sha256(str(text).encode()).hexdigest(), noted)

    async def note(self, entry: AuditEntry) -> None:
        """Record something that changes no operation's state."""
        await self._database.write(lambda connection: append(connection, entry))

    async def plan(self, operation_id: str) -> Plan:
        """An operation's plan alone: it never changes.

        Raises:
            UnknownOperationError: there is no such operation.
        """
        query = sa.select(operation).where(operation.c.id == operation_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise UnknownOperationError(operation_id)
        return self._rows.plan(row)

    async def step_status(self, operation_id: str, number: int) -> StepStatus:
        """How a step stands, without the plan: that can have thousands of steps."""
        own = (step_report.c.operation_id == operation.c.id) & (step_report.c.number == number)
        begun = audit.c.key == AuditKey.of_step(operation_id, number, StepPhase.BEGUN)
        query = (
            sa.select(
                *(
                    operation.c.cancelled_by,
                    operation.c.state,
                    operation.c.digest,
                    step_report.c.report,
                    audit.c.at,
                    audit.c.detail,
                )
            )
            .select_from(operation.outerjoin(step_report, own).outerjoin(audit, begun))
            .where(operation.c.id == operation_id)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one()
        report = None if row.report is None else read_report(row.report, number)
        token = step_token(operation_id, row.digest, number)
        begun_at = None if row.at is None else Moment(row.at, uptime_in(row.detail))
        to_stop = row.cancelled_by is not None or OperationState(row.state).ended
        return StepStatus(report, to_stop, token, begun_at)

    async def step_begun(self, operation_id: str, number: int) -> bool:
        """Whether a step was begun, as far as the audit trail tells: nothing is done before it is noted."""
        async with self._database.reading() as connection:
            return await is_noted(connection, AuditKey.of_step(operation_id, number, StepPhase.BEGUN))

    async def step_stands(self, operation_id: str, number: int) -> bool:
        """Whether a step stands still that was noted as begun, and so was not: a process stopped before it."""
        standing, resumed = (
            AuditKey.of_step(operation_id, number, phase) for phase in (StepPhase.STANDING, StepPhase.RESUMED)
        )
        async with self._database.reading() as connection:
            return await is_noted(connection, standing) and not await is_noted(connection, resumed)

    async def report_step(
        self,
        operation_id: str,
        report: StepReport,
        entry: AuditEntry,
        then: Callable[[StepChange], Awaitable[T]],
    ) -> T:
        """Store how a step ended, with its audit entry; and, in the same transaction, what follows from it."""

        async def store(connection: AsyncConnection) -> tuple[T, StepChange]:
            await connection.execute(
                step_report.insert().values(
                    operation_id=operation_id, number=report.number, report=canonical_json(report)
                )
            )
            await append(connection, entry)
            cancelled_by = await connection.scalar(
                sa.select(operation.c.cancelled_by).where(operation.c.id == operation_id)
            )
            change = StepChange(connection, operation_id, cancelled_by)
            return await then(change), change

        result, change = await self._database.write(store)
        if change.ended is not None:
            self._tally.moved(operation_id, *change.ended)
        return result

    async def _load(self, connection: AsyncConnection, operation_id: str) -> Operation:
        found = await self._rows.select(
            connection, sa.select(operation).where(operation.c.id == operation_id)
        )
        if not found:
            raise UnknownOperationError(operation_id)
        return found[0]
