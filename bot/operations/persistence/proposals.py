"""Storing proposals: each event's once, and none beside an open one that would do the same."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.operation_ids import FEWEST, random_operation_id
from slipway.bot.operations.audit import AuditEntry, AuditKey, append, doubted
from slipway.bot.operations.model import OPEN, OperationState
from slipway.bot.operations.persistence.changes import next_number
from slipway.bot.operations.persistence.records import Proposal
from slipway.bot.operations.persistence.rows import OperationRows
from slipway.bot.operations.persistence.stored import write_plan
from slipway.bot.operations.registry import SubjectRegistry
from slipway.bot.store.tables import emergency, operation, operation_target

_ID_TRIES = 8

NOWHERE = ""
"""Stands for platform and room of an operation that is told nowhere."""


class ProposalWriter:
    """Writes proposals as operations, in the caller's transaction.

    Args:
        registry: says what steps touch.
        rows: reads what is there.
    """

    def __init__(self, registry: SubjectRegistry, rows: OperationRows) -> None:
        self._registry = registry
        self._rows = rows

    async def store(self, connection: AsyncConnection, proposed: Proposal) -> str:
        """Store a proposal, unless its event proposed before or an open operation is the same; the operation's id."""
        query = sa.select(operation.c.id).where(operation.c.event_key == proposed.event_key)
        known = await connection.scalar(query) or await self._same(connection, proposed)
        return str(known) if known is not None else await self._insert(connection, proposed)

    async def _same(self, connection: AsyncConnection, proposed: Proposal) -> str | None:
        """An open operation that changes the same things in the same way, and rests on the same facts.

        One that runs changes these facts itself, and has done some of its steps: it is the same if it holds all that
        would be proposed. One that waits for more approvals than this asks for keeps nobody waiting who needs fewer,
        such as the owner of a machine. What makes something new has no targets, and is never the same.
        """
        plan = proposed.plan
        targets = {target for step in plan.steps for target in self._registry.targets(step)}
        if not targets:
            return None
        lasts = (operation.c.state != OperationState.PROPOSED) | (operation.c.expires_at > proposed.at)
        about = sa.select(operation_target.c.operation_id).where(operation_target.c.target == min(targets))
        query = sa.select(operation).where(
            operation.c.kind == plan.kind, operation.c.state.in_(OPEN), operation.c.id.in_(about), lasts
        )
        effects = [step.effect for step in plan.steps]
        for row in (await connection.execute(query.order_by(operation.c.created_at))).mappings():
            found = self._rows.plan(row)
            changes = [step.effect for step in found.steps]
            waits = row["state"] == OperationState.PROPOSED
            if waits and found.policy.needed > plan.policy.needed:
                continue
            if waits and plan.policy.emergency and not found.policy.emergency:
                continue  # what waits for others is what cannot wait
            if row["state"] == OperationState.RUNNING:
                same = set(effects) <= set(changes)
            else:
                same = found.observed == plan.observed and changes == effects
            if same:
                return str(row["id"])
        return None

    async def _insert(self, connection: AsyncConnection, proposed: Proposal) -> str:
        plan = proposed.plan
        operation_id = await _fresh_id(connection)
        sequence = await next_number(connection, operation.c.sequence)
        place = {
            "platform": str(proposed.room.platform) if proposed.room else NOWHERE,
            "room": proposed.room.id if proposed.room else NOWHERE,
            "thread": proposed.thread,
        }
        await connection.execute(
            operation.insert().values(
                id=operation_id,
                event_key=proposed.event_key,
                kind=plan.kind,
                state=OperationState.PROPOSED,
                plan=write_plan(plan),
                digest=plan.digest,
                requester=plan.requester,
                created_at=proposed.at,
                expires_at=plan.expires_at,
                sequence=sequence,
                doubt=proposed.doubt,
                **place,
            )
        )
        targets = {target for step in plan.steps for target in self._registry.targets(step)}
        rows = [{"operation_id": operation_id, "target": target} for target in sorted(targets)]
        if rows:
            await connection.execute(operation_target.insert(), rows)
        reason = plan.policy.emergency
        if reason:
            row = {"operation_id": operation_id, "reason": reason, "at": proposed.at}
            await connection.execute(emergency.insert().values(row))
        await append(
            connection,
            AuditEntry(
                key=AuditKey.of_state(operation_id, OperationState.PROPOSED),
                at=proposed.at,
                actor=plan.requester,
                action="proposed",
                operation_id=operation_id,
                detail=(
                    ("digest", plan.digest),
                    ("summary", plan.summary),
                    ("steps", len(plan.steps)),
                    *doubted(proposed.doubt),
                    *((("emergency", reason),) if reason else ()),
                    ("event", proposed.event_key),
                    *place.items(),
                    ("sequence", sequence),
                ),
            ),
        )
        return operation_id


async def _fresh_id(connection: AsyncConnection) -> str:
    for attempt in range(_ID_TRIES):
        candidate = random_operation_id(FEWEST + attempt // 4)
        taken = await connection.scalar(sa.select(operation.c.id).where(operation.c.id == candidate))
        if taken is None:
            return candidate
    raise RuntimeError("no free operation id was found")
