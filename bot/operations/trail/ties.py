"""What the other tables say of the audit trail: an entry that is missing contradicts something.

Each check is one query, which asks by an index, so that a trail of years is compared in a second or so. They ask
only for what every version of Slipway wrote, and pass over states and words that this one does not know.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.model import Choice
from slipway.bot.core.chain import Place
from slipway.bot.operations.model import OPEN, OperationState
from slipway.bot.store.tables import audit, audit_head, operation, step_report, vote

MOST_FOUND = 50
"""So many contradictions of a kind are looked for: one is enough to say that the trail does not hold."""

PLANS_AT_ONCE = 500

GUARDS = ("audit_no_update", "audit_no_delete", "audit_no_replace", "audit_counted")
"""The triggers that keep the table append-only, and count it; see the migrations 0001 and 0004."""

_ENDS = tuple(state.value for state in OperationState if state not in (*OPEN, OperationState.UNKNOWN))

_VOTES = {Choice.APPROVE.value: "approval", Choice.REJECT.value: "rejection"}
"""What an entry says of a vote, by the choice that the table has."""


async def contradictions(connection: AsyncConnection, place: Place) -> list[str]:
    """Whatever contradicts a trail that ends at this place, as clauses for people; empty if nothing does."""
    found = [each async for each in _length(connection, place)]
    for check in (_proposals, _states, _ends, _stops, _votes, _votes_entered, _reports, _reports_entered):
        found += [each async for each in check(connection)]
    found += [each async for each in _plans(connection)]
    found += [each async for each in _guards(connection)]
    return found


async def _length(connection: AsyncConnection, place: Place) -> AsyncIterator[str]:
    counted = (await connection.execute(sa.select(audit_head.c.entries, audit_head.c.head))).first()
    if counted is None:
        yield "the count of its entries is gone"
    elif counted.entries != place.entries:
        yield f"it has {place.entries} entries, and {counted.entries} were written"
    elif counted.head != place.head:
        yield "its newest entry is another one than was written"


async def _proposals(connection: AsyncConnection) -> AsyncIterator[str]:
    entry = audit.alias()
    query = (
        sa.select(operation.c.id, entry.c.number)
        .select_from(operation.outerjoin(entry, entry.c.key == operation.c.id + ":proposed"))
        .where(
            sa.or_(
                entry.c.number.is_(None),
                entry.c.actor != operation.c.requester,
                _text(entry.c.at) != _text(operation.c.created_at),
                _field(entry.c.detail, "digest").is_distinct_from(operation.c.digest),
            )
        )
    )
    async for row in _some(connection, query):
        if row.number is None:
            yield f"no entry says that {row.id} was proposed"
        else:
            yield f"entry {row.number} proposes another {row.id} than the table has"


async def _states(connection: AsyncConnection) -> AsyncIterator[str]:
    action = sa.case((operation.c.state == OperationState.RUNNING, "started"), else_=operation.c.state)
    entered = (
        sa.select(audit.c.number)
        .where(
            audit.c.operation_id == operation.c.id,
            audit.c.action == action,
            sa.or_(operation.c.state.in_(OPEN), _text(audit.c.at) == _text(operation.c.ended_at)),
        )
        .exists()
    )
    known = (OperationState.APPROVED, OperationState.RUNNING, *_ENDS)
    query = sa.select(operation.c.id, operation.c.state).where(operation.c.state.in_(known), ~entered)
    async for row in _some(connection, query):
        yield f"no entry says that {row.id} is {row.state}, as the table does"


async def _ends(connection: AsyncConnection) -> AsyncIterator[str]:
    query = (
        sa.select(audit.c.number, audit.c.action, audit.c.operation_id, operation.c.state)
        .select_from(audit.outerjoin(operation, operation.c.id == audit.c.operation_id))
        .where(
            audit.c.operation_id.is_not(None),
            audit.c.action.in_(("proposed", *_ENDS)),
            sa.or_(
                operation.c.id.is_(None),
                sa.and_(audit.c.action != "proposed", audit.c.action != operation.c.state),
            ),
        )
    )
    async for row in _some(connection, query):
        has = "the table has no such operation" if row.state is None else f"the table has it as {row.state}"
        yield f"entry {row.number} says that {row.operation_id} was {row.action}, and {has}"


async def _stops(connection: AsyncConnection) -> AsyncIterator[str]:
    entered = (
        sa.select(audit.c.number)
        .where(
            audit.c.operation_id == operation.c.id,
            audit.c.actor == operation.c.cancelled_by,
            audit.c.action.in_(("cancelled", "asked to stop")),
        )
        .exists()
    )
    query = sa.select(operation.c.id).where(operation.c.cancelled_by.is_not(None), ~entered)
    async for row in _some(connection, query):
        yield f"no entry says that somebody stopped {row.id}, as the table does"


async def _votes(connection: AsyncConnection) -> AsyncIterator[str]:
    entry = audit.alias()
    said = sa.case(
        *((vote.c.choice == choice, action) for choice, action in _VOTES.items()), else_=entry.c.action
    )
    key = vote.c.operation_id + ":vote:" + vote.c.event_key
    query = (
        sa.select(vote.c.operation_id, vote.c.person, entry.c.number)
        .select_from(vote.outerjoin(entry, entry.c.key == key))
        .where(
            sa.or_(
                entry.c.number.is_(None),
                entry.c.actor != vote.c.person,
                entry.c.action != said,
                _text(entry.c.at) != _text(vote.c.at),
                _field(entry.c.detail, "reason").is_distinct_from(vote.c.reason),
            )
        )
    )
    async for row in _some(connection, query):
        if row.number is None:
            yield f"no entry holds the vote of {row.person} on {row.operation_id}"
        else:
            yield f"entry {row.number} holds another vote on {row.operation_id} than the table has"


async def _votes_entered(connection: AsyncConnection) -> AsyncIterator[str]:
    withdrawn = audit.alias()
    same = (withdrawn.c.operation_id == audit.c.operation_id) & (withdrawn.c.actor == audit.c.actor)
    taken_back = (
        sa.select(withdrawn.c.number).where(same, withdrawn.c.action == "approval withdrawn").exists()
    )
    kept = (
        sa.select(vote.c.person)
        .where(vote.c.operation_id == audit.c.operation_id, vote.c.person == audit.c.actor)
        .exists()
    )
    query = sa.select(audit.c.number, audit.c.actor, audit.c.operation_id).where(
        audit.c.operation_id.is_not(None), audit.c.action.in_(tuple(_VOTES.values())), ~kept, ~taken_back
    )
    async for row in _some(connection, query):
        yield f"the vote of {row.actor} on {row.operation_id} is gone, which entry {row.number} holds"


_STEP_ENDS = ("done", "failed", "unknown")
"""How a step ends, as the trail says it: :class:`slipway.bot.operations.audit.StepPhase`."""


async def _reports(connection: AsyncConnection) -> AsyncIterator[str]:
    begin = step_report.c.operation_id + ":step-" + sa.cast(step_report.c.number, sa.Text)
    ends = tuple(begin + f":{phase}" for phase in _STEP_ENDS)
    entered = sa.select(audit.c.number).where(audit.c.key.in_(ends)).exists()
    query = sa.select(step_report.c.operation_id, step_report.c.number).where(~entered)
    async for row in _some(connection, query):
        yield f"no entry says how step {row.number} of {row.operation_id} ended, as the table does"


async def _reports_entered(connection: AsyncConnection) -> AsyncIterator[str]:
    number = sa.cast(sa.func.substr(audit.c.action, len("step-") + 1), sa.Integer)
    own = (step_report.c.operation_id == audit.c.operation_id) & (step_report.c.number == number)
    query = (
        sa.select(audit.c.number, audit.c.action, audit.c.operation_id)
        .select_from(audit.outerjoin(step_report, own))
        .where(
            audit.c.operation_id.is_not(None),
            sa.or_(*(audit.c.action.like(f"step-%:{phase}") for phase in _STEP_ENDS)),
            step_report.c.number.is_(None),
        )
    )
    async for row in _some(connection, query):
        yield f"what entry {row.number} says of {row.operation_id} ({row.action}) the table does not have"


async def _plans(connection: AsyncConnection) -> AsyncIterator[str]:
    last = ""
    while True:
        query = (
            sa.select(operation.c.id, operation.c.plan, operation.c.digest)
            .where(operation.c.id > last)
            .order_by(operation.c.id)
            .limit(PLANS_AT_ONCE)
        )
        rows = (await connection.execute(query)).all()
        if not rows:
            return
        last = rows[-1].id
        for changed in await asyncio.to_thread(_changed, [(row.id, row.plan, row.digest) for row in rows]):
            yield f"the plan of {changed} is not the one that was proposed"


def _changed(plans: list[tuple[str, str, str]]) -> list[str]:
    return [name for name, plan, digest in plans if hashlib.sha256(plan.encode()).hexdigest() != digest]


async def _guards(connection: AsyncConnection) -> AsyncIterator[str]:
    query = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
    there = set((await connection.execute(query)).scalars())
    for missing in (guard for guard in GUARDS if guard not in there):
        yield f"the trigger {missing}, which protects its table, was removed"


async def _some(connection: AsyncConnection, query: sa.Select[Any]) -> AsyncIterator[sa.Row[Any]]:
    for row in await connection.execute(query.limit(MOST_FOUND)):
        yield row


def _text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """A column as it is stored: a time that somebody wrote otherwise is another one."""
    return sa.type_coerce(column, sa.Text)


def _field(column: sa.ColumnElement[str], name: str) -> sa.ColumnElement[str]:
    """A field of JSON text; NULL where it has none or is no JSON, which is no reason to fail."""
    held = sa.func.json_extract(column, f"$.{name}")
    return sa.case((sa.func.json_valid(column) == 1, held), else_=sa.null())
