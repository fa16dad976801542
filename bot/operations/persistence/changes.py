"""What is done to one operation inside a write transaction, with its audit entries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.model import canonical_json
from slipway.bot.operations.audit import AuditEntry, AuditKey, append, is_noted
from slipway.bot.operations.locking.store import let_go
from slipway.bot.operations.model import Operation, OperationState, Outcome, StepReport, Vote
from slipway.bot.operations.persistence.rows import step_reports
from slipway.bot.operations.step_up.store import is_stepped_up
from slipway.bot.store.tables import operation, vote

log = structlog.get_logger(__name__)


class OperationChange:
    """One operation in a write transaction: what is done to it is committed together, or not at all."""

    def __init__(self, connection: AsyncConnection, found: Operation) -> None:
        self._connection = connection
        self.operation = found
        self.moved_at: datetime | None = None

    async def noted(self, *keys: AuditKey) -> bool:
        """Whether the audit trail has an entry with one of these keys."""
        return await is_noted(self._connection, *keys)

    async def stepped_up(self, event_key: str, person: str) -> bool:
        """Whether the event by which somebody approves brought a right code of theirs for this very plan."""
        operation = self.operation
        return await is_stepped_up(self._connection, event_key, person, operation.id, operation.digest)

    async def vote(self, given: Vote, entry: AuditEntry) -> None:
        """Record a vote, replacing the person's former one.

        Saying the same again leaves the first vote: taking that one back takes the vote back, even where a
        platform delivered it twice.
        """
        before = next((each for each in self.operation.votes if each.person == given.person), None)
        same = before is not None and (before.choice, before.stepped_up) == (given.choice, given.stepped_up)
        if not same:
            key = (vote.c.operation_id == self.operation.id) & (vote.c.person == given.person)
            await self._connection.execute(vote.delete().where(key))
            number = await next_number(self._connection, vote.c.sequence, operation_id=self.operation.id)
            entry = entry.with_detail(("sequence", number))
            row = {"operation_id": self.operation.id, "sequence": number, **given.model_dump()}
            await self._connection.execute(vote.insert().values(row))
            others = tuple(each for each in self.operation.votes if each is not before)
            self.operation = self.operation.model_copy(update={"votes": (*others, given)})
        await append(self._connection, entry)

    async def take_back(self, given: Vote, entry: AuditEntry) -> None:
        """Remove a vote."""
        key = (vote.c.operation_id == self.operation.id) & (vote.c.person == given.person)
        await self._connection.execute(vote.delete().where(key))
        await append(self._connection, entry)
        others = tuple(each for each in self.operation.votes if each.person != given.person)
        self.operation = self.operation.model_copy(update={"votes": others})

    async def move(
        self,
        to: OperationState,
        entry: AuditEntry,
        *,
        outcome: Outcome | None = None,
        cancelled_by: str | None = None,
    ) -> None:
        """Set the state."""
        move = await Move.of(self._connection, to, entry, outcome=outcome, cancelled_by=cancelled_by)
        await self._connection.execute(
            operation.update().where(operation.c.id == self.operation.id).values(move.values)
        )
        await append(self._connection, move.entry)
        if to.ended:
            await let_go(self._connection, self.operation.id)
        changes: dict[str, Any] = {"state": to}
        changes |= {"ended_at": entry.at} if to.ended else {}
        changes |= {"outcome": outcome} if outcome is not None else {}
        changes |= {"cancelled_by": cancelled_by} if cancelled_by is not None else {}
        self.operation = self.operation.model_copy(update=changes)
        self.moved_at = entry.at

    async def ask_to_stop(self, entry: AuditEntry) -> None:
        """Note that it should stop before its next step."""
        values = {"cancelled_by": entry.actor}
        await self._connection.execute(
            operation.update().where(operation.c.id == self.operation.id).values(values)
        )
        await append(self._connection, entry)
        self.operation = self.operation.model_copy(update=values)


class StepChange:
    """What follows from a step's end, in the transaction that stores it."""

    def __init__(self, connection: AsyncConnection, operation_id: str, cancelled_by: str | None) -> None:
        self._connection = connection
        self._operation_id = operation_id
        self.cancelled_by = cancelled_by
        self.ended: tuple[str, OperationState] | None = None
        """The operation's kind and how it ended, if it did."""

    async def reports(self) -> tuple[StepReport, ...]:
        """How every step ended so far, this one included."""
        found = await step_reports(self._connection, [self._operation_id])
        return tuple(found.get(self._operation_id, ()))

    async def begin_next(self, entry: AuditEntry) -> None:
        """Note that the next step begins."""
        await append(self._connection, entry)

    async def end(self, state: OperationState, entry: AuditEntry, outcome: Outcome) -> bool:
        """Let the operation end, unless it has ended. False where that could not be stored: the step's report is
        kept all the same, and the end can be stored later."""
        try:
            async with self._connection.begin_nested():
                await self._store_end(state, entry, outcome)
        except sa.exc.DatabaseError:
            log.exception("the end of an operation could not be stored", operation=self._operation_id)
            return False
        return True

    async def _store_end(self, state: OperationState, entry: AuditEntry, outcome: Outcome) -> None:
        move = await Move.of(self._connection, state, entry, outcome=outcome)
        statement = (
            operation.update()
            .where(operation.c.id == self._operation_id, operation.c.state == OperationState.RUNNING)
            .values(move.values)
        )
        if (await self._connection.execute(statement)).rowcount:
            await append(self._connection, move.entry)
            await let_go(self._connection, self._operation_id)
            kind = sa.select(operation.c.kind).where(operation.c.id == self._operation_id)
            self.ended = str(await self._connection.scalar(kind)), state


@dataclass(frozen=True)
class Move:
    """A change of state: the columns that it sets, and its entry, which says all of them that no other one does."""

    values: dict[str, Any]
    entry: AuditEntry

    @classmethod
    async def of(
        cls,
        connection: AsyncConnection,
        to: OperationState,
        entry: AuditEntry,
        *,
        outcome: Outcome | None = None,
        cancelled_by: str | None = None,
    ) -> Move:
        """The change of state that is about to be stored in this write transaction."""
        values: dict[str, Any] = {"state": to}
        if to.ended:
            number = await next_number(connection, operation.c.ended_sequence)
            values |= {"ended_at": entry.at, "ended_sequence": number}
            entry = entry.with_detail(("ended_sequence", number))
        if outcome is not None:
            values["outcome"] = canonical_json(outcome)
        if cancelled_by is not None:
            values["cancelled_by"] = cancelled_by
        return cls(values, entry)


async def next_number(connection: AsyncConnection, column: sa.Column[int], **same: object) -> int:
    """One more than the greatest number in a column, for a row that is stored in this write transaction.

    No two rows get the same one: there is one write transaction at a time.

    Args:
        connection: of the transaction.
        column: of numbers.
        same: columns with the values that the rows have among which it is the greatest; none: all rows.
    """
    among = (column.table.c[name] == value for name, value in same.items())
    greatest = await connection.scalar(sa.select(sa.func.max(column)).where(*among))
    return int(greatest or 0) + 1
