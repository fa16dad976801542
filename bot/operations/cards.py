"""How an operation looks in a chat: one card that follows it from proposal to end, and a report in its thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from slipway.bot.chat.model import SYMBOLS, Button, Card, Choice, Field, Table, Tone
from slipway.bot.core.times import format_duration, format_time
from slipway.bot.operations.model import Failure, Operation, OperationState, Plan, StepReport, Vote
from slipway.bot.operations.policy import Missing, Vetoed, approval_status, deciders
from slipway.bot.people import People, is_schedule

STEPS_SHOWN = 12
"""Rows of a plan on a card; the rest is in `!op ID`."""

NAMES_SHOWN = 6

_TONES = {
    OperationState.PROPOSED: Tone.WAITING,
    OperationState.APPROVED: Tone.RUNNING,
    OperationState.RUNNING: Tone.RUNNING,
    OperationState.DONE: Tone.DONE,
    OperationState.FAILED: Tone.FAILED,
    OperationState.REJECTED: Tone.WARNING,
    OperationState.EXPIRED: Tone.WARNING,
    OperationState.STALE: Tone.WARNING,
    OperationState.CANCELLED: Tone.WARNING,
    OperationState.UNKNOWN: Tone.WARNING,
}


@dataclass(frozen=True)
class CardContext:
    """What every card needs to speak to its readers."""

    people: People
    prefix: str
    zone: ZoneInfo

    def name(self, person_id: str) -> str:
        """A person or a schedule as people call them."""
        return self.people.name(person_id)


def unsettled(where: Missing | Vetoed, cards: CardContext) -> str:
    """Why what was approved is not any more."""
    if isinstance(where, Vetoed):  # at the moment in which the last approval came in
        return f"{cards.name(where.by)} rejected it while it was being approved"
    return "an approval no longer counts: its giver lost the role"


def operation_card(operation: Operation, view: CardContext) -> Card:
    """The card of an operation as it stands now."""
    state = operation.state
    return Card(
        tone=_TONES[state],
        title=f"{operation.id} {operation.kind}: {_state_words(operation, view)}",
        text=operation.outcome.summary if operation.outcome else _promise(operation.plan),
        fields=_fields(operation, view),
        tables=(_steps(operation),) if operation.plan.steps else (),
        notes=_notes(operation, view, told=False),
        buttons=operation_buttons(operation)
        if state is OperationState.PROPOSED and not operation.plan.unknown
        else (),
        mentions=_called_upon(operation, view) if state is OperationState.PROPOSED else (),
        fleeting=not state.ended,
    )


def report_card(operation: Operation, view: CardContext, mentions: tuple[str, ...]) -> Card:
    """The report that stands in the operation's thread once it has ended."""
    fields = []
    if operation.ended_at is not None:
        ended, took = format_time(operation.ended_at, view.zone), operation.ended_at - operation.created_at
        # The clock may have been set back since; no duration is told then rather than a wrong one.
        after = f", {format_duration(took)} after it was asked for" if took >= timedelta() else ""
        fields.append(Field(label="Ended", value=f"{ended}{after}"))
    rows = tuple((str(report.number), _report_words(report)) for report in operation.reports)
    return Card(
        tone=_TONES[operation.state],
        title=f"{operation.id} {operation.kind}: {operation.state}",
        text=operation.outcome.summary if operation.outcome else operation.plan.summary,
        fields=tuple(fields),
        tables=(Table(title="What was done", columns=("", "Result"), rows=rows),) if rows else (),
        notes=_notes(operation, view, told=any(report.failure for report in operation.reports)),
        mentions=mentions,
    )


def full_card(operation: Operation, view: CardContext) -> Card:
    """Everything about an operation, for `!op ID`: the card with when it was, and every step with its result."""
    card = operation_card(operation, view)
    times = [Field(label="Asked at", value=format_time(operation.created_at, view.zone))]
    if operation.ended_at is not None:
        times.append(Field(label="Ended", value=format_time(operation.ended_at, view.zone)))
    by, *others = card.fields
    told = any(report.failure for report in operation.reports)
    notes = tuple(note for note in _notes(operation, view, told=told) if note != _all_steps(operation, view))
    return card.model_copy(
        update={
            "fields": (by, *times, *others),
            "tables": (_steps(operation, limit=None, mark=_result_words),) if operation.plan.steps else (),
            "notes": notes,
            "fleeting": False,
        }
    )


