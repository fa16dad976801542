"""What the other tables say of the audit trail: an entry that is missing contradicts something.

Each check is one query, which asks by an index, so that a trail of years is compared in a second or so. They ask
only for what every version of Slipway wrote, and pass over states and words that this one does not know.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.model import Choice
from slipway.bot.core.chain import Place
from slipway.bot.operations.model import OPEN, OperationState
from slipway.bot.operations.trail import guards
from slipway.bot.operations.trail.stored import as_in_json, json_field, step_number, stored_bytes, stored_time
from slipway.bot.store.tables import (
    audit,
    audit_head,
    operation,
    operation_target,
    step_report,
    target_end,
    vote,
)

MOST_FOUND = 50
"""So many contradictions of a kind are looked for: one is enough to say that the trail does not hold."""

PLANS_AT_ONCE = 500

_SECONDS = len("2026-11-20 12:00:00")
"""As much of a time as is compared where one is written with microseconds, and the other as JSON has it."""

_ENDS = tuple(state.value for state in OperationState if state not in (*OPEN, OperationState.UNKNOWN))

_VOTES = {Choice.APPROVE.value: "approval", Choice.REJECT.value: "rejection"}
"""What an entry says of a vote, by the choice that the table has."""


_BY_CODE = "code"
"""What an entry says of a vote that came with a single-use code: :data:`slipway.bot.operations.audit.BY_CODE`."""


async def contradictions(connection: AsyncConnection, place: Place) -> list[str]:
    """Whatever contradicts a trail that ends at this place, as clauses for people; empty if nothing does."""
    found = [each async for each in _length(connection, place)]
    for check in _CHECKS:
        found += [each async for each in check(connection)]
    found += [each async for each in _plans(connection)]
    found += [each async for each in guards.contradictions(connection)]
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
    """When and by whom an operation was proposed; and which event asked for it, where, and as which one in order.

    Entries of before say nothing of the event.
    """
    entry = audit.alias()
    said = {
        "event": operation.c.event_key,
        "platform": operation.c.platform,
        "room": operation.c.room,
        "thread": operation.c.thread,
        "sequence": as_in_json(operation.c.sequence),
    }
    another = sa.or_(
        entry.c.actor != operation.c.requester,
        _text(entry.c.at) != _text(operation.c.created_at),
        _field(entry.c.detail, "digest").is_distinct_from(operation.c.digest),
        sa.func.coalesce(_field(entry.c.detail, "doubt"), "") != operation.c.doubt,
    )
    elsewhere = sa.and_(
        _field(entry.c.detail, "event").is_not(None),
        sa.or_(*(_field(entry.c.detail, name).is_distinct_from(column) for name, column in said.items())),
    )
    query = (
        sa.select(operation.c.id, entry.c.number, another.label("another"), elsewhere.label("elsewhere"))
        .select_from(operation.outerjoin(entry, entry.c.key == operation.c.id + ":proposed"))
        .where(sa.or_(entry.c.number.is_(None), another, elsewhere))
    )
    async for row in _some(connection, query):
        if row.number is None:
            yield f"no entry says that {row.id} was proposed"
            continue
        if row.another:
            yield f"entry {row.number} proposes another {row.id} than the table has"
        if row.elsewhere:
            told = f"entry {row.number} says that {row.id} was asked for"
            yield f"{told} by another event, elsewhere or in another order"


async def _states(connection: AsyncConnection) -> AsyncIterator[str]:
    """That an entry tells an operation's state; and of those that a run ended, with the same words.

    What people did says no more than that they did it. An entry is looked for by its key first, which is quicker.
    """
    action = sa.case((operation.c.state == OperationState.RUNNING, "started"), else_=operation.c.state)
    entry = audit.alias()
    by_another_key = sa.exists().where(_tells(audit, action))
    said = _field(entry.c.detail, "summary")
    otherwise = sa.and_(
        operation.c.state.in_(_ENDS),
        entry.c.actor == "slipway",
        said.is_not(None),
        _field(operation.c.outcome, "summary").is_distinct_from(said),
    )
    untold = sa.and_(~sa.func.coalesce(_tells(entry, action), sa.false()), ~by_another_key)
    known = (OperationState.APPROVED, OperationState.RUNNING, *_ENDS)
    query = (
        sa.select(
            operation.c.id,
            operation.c.state,
            entry.c.number,
            untold.label("untold"),
            otherwise.label("otherwise"),
        )
        .select_from(operation.outerjoin(entry, entry.c.key == operation.c.id + ":" + action))
        .where(operation.c.state.in_(known), sa.or_(untold, otherwise))
    )
    async for row in _some(connection, query):
        if row.untold:
            yield f"no entry says that {row.id} is {row.state}, as the table does"
        if row.otherwise:
            yield f"entry {row.number} tells another end of {row.id} than the table"


def _tells(entry: sa.FromClause, action: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether an entry says that an operation came to the state that the table has."""
    number = _field(entry.c.detail, "ended_sequence")
    same_order = sa.or_(
        number.is_(None), number == as_in_json(operation.c.ended_sequence)
    )  # entries of before say none
    return sa.and_(
        entry.c.operation_id == operation.c.id,
        entry.c.action == action,
        sa.or_(
            sa.and_(operation.c.state.in_(OPEN), operation.c.ended_sequence.is_(None)),
            sa.and_(_text(entry.c.at) == _text(operation.c.ended_at), same_order),
        ),
    )


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


