"""What reports say of operations: what waits for approval, and how those ended that did not wait any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.chat.model import Consequence, Shortcut, Table
from slipway.bot.chat.tables import Row, moment, number, table_of, text
from slipway.bot.operations.calls import who_is_called
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.services import Services
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.model import Period, ReportKind, ReportView, Section, Severity

MOST_SHOWN = 15
"""Rows of a table; more are counted."""

MOST_BUTTONS = 5

_UNDONE = (OperationState.FAILED, OperationState.EXPIRED, OperationState.STALE)
"""Ends that nobody wanted. What was rejected or cancelled ended as somebody said."""


@dataclass(frozen=True)
class Waiting:
    """An operation that waits for approval.

    Attributes:
        command: the line that asked for it.
        requester: who asked, by their id.
        deciders: whose approval is called for, by their ids.
    """

    id: str
    command: str
    requester: str
    expires_at: datetime
    deciders: tuple[str, ...]


async def look_at_waiting(services: Services, _period: Period) -> tuple[Waiting, ...]:
    """What waits now, what expires first at the front."""
    view = services.cards
    found = [
        Waiting(
            id=each.id,
            command=each.plan.command,
            requester=each.requester,
            expires_at=each.expires_at,
            deciders=tuple(one.id for one in who_is_called(each, view.people, view.mentions)),
        )
        for each in await services.operations.in_states((OperationState.PROPOSED,))
    ]
    return tuple(sorted(found, key=lambda each: each.expires_at))


def tell_waiting(waiting: Sequence[Waiting], view: ReportView) -> Section | None:
    """Each with until when it can be approved."""
    waiting = [each for each in waiting if each.expires_at > view.now]
    if not waiting:
        return None
    count = "1 waits" if len(waiting) == 1 else f"{len(waiting)} wait"
    rows: list[Row] = [
        {
            "id": text(each.id),
            "until": moment(each.expires_at, view.when(each.expires_at)),
            "command": text(each.command),
            "requester": text(each.requester, view.name(each.requester)),
        }
        for each in waiting[:MOST_SHOWN]
    ]
    return Section(
        summary=f"{count}, until {view.when(waiting[0].expires_at)}",
        severity=Severity.ATTENTION,
        needs=len(waiting),
        calls=tuple(dict.fromkeys(who for each in waiting for who in each.deciders)),
        tables=(table_of({"id": "ID", "until": "Open until", "command": "What"}, rows),),
        notes=view.offer("All that is open", "pending"),
        shortcuts=tuple(
            Shortcut(label=f"Show {each.id}", command=f"op {each.id}", consequence=Consequence.NOTHING)
            for each in waiting[:MOST_BUTTONS]
        ),
    )


@dataclass(frozen=True)
class NotDone:
    """An operation that ended as nobody wanted."""

    id: str
    command: str
    state: OperationState


@dataclass(frozen=True)
class Ended:
    """What ended in a period.

    Attributes:
        counts: how many, by kind and state.
        not_done: those that ended as nobody wanted, newest first.
    """

    counts: Mapping[tuple[str, OperationState], int]
    not_done: tuple[NotDone, ...] = ()


async def look_at_ended(services: Services, period: Period) -> Ended:
    """What ended in a period."""
    counts = await services.ended.counts(period.begin, period.end)
    found = await services.ended.between(period.begin, period.end, states=_UNDONE)
    return Ended(counts, tuple(NotDone(each.id, each.plan.command, each.state) for each in reversed(found)))


def tell_ended(ended: Ended, view: ReportView) -> Section | None:
    """What failed, expired or was stale; of a month, how many of each kind ended how."""
    by_state: Counter[OperationState] = Counter()
    for (_, state), count in ended.counts.items():
        by_state[state] += count
    if not by_state:
        return None
    monthly = view.period.kind is ReportKind.MONTHLY
    tables = (_kinds(ended.counts),) if monthly else (_not_done(ended.not_done),) if ended.not_done else ()
    undone = any(by_state[state] for state in _UNDONE)
    more = len(ended.not_done) - MOST_SHOWN
    return Section(
        summary=", ".join(f"{by_state[state]} {state}" for state in OperationState if by_state[state]),
        severity=Severity.NEWS if undone or monthly else Severity.ROUTINE,
        lines=(f"{more} more are not shown.",) if more > 0 and not monthly else (),
        tables=tables,
        notes=view.offer("Why", f"op {ended.not_done[0].id}") if ended.not_done and not monthly else (),
    )


def _not_done(not_done: Sequence[NotDone]) -> Table:
    rows: list[Row] = [
        {"id": text(each.id), "state": text(each.state.value), "command": text(each.command)}
        for each in not_done[:MOST_SHOWN]
    ]
    return table_of({"id": "ID", "state": "Ended", "command": "What"}, rows)


def _kinds(counts: Mapping[tuple[str, OperationState], int]) -> Table:
    kinds = dict.fromkeys(kind for kind, _ in counts)
    rows: list[Row] = []
    for kind in kinds:
        of = {state: count for (name, state), count in counts.items() if name == kind}
        done, failed = of.get(OperationState.DONE, 0), of.get(OperationState.FAILED, 0)
        rows.append(
            {
                "kind": text(kind),
                "done": number(done),
                "failed": number(failed),
                "other": number(sum(of.values()) - done - failed),
            }
        )
    return table_of({"kind": "Kind", "done": "Done", "failed": "Failed", "other": "Other"}, rows)


PARTS = (
    ReportSection(
        "approvals", "Approvals", (ReportKind.DAILY, ReportKind.WEEKLY), look_at_waiting, tell_waiting
    ),
    ReportSection("operations", "Operations", tuple(ReportKind), look_at_ended, tell_ended),
)