def plan_card(plan: Plan, view: CardContext) -> Card:
    """What a dry run shows: the plan, and who would have to agree."""
    notes = [*_warnings(plan), "Nothing was changed and nothing was proposed: this was a dry run."]
    notes.append(f"To propose it: `{view.prefix}{plan.command}`")
    agree = plan.policy.approvals
    needs = "nobody" if not agree else f"{agree} with role {plan.policy.role or 'that may ask for it'}"
    rows = tuple((str(number), step.title, step.reason) for number, step in enumerate(plan.steps, start=1))
    return Card(
        title=f"dry run of {plan.kind}",
        text=_promise(plan),
        fields=(*_evidence(plan), Field(label="Would need", value=needs)),
        tables=(Table(title="Plan", columns=("", "Step", "Why"), rows=rows),) if rows else (),
        notes=tuple(notes),
    )


def _promise(plan: Plan) -> str:
    """A plan's summary says how things are when it is done; nobody shall take that for how they are now."""
    return f"When it is done: {plan.summary}"


def failure_card(title: str, failure: Failure, view: CardContext) -> Card:
    """A failure outside any operation."""
    return Card(tone=Tone.FAILED, title=title, text=failure.words, notes=tuple(_failure_notes(failure, view)))


def _state_words(operation: Operation, view: CardContext) -> str:
    if operation.state is OperationState.PROPOSED:
        where = approval_status(operation, operation.votes, view.people)
        count = where.count if isinstance(where, Missing) else 0
        return f"waits for {count} approval{'s' if count != 1 else ''}"
    if operation.state is OperationState.RUNNING and len(operation.plan.steps) > 1:
        return f"running, {len(operation.reports)} of {len(operation.plan.steps)} steps done"
    return operation.state.value


def _fields(operation: Operation, view: CardContext) -> tuple[Field, ...]:
    fields = [Field(label="Asked by", value=view.name(operation.requester)), *_evidence(operation.plan)]
    if operation.votes:
        label = "Votes" if operation.state is OperationState.PROPOSED else "Decided by"
        fields.append(Field(label=label, value=_votes(operation.votes, view)))
    if operation.state is OperationState.PROPOSED:
        fields.append(Field(label="Needs", value=_needs(operation, view)))
        fields.append(Field(label="Open until", value=format_time(operation.expires_at, view.zone)))
    told = (OperationState.CANCELLED, OperationState.DONE)  # by whom it says already, or it came too late
    if operation.cancelled_by and operation.state not in told:
        fields.append(Field(label="Stopped by", value=view.name(operation.cancelled_by)))
    fields.append(Field(label="Plan", value=f"`{operation.digest_prefix}`"))
    return tuple(fields)


def _evidence(plan: Plan) -> tuple[Field, ...]:
    return tuple(Field(label=label, value=value) for label, value in plan.evidence)


def _votes(votes: tuple[Vote, ...], view: CardContext) -> str:
    words = []
    for vote in votes:
        verb = "approved" if vote.choice is Choice.APPROVE else "rejected"
        reason = f" ({vote.reason})" if vote.reason else ""
        words.append(f"{view.name(vote.person)} {verb} {format_time(vote.at, view.zone)}{reason}")
    return "; ".join(words)


def _needs(operation: Operation, view: CardContext) -> str:
    policy = operation.plan.policy
    voted = {vote.person for vote in operation.votes}
    able = [view.name(who.id) for who in deciders(operation, view.people) if who.id not in voted]
    whom = ", ".join(able[:NAMES_SHOWN]) or "nobody in the configuration"
    if len(able) > NAMES_SHOWN:
        whom += f" and {len(able) - NAMES_SHOWN} more"
    role = f" (role {policy.role})" if policy.role else ""
    where = approval_status(operation, operation.votes, view.people)
    return f"{where.count if isinstance(where, Missing) else 0} of {whom}{role}"


def _called_upon(operation: Operation, view: CardContext) -> tuple[str, ...]:
    """Accounts of those who can agree, where the clock asks: nobody in the room brought it up."""
    if operation.room is None or not is_schedule(operation.requester):
        return ()
    platform = operation.room.platform
    able = (each.account_on(platform) for each in deciders(operation, view.people))
    return tuple(account for account in able if account)[:NAMES_SHOWN]


