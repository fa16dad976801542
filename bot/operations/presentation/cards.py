"""How an operation looks in a chat: one card that follows it from proposal to end, and a report in its thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from slipway.bot.chat.model import (
    SYMBOLS,
    Button,
    Card,
    CardOutcome,
    Choice,
    Consequence,
    Field,
    Shortcut,
    Tone,
)
from slipway.bot.core.steps import Permanence
from slipway.bot.core.times import format_duration, format_time
from slipway.bot.operations.calls import Mentions, called_upon, concerned, holders
from slipway.bot.operations.model import Failure, Operation, OperationState, Plan, Policy
from slipway.bot.operations.policy import Missing, Vetoed, approval_status, still_asked
from slipway.bot.operations.presentation.card_moments import by_clocks_of
from slipway.bot.operations.presentation.doubts import doubts, uncertain
from slipway.bot.operations.presentation.endings import end_in_short, failure_notes, told_in_full
from slipway.bot.operations.presentation.facts import facts_of, outcome_of
from slipway.bot.operations.presentation.plan_words import (
    evidence_fields,
    plan_follows,
    rest_of,
    says_more,
    warning_lines,
)
from slipway.bot.operations.presentation.step_tables import (
    STEPS_SHOWN,
    done_table,
    plan_table,
    report_words,
    result_words,
    step_table,
)
from slipway.bot.people import People

NAMES_SHOWN = 6

WITH_CODES = ", each with a code of their authenticator app"
"""What follows those who have to agree, where their approvals take one."""

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
    mentions: Mentions = holders
    waits: dict[str, str] = field(default_factory=dict)
    """What operations of this process wait for, by their ids: what lasts, whose turn has not come before a cloud, and
    what does not begin though its time has come."""
    frozen: Callable[[Plan], str] = lambda _plan: ""
    """Why one does not begin if it is approved: a freeze, in words; empty for none."""

    def name(self, person_id: str) -> str:
        """A person or a schedule as people call them."""
        return self.people.name(person_id)


def unsettled(where: Missing | Vetoed, cards: CardContext) -> str:
    """Why what was approved is not any more."""
    if isinstance(where, Vetoed):  # at the moment in which the last approval came in
        return f"{cards.name(where.by)} rejected it while it was being approved"
    return "an approval no longer counts: its giver lost the role"


def operation_card(operation: Operation, view: CardContext) -> Card:
    """The card of an operation as it stands now.

    Until it is decided on: what will be so, the plan, who has to agree and until when, and what speaks for it. While
    it runs, what became of each step; where nobody was asked, what speaks for it, too, which nobody saw before. Once
    it has ended, what must be known without a look into its thread: how it ended and whose move it is. The rest is in
    its report, and `!op ID` has all of it for ever.
    """
    state, plan = operation.state, operation.plan
    proposed = state is OperationState.PROPOSED
    unasked = not state.ended and not plan.policy.needed
    asked = Field(label="Asked by", value=_asked(operation, view))
    evidence = evidence_fields(plan) if proposed or unasked else ()
    card = Card(
        tone=_TONES[state],
        title=f"{operation.id} {operation.kind}: {state_in_words(operation, view)}",
        text=_standing_text(operation, view),
        fields=(
            *_needs_fields(operation, view),
            asked,
            *_emergency_fields(operation),
            *evidence,
            *_voting(operation, view),
        ),
        tables=(step_table(operation, STEPS_SHOWN),) if len(plan.steps) > 1 and not state.ended else (),
        notes=_notes(operation, view),
        buttons=operation_buttons(operation) if proposed and not plan.unknown else (),
        mentions=called_upon(operation, view.people, view.mentions) if proposed else (),
        fleeting=not state.ended,
        outcome=outcome_of(operation),
        operation=facts_of(operation),
    )
    return by_clocks_of(view.zone, card)


def report_card(operation: Operation, view: CardContext, mentions: tuple[str, ...]) -> Card:
    """The report that stands in the operation's thread once it has ended: all that its card does not say.

    That is when it ended, what each step came to, why what failed did so, and what to type next. One step is a line,
    and its words stand for the whole where it is done.
    """
    reports, outcome = operation.reports, operation.outcome
    lines = [outcome.summary if outcome else operation.plan.summary]
    several = len(operation.plan.steps) > 1
    if reports and not several:
        done = operation.state is OperationState.DONE and reports[0].done is not None
        lines = [*(() if done else lines), report_words(reports[0])]
    card = Card(
        tone=_TONES[operation.state],
        title=f"{operation.id} {operation.kind}: {operation.state}",
        text="\n".join(lines),
        fields=(*_concerned_fields(operation, view), *_ended_fields(operation, view)),
        tables=(done_table(operation),) if reports and several else (),
        notes=_report_notes(operation, view),
        mentions=mentions,
        outcome=outcome_of(operation),
        operation=facts_of(operation),
    )
    return by_clocks_of(view.zone, card)


def full_card(operation: Operation, view: CardContext) -> Card:
    """Everything about an operation, for `!op ID`: its card and its report, and every step with its result."""
    ended, outcome = operation.state.ended, operation.outcome
    notes = (
        (*_not_known(operation), *_report_notes(operation, view))
        if ended
        else _notes(operation, view, whole=True)
    )
    fields = (
        *_needs_fields(operation, view),
        Field(label="Asked by", value=view.name(operation.requester)),
        *_emergency_fields(operation),
        Field(label="Asked at", value=format_time(operation.created_at, view.zone)),
        *_ended_fields(operation, view),
        *evidence_fields(operation.plan),
        *_voting(operation, view),
        Field(label="Plan", value=f"`{operation.digest_prefix}`"),
    )
    card = operation_card(operation, view).model_copy(
        update={
            "text": outcome.summary if outcome else _standing_text(operation, view),
            "fields": fields,
            "tables": (
                *((step_table(operation, words=result_words),) if operation.plan.steps else ()),
                *rest_of(operation.plan),
            ),
            "notes": notes,
            "fleeting": False,
            "mentions": (),
        }
    )
    return by_clocks_of(view.zone, card)


def silent(card: Card) -> Card:
    """The same card, calling nobody: they were called upon where the operation was asked for."""
    return card.model_copy(update={"mentions": ()})


def heading(operation: Operation, view: CardContext) -> Card:
    """How an operation stands, in a line, for whoever asked where nobody else saw it."""
    return Card(
        tone=_TONES[operation.state],
        title=f"{operation.id} {operation.kind}: {state_in_words(operation, view)}",
        text="Its card and the thread of that show how it goes on.",
    )


def call_card(operation: Operation, view: CardContext) -> Card:
    """What calls upon those who can decide, where the card itself could not: an edit calls nobody."""
    return Card(
        tone=Tone.WAITING,
        title=f"{operation.id} {operation.kind}: your approval is asked for",  # of no state: it is not edited
        text="The plan, its buttons and how it stands are where this thread begins.",
        mentions=called_upon(operation, view.people, view.mentions),
    )


def plan_card(plan: Plan, view: CardContext, *, instead: str | None = None) -> Card:
    """What a dry run shows: the plan, who would have to agree, and how to propose it; or what is said
    in place of that to those who may not."""
    notes = ["Nothing was changed and nothing was proposed: this was a dry run."]
    frozen = view.frozen(plan)
    if frozen:
        notes.append("It can be proposed when that is over.")
    elif instead is None:
        notes.append(f"To propose it: `{view.prefix}{plan.command}`")
    elif instead:
        notes.append(instead)
    card = Card(
        title=f"dry run of {plan.kind}",
        text="\n".join((_proposal(plan), *((f"{SYMBOLS[Tone.WARNING]} {frozen}",) if frozen else ()))),
        fields=(
            Field(label="Would need", value=_would_need(plan.policy)),
            *_begins(plan, view),
            *evidence_fields(plan),
        ),
        tables=(*((plan_table(plan),) if len(plan.steps) > 1 else ()), *rest_of(plan)),
        notes=tuple(notes),
    )
    return by_clocks_of(view.zone, card)


def _would_need(policy: Policy) -> str:
    if not policy.needed:
        return "nobody"
    whoever = [
        f"whoever has role {demand.role}" if demand.role else "whoever may ask for it"
        for demand in policy.demands
    ]
    codes = WITH_CODES if policy.step_up else ""
    if len(whoever) == 1:
        return f"{approvals(policy.needed)}: {whoever[0]}{codes}"
    each = zip(policy.demands, whoever, strict=True)
    several = ", ".join(f"{demand.approvals} by {who}" for demand, who in each)
    return f"{approvals(policy.needed)} by different persons: {several}{codes}"


def _begins(plan: Plan, view: CardContext) -> tuple[Field, ...]:
    """When it is carried out, where that is not at once, and how long that is tried."""
    if plan.not_before is None:
        return ()
    at, until = (format_time(each, view.zone) for each in (plan.not_before, plan.retried_until))
    again = f"where a cloud cannot be read then, it is tried again until {until}"
    return (Field(label="Begins", value=f"{at}; {again}"),)


def _standing_text(operation: Operation, view: CardContext) -> str:
    if operation.outcome is not None:
        return end_in_short(operation, operation.outcome, view.people)
    text, doubted = _proposal(operation.plan), uncertain(operation, view.name)
    if waits := view.waits.get(operation.id):
        text = f"{text}\nNow: {waits}"
    waiting = operation.state in (OperationState.PROPOSED, OperationState.APPROVED)
    if waiting and (frozen := view.frozen(operation.plan)):
        text = f"{text}\n{frozen} Approved, it begins when that is over."
    # Whoever decides sees that before the buttons, which stand above the notes where a platform has them.
    return f"{text}\n{doubted}" if doubted and operation.state is OperationState.PROPOSED else text


def _proposal(plan: Plan) -> str:
    """What will be so, by which step if it is one, and what whoever agrees has to know."""
    lines = [f"When it is done: {plan.summary}"]  # nobody shall take it for how things are now
    if len(plan.steps) == 1:
        (step,) = plan.steps
        lines.append(f"Plan: {step.title}{f' ({step.reason})' if step.reason else ''}")
    return "\n".join([*lines, *warning_lines(plan)])


def failure_card(title: str, failure: Failure, view: CardContext) -> Card:
    """A failure outside any operation."""
    notes = tuple(failure_notes(failure, view.prefix))
    return Card(tone=Tone.FAILED, title=title, text=failure.words, notes=notes, outcome=CardOutcome.FAILED)


def state_in_words(operation: Operation, view: CardContext) -> str:
    """Where it is, as titles have it: what it waits for, when it begins, how far it is."""
    if operation.state is OperationState.PROPOSED:
        where = approval_status(operation, operation.votes, view.people)
        count = where.count if isinstance(where, Missing) else 0
        return f"waits for {approvals(count)}"
    begins = operation.plan.not_before
    if operation.state is OperationState.APPROVED and begins is not None:
        return f"approved, begins {format_time(begins, view.zone)}"
    if operation.state is OperationState.RUNNING and len(operation.plan.steps) > 1:
        return f"running, {len(operation.reports)} of {len(operation.plan.steps)} steps done"
    return state_word(operation)


def approvals(count: int) -> str:
    """So many approvals, in words."""
    return f"{count} approval{'s' if count != 1 else ''}"


def state_word(operation: Operation) -> str:
    """Its state in a word; nobody approved what needs no approval."""
    if operation.state is OperationState.APPROVED and not operation.votes:
        return "about to begin"
    return operation.state.value


def _asked(operation: Operation, view: CardContext) -> str:
    """Who asked for it; and by which command, where no result says what it was about."""
    name, command = view.name(operation.requester), operation.plan.command
    untold = operation.state.ended and operation.state is not OperationState.DONE and command
    return f"{name}, by `{view.prefix}{command}`" if untold else name


def _needs_fields(operation: Operation, view: CardContext) -> tuple[Field, ...]:
    """Who has to agree, and until when, and when it begins if not at once; nothing once that is over."""
    waits = operation.state in (OperationState.PROPOSED, OperationState.APPROVED)
    later = _begins(operation.plan, view) if waits else ()
    if operation.state is not OperationState.PROPOSED:
        return later
    return (
        Field(label="Needs", value=_needs(operation, view)),
        Field(label="Open until", value=format_time(operation.expires_at, view.zone)),
        *later,
    )


def _emergency_fields(operation: Operation) -> tuple[Field, ...]:
    """Why nobody else had to agree, where that was passed over."""
    reason = operation.plan.policy.emergency
    passed = f"{reason} (nobody else had to agree, and somebody else has to review it)"
    return (Field(label="Emergency", value=passed),) if reason else ()


def _voting(operation: Operation, view: CardContext) -> tuple[Field, ...]:
    """Who decided what, and who stopped it."""
    fields = []
    if operation.votes:
        label = "Votes" if operation.state is OperationState.PROPOSED else "Decided by"
        fields.append(Field(label=label, value=_votes(operation, view)))
    told = (OperationState.CANCELLED, OperationState.DONE)  # by whom it says already, or it came too late
    if operation.cancelled_by and operation.state not in told:
        fields.append(Field(label="Stopped by", value=view.name(operation.cancelled_by)))
    return tuple(fields)


def _ended_fields(operation: Operation, view: CardContext) -> tuple[Field, ...]:
    if operation.ended_at is None:
        return ()
    ended, took = format_time(operation.ended_at, view.zone), operation.ended_at - operation.created_at
    # The clock may have been set back since; no duration is told then rather than a wrong one.
    after = f", {format_duration(took)} after it was asked for" if took >= timedelta() else ""
    return (Field(label="Ended", value=f"{ended}{after}"),)


def _concerned_fields(operation: Operation, view: CardContext) -> tuple[Field, ...]:
    """Whom what was done concerns, beside whoever asked for it."""
    names = [each.name for each in concerned(operation, view.people)]
    if len(names) > NAMES_SHOWN:
        names[NAMES_SHOWN:] = [f"{len(names) - NAMES_SHOWN} more"]
    return (Field(label="Concerns", value=", ".join(names)),) if names else ()


def _votes(operation: Operation, view: CardContext) -> str:
    words = []
    for vote in operation.votes:
        verb = "approved" if vote.choice is Choice.APPROVE else "rejected"
        told = operation.state is OperationState.REJECTED and vote.choice is Choice.REJECT  # by the summary
        reason = f" ({vote.reason})" if vote.reason and not told else ""
        code = " with a code" if vote.stepped_up else ""
        words.append(f"{view.name(vote.person)} {verb}{code} {format_time(vote.at, view.zone)}{reason}")
    return "; ".join(words)


def _needs(operation: Operation, view: CardContext) -> str:
    able = [view.name(who.id) for who in still_asked(operation, view.people)]
    whom = ", ".join(able[:NAMES_SHOWN]) or "nobody in the configuration"
    if len(able) > NAMES_SHOWN:
        whom += f" and {len(able) - NAMES_SHOWN} more"
    role = _roles_in_words(operation.plan.policy)
    where = approval_status(operation, operation.votes, view.people)
    count = where.count if isinstance(where, Missing) else 0
    any_of = f" by any {count} of" if count > 1 else " by one of"
    codes = WITH_CODES if operation.plan.policy.step_up else ""
    return f"{approvals(count)}{any_of if len(able) > count else ''}: {whom}{role}{codes}"


def _roles_in_words(policy: Policy) -> str:
    """The role that those who agree hold; of several, how many of each it takes in all."""
    if len(policy.demands) == 1:
        return f" (role {policy.role})" if policy.role else ""
    each = (
        f"{demand.approvals} of role {demand.role}"
        if demand.role
        else f"{demand.approvals} of those who may ask for it"
        for demand in policy.demands
    )
    return f" (in all {', '.join(each)})"


def _notes(operation: Operation, view: CardContext, *, whole: bool = False) -> tuple[str, ...]:
    """What follows a card; ``whole`` where it has all there is to say."""
    notes = [*doubts(operation, view.name)]
    if operation.state is OperationState.PROPOSED:
        notes.append(
            f"Approve: `{view.prefix}approve {operation.id} {operation.digest_prefix}`   "
            f"Reject: `{view.prefix}reject {operation.id} REASON`"
        )
    notes += _not_known(operation)
    steps = len(operation.plan.steps)
    if told_in_full(operation, view.prefix) or (operation.state.ended and operation.reports and steps > 1):
        thread = "in the thread, or " if operation.room is not None else ""
        notes.append(f"In full: {thread}`{view.prefix}op {operation.id}`")
    elif (steps > STEPS_SHOWN or says_more(operation.plan)) and not (operation.state.ended or whole):
        thread = "in the thread, or " if operation.room is not None and plan_follows(operation.plan) else ""
        what = "All steps" if steps > STEPS_SHOWN else "All of it"
        notes.append(f"{what}: {thread}`{view.prefix}op {operation.id}`")
    return tuple(notes)


def _report_notes(operation: Operation, view: CardContext) -> tuple[str, ...]:
    """What follows a report: why, whose move it is, and what to type next. Its card says the rest."""
    return (*doubts(operation, view.name), *told_in_full(operation, view.prefix))


def _not_known(operation: Operation) -> list[str]:
    unknown = operation.plan.unknown
    return [f"Another version of Slipway planned this, and this one {unknown}."] if unknown else []


def operation_buttons(operation: Operation) -> tuple[Button, ...]:
    """The buttons by which an operation is decided on."""
    final = any(step.PERMANENCE is Permanence.FINAL for step in operation.plan.steps)
    consequence = Consequence.ENDING if final else Consequence.ORDINARY
    return tuple(
        Button(
            choice=choice,
            label=label,
            operation_id=operation.id,
            digest_prefix=operation.digest_prefix,
            authentic=not operation.plan.policy.forgeable_presses,
            consequence=consequence if choice is Choice.APPROVE else Consequence.ORDINARY,
        )
        for choice, label in ((Choice.APPROVE, "Approve"), (Choice.REJECT, "Reject"))
    )


def show_operation(operation: Operation) -> Shortcut:
    """A button that shows an operation, with the buttons by which it is decided on."""
    return Shortcut(
        label=f"Show {operation.id}", command=f"op {operation.id}", consequence=Consequence.NOTHING
    )