async def _stops_entered(connection: AsyncConnection) -> AsyncIterator[str]:
    by_people = (audit.c.action == "cancelled") & (audit.c.actor != "slipway")
    query = (
        sa.select(audit.c.number, audit.c.operation_id)
        .select_from(audit.join(operation, operation.c.id == audit.c.operation_id))
        .where(
            sa.or_(audit.c.action == "asked to stop", by_people),
            operation.c.cancelled_by.is_distinct_from(audit.c.actor),
        )
    )
    async for row in _some(connection, query):
        yield f"entry {row.number} says that somebody stopped {row.operation_id}, and the table does not"


async def _ends_noted(connection: AsyncConnection) -> AsyncIterator[str]:
    """What is noted of the last ends for one thing is what the operations make of it."""
    started = audit.alias()
    begun = sa.exists().where(started.c.key == operation.c.id + ":started")
    counts = sa.or_(
        operation.c.state.in_([OperationState.DONE, OperationState.FAILED]),
        sa.and_(operation.c.state.in_([OperationState.STALE, OperationState.CANCELLED]), begun),
    )
    columns = (operation_target.c.target, operation.c.kind, operation.c.state)
    newest = sa.func.max(sa.func.coalesce(operation.c.ended_sequence, 0))
    real = (
        sa.select(*columns, newest, sa.func.count())
        .select_from(operation.join(operation_target, operation_target.c.operation_id == operation.c.id))
        .where(counts)
        .group_by(*columns)
    )
    noted = sa.select(
        target_end.c.target, target_end.c.kind, target_end.c.state, target_end.c.number, target_end.c.times
    )
    found, kept = real.cte("found"), noted.cte("kept")  # each is worked out once
    differs = sa.union_all(
        sa.select(sa.except_(sa.select(found), sa.select(kept)).subquery()),
        sa.select(sa.except_(sa.select(kept), sa.select(found)).subquery()),
    ).subquery()
    async for row in _some(connection, sa.select(differs)):
        yield f"what is noted of the last {row.kind} of {row.target} is not what the operations tell"


async def _open_plans(connection: AsyncConnection) -> AsyncIterator[str]:
    """What is said beside the plan of an operation that may still be decided on, and must be as in it."""
    at = sa.func.substr(sa.func.replace(_field(operation.c.plan, "expires_at"), "T", " "), 1, _SECONDS)
    query = sa.select(operation.c.id).where(
        operation.c.state.in_(OPEN),
        sa.or_(
            _field(operation.c.plan, "kind") != operation.c.kind,
            at != sa.func.substr(_text(operation.c.expires_at), 1, _SECONDS),
        ),
    )
    async for row in _some(connection, query):
        yield f"{row.id} is of another kind, or expires at another time, than its plan says"


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
                sa.func.coalesce(_field(entry.c.detail, "doubt"), "") != vote.c.doubt,
                sa.func.coalesce(_field(entry.c.detail, "step_up"), "")
                != sa.case((vote.c.stepped_up, _BY_CODE), else_=""),
                _field(entry.c.detail, "sequence")
                != as_in_json(vote.c.sequence),  # entries of before say none
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
    since = (withdrawn.c.action == "approval withdrawn") & (withdrawn.c.number > audit.c.number)
    taken_back = sa.select(withdrawn.c.number).where(same, since).exists()
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
    begin = step_report.c.operation_id + ":step-" + sa.cast(step_report.c.number, sa.Text) + ":"
    done = _field(step_report.c.report, "done.summary")
    as_done = (audit.c.key == begin + "done") & (_field(audit.c.detail, "summary") == done)
    as_other = audit.c.key.in_(tuple(begin + phase for phase in _STEP_ENDS if phase != "done"))
    entered = sa.select(audit.c.number).where(sa.or_(as_done, as_other & done.is_(None))).exists()
    query = sa.select(step_report.c.operation_id, step_report.c.number).where(~entered)
    async for row in _some(connection, query):
        yield f"no entry says how step {row.number} of {row.operation_id} ended, as the table does"


async def _reports_entered(connection: AsyncConnection) -> AsyncIterator[str]:
    same_step = step_report.c.number == step_number(audit.c.action)
    own = (step_report.c.operation_id == audit.c.operation_id) & same_step
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
    """Hashed as the bytes that are stored, whatever somebody wrote there; what is no text is no plan of Slipway's."""
    held = await connection.stream(
        sa.select(operation.c.id, stored_bytes(operation.c.plan), operation.c.digest)
    )
    async for rows in held.partitions(PLANS_AT_ONCE):
        for changed in await asyncio.to_thread(_changed, rows):
            yield f"the plan of {changed} is not the one that was proposed"


def _changed(plans: Sequence[sa.Row[str, bytes, str]]) -> list[str]:
    return [name for name, plan, digest in plans if hashlib.sha256(plan).hexdigest() != digest]


_CHECKS = (
    _proposals,
    _states,
    _ends,
    _ends_noted,
    _stops,
    _stops_entered,
    _open_plans,
    _votes,
    _votes_entered,
    _reports,
    _reports_entered,
)


async def _some(connection: AsyncConnection, query: sa.Select[Any]) -> AsyncIterator[sa.Row[Any]]:
    for row in await connection.execute(query.limit(MOST_FOUND)):
        yield row


def _text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """A time as it is stored: one that somebody wrote otherwise is another one."""
    return stored_time(column)


def _field(column: sa.ColumnElement[str], name: str) -> sa.ColumnElement[str]:
    """A field of JSON text; NULL where it has none or is no JSON, which is no reason to fail."""
    return json_field(column, name)