def _steps(
    operation: Operation,
    limit: int | None = STEPS_SHOWN,
    mark: Callable[[StepReport], str] | None = None,
) -> Table:
    reports = {report.number: report for report in operation.reports}
    rows = []
    for number, step in enumerate(operation.plan.steps, start=1):
        report = reports.get(number)
        result = (mark or _report_mark)(report) if report else _unreported(operation, number)
        rows.append((str(number), step.title, step.reason, result))
    shown = rows if limit is None or len(rows) <= limit else rows[:limit]
    title = "Plan" if len(shown) == len(rows) else f"Plan: the first {len(shown)} of {len(rows)} steps"
    if operation.state is OperationState.PROPOSED:
        return Table(title=title, columns=("", "Step", "Why"), rows=tuple(row[:3] for row in shown))
    return Table(
        title=title, columns=("", "Step", "Result"), rows=tuple((row[0], row[1], row[3]) for row in shown)
    )


_UNREADABLE = "- another version of Slipway says how it ended"
"""Of a report that cannot be read."""


def _report_mark(report: StepReport) -> str:
    if report.failure is not None:
        return "? unknown" if report.unknown else "✘ failed"
    if report.done is None:
        return _UNREADABLE
    return "✔ already so" if report.done.already else "✔ done"


def _report_words(report: StepReport) -> str:
    if report.failure is not None:
        return f"{'?' if report.unknown else '✘'} {report.title}: {report.failure.words}"
    if report.done is None:
        return _UNREADABLE
    return f"✔ {'already so: ' if report.done.already else ''}{report.done.summary}"


def _result_words(report: StepReport) -> str:
    """What became of a step, beside its title."""
    return f"{_report_mark(report)}: {report.failure.words}" if report.failure else _report_words(report)


def _unreported(operation: Operation, number: int) -> str:
    if operation.state.ended:
        return "- not done"
    current = len(operation.reports) + 1
    return "▶ running" if operation.state is OperationState.RUNNING and number == current else "⏳ waits"


def _all_steps(operation: Operation, view: CardContext) -> str:
    return f"All steps: `{view.prefix}op {operation.id}`"


def _warnings(plan: Plan) -> list[str]:
    return [f"{SYMBOLS[Tone.WARNING]} {warning}" for warning in plan.warnings]


def _notes(operation: Operation, view: CardContext, *, told: bool) -> tuple[str, ...]:
    """What follows a card; ``told`` where it already says why a step failed."""
    prefix = view.prefix
    notes = _warnings(operation.plan) if not operation.state.ended else []
    if operation.state is OperationState.PROPOSED:
        notes.append(
            f"Approve: `{prefix}approve {operation.id} {operation.digest_prefix}`   "
            f"Reject: `{prefix}reject {operation.id} REASON`"
        )
    if operation.plan.unknown:
        notes.append(f"Another version of Slipway planned this, and this one {operation.plan.unknown}.")
    if operation.outcome is not None:
        notes += operation.outcome.differences
        if operation.outcome.failure is not None:
            notes += [] if told else [operation.outcome.failure.words]
            notes += _failure_notes(operation.outcome.failure, view)
    if operation.state in (OperationState.STALE, OperationState.EXPIRED):
        notes.append(f"To plan it afresh: `{prefix}{operation.plan.command}`")
    if len(operation.plan.steps) > STEPS_SHOWN and not operation.state.ended:
        notes.append(_all_steps(operation, view))
    return tuple(notes)


def _failure_notes(failure: Failure, view: CardContext) -> list[str]:
    notes = [f"Whose move: {failure.responsible}."]
    if failure.hint:
        when = f", {failure.when}" if failure.when else ""
        notes.append(f"Next{when}: `{view.prefix}{failure.hint}`")
    return notes


def operation_buttons(operation: Operation) -> tuple[Button, ...]:
    """The buttons by which an operation is decided on."""
    return tuple(
        Button(
            choice=choice,
            label=label,
            operation_id=operation.id,
            digest_prefix=operation.digest_prefix,
            authentic=not operation.plan.policy.forgeable_presses,
        )
        for choice, label in ((Choice.APPROVE, "Approve"), (Choice.REJECT, "Reject"))
    )
