"""Rows of the database read as operations, with their votes and step reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.model import Choice, Platform, Room
from slipway.bot.operations.model import Operation, OperationState, Plan, StepReport, Vote
from slipway.bot.operations.persistence.stored import made_unknown, read_outcome, read_plan, read_report
from slipway.bot.operations.registry import SubjectRegistry
from slipway.bot.store.tables import step_report, vote


class OperationRows:
    """Reads operations.

    Args:
        registry: the kinds that are known; operations of others are given as what they are.
    """

    def __init__(self, registry: SubjectRegistry) -> None:
        self._registry = registry

    async def select(
        self, connection: AsyncConnection, query: sa.Select[tuple[Any, ...]]
    ) -> tuple[Operation, ...]:
        """The operations that a query of the table finds, in its order."""
        rows = (await connection.execute(query)).mappings().all()
        ids = [row["id"] for row in rows]
        votes = await _votes_of(connection, ids)
        reports = await step_reports(connection, ids)
        return tuple(
            self._operation(row, votes.get(row["id"], _Votes()), tuple(reports.get(row["id"], ())))
            for row in rows
        )

    def plan(self, row: Mapping[str, Any] | sa.RowMapping) -> Plan:
        """The plan of an operation's row."""
        return read_plan(
            row["plan"],
            self._registry,
            kind=row["kind"],
            requester=row["requester"],
            expires_at=row["expires_at"],
        )

    def _operation(self, row: Mapping[str, Any], votes: _Votes, reports: tuple[StepReport, ...]) -> Operation:
        plan = self.plan(row)
        if votes.unknown and not plan.unknown:
            plan = made_unknown(plan, f"does not know what the vote “{votes.unknown}” means")
        return Operation(
            id=row["id"],
            event_key=row["event_key"],
            kind=row["kind"],
            state=OperationState(row["state"]),
            plan=plan,
            digest=row["digest"],
            requester=row["requester"],
            room=Room(platform=Platform(row["platform"]), id=row["room"]) if row["platform"] else None,
            thread=row["thread"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            ended_at=row["ended_at"],
            votes=tuple(votes.known),
            reports=reports,
            outcome=read_outcome(row["outcome"]) if row["outcome"] is not None else None,
            cancelled_by=row["cancelled_by"],
            doubt=row["doubt"],
        )


@dataclass
class _Votes:
    """The votes on one operation, and the word of one that only another version of Slipway knows."""

    known: list[Vote] = field(default_factory=list)
    unknown: str = ""


async def _votes_of(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, _Votes]:
    query = sa.select(vote).where(vote.c.operation_id.in_(ids)).order_by(vote.c.sequence)
    votes: dict[str, _Votes] = {}
    for row in (await connection.execute(query)).mappings():
        found = votes.setdefault(row["operation_id"], _Votes())
        if row["choice"] not in tuple(Choice):
            found.unknown = row["choice"]
            continue
        given = Vote(
            person=row["person"],
            choice=Choice(row["choice"]),
            reason=row["reason"],
            at=row["at"],
            event_key=row["event_key"],
            doubt=row["doubt"],
            stepped_up=row["stepped_up"],
        )
        found.known.append(given)
    return votes


async def step_reports(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, list[StepReport]]:
    """The reports of these operations' steps, by operation, in the order of the steps."""
    query = sa.select(step_report).where(step_report.c.operation_id.in_(ids)).order_by(step_report.c.number)
    reports: dict[str, list[StepReport]] = {}
    for row in (await connection.execute(query)).mappings():
        reports.setdefault(row["operation_id"], []).append(read_report(row["report"], row["number"]))
    return reports
