"""Why an operation asks for whom it asks: which rule says so, who said what, and whose word did not count."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.chat.model import Card, Choice, Field
from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.core.times import format_time
from slipway.bot.operations.emergency.model import Emergency
from slipway.bot.operations.model import Operation, OperationState, PolicyReason, Vote
from slipway.bot.operations.policies import in_words
from slipway.bot.operations.policy import counting, may_decide, still_asked
from slipway.bot.operations.presentation.cards import WITH_CODES, CardContext, state_in_words

_RULES = {"by": "Says who", "asks": "Asks for", "about": "Because of"}
_VOTES = {"who": "Who", "said": "Said", "at": "When", "counts": "Counts"}


def why_card(
    operation: Operation, withdrawn: Sequence[Vote], view: CardContext, emergency: Emergency | None = None
) -> Card:
    """What asked for what, and what came of it.

    Args:
        operation: the operation.
        withdrawn: votes that were taken back, at the times at which that was.
        view: what cards are made with.
        emergency: the one by which it was let run; None for none.
    """
    votes = _voting(operation, withdrawn, view)
    return Card(
        title=f"{operation.id} {operation.kind}: {state_in_words(operation, view)}",
        text=_whole(operation),
        fields=(*_fields(operation, view), *_reviewed(emergency, view)),
        tables=(
            table_of(_RULES, [_rule(each) for each in _reasons(operation)], title="Who says so"),
            *((table_of(_VOTES, votes, title="Who decided"),) if votes else ()),
        ),
        notes=("Whoever was refused is not among them: that is no vote.",) if votes else (),
    )


def _whole(operation: Operation) -> str:
    policy = operation.plan.policy
    asked = {demand.role: demand.approvals for demand in policy.demands}
    if not policy.needed:
        return "Nobody has to agree to it."
    different = "; each is another person" if policy.needed > 1 else ""
    own = "may be one of them" if policy.requester_may_approve else "is not one of them"
    codes = WITH_CODES if policy.step_up else ""
    return f"It takes the approval of {in_words(asked)}{codes}{different}. Whoever asked for it {own}."


def _fields(operation: Operation, view: CardContext) -> list[Field]:
    fields = [Field(label="Asked by", value=view.name(operation.requester))]
    if operation.state is OperationState.PROPOSED:
        left = [person.name for person in still_asked(operation, view.people)]
        fields.append(
            Field(label="Can still approve", value=", ".join(left) or "nobody in the configuration")
        )
        fields.append(Field(label="Open until", value=format_time(operation.expires_at, view.zone)))
    fields.append(Field(label="Plan", value=f"`{operation.digest_prefix}`"))
    return fields


def _reviewed(emergency: Emergency | None, view: CardContext) -> tuple[Field, ...]:
    """What somebody else said of the emergency."""
    if emergency is None:
        return ()
    review = emergency.review
    if review is None:
        return (Field(label="Review", value="nobody else has reviewed it yet"),)
    at = format_time(review.at, view.zone)
    return (
        Field(label="Review", value=f"{review.verdict}, says {view.name(review.by)} {at}: {review.words}"),
    )


def _reasons(operation: Operation) -> tuple[PolicyReason, ...]:
    """As they are stored with the plan; where none are, its table alone said all of it when it was proposed."""
    policy = operation.plan.policy
    asked = {demand.role: demand.approvals for demand in policy.demands}
    return policy.asked_by or (PolicyReason(by=f"[policy.{operation.kind}]", asks=in_words(asked)),)


def _rule(reason: PolicyReason) -> Row:
    return {
        "by": text(reason.by),
        "asks": text(reason.asks),
        "about": text(", ".join(reason.about) or None, ", ".join(reason.about) or "all of it"),
    }


def _voting(operation: Operation, withdrawn: Sequence[Vote], view: CardContext) -> list[Row]:
    roles = counting(operation, operation.votes, view.people)
    given = [
        _vote(vote, _verb(vote), _counts(operation, vote, roles.get(vote.person), view), view)
        for vote in operation.votes
    ]
    return [*given, *(_vote(each, "took it back", "no", view) for each in withdrawn)]


def _vote(vote: Vote, said: str, counts: str, view: CardContext) -> Row:
    remark = f" ({vote.reason})" if vote.reason else ""
    return {
        "who": text(vote.person, view.name(vote.person)),
        "said": text(said, f"{said}{remark}"),
        "at": moment(vote.at, format_time(vote.at, view.zone)),
        "counts": text(counts),
    }


def _verb(vote: Vote) -> str:
    if vote.choice is Choice.REJECT:
        return "rejected"
    return "approved with a code" if vote.stepped_up else "approved"


def _counts(operation: Operation, vote: Vote, role: str | None, view: CardContext) -> str:
    """Whether somebody's word counts, and why not. Votes are counted by the roles of today until it begins; of what
    is over, those that do not count today did so then."""
    person = view.people.by_id(vote.person)
    policy = operation.plan.policy
    asked = " or ".join(
        demand.role or f"the right to {policy.right or operation.kind}" for demand in policy.demands
    )
    if person is not None and may_decide(person, operation, view.people):
        if vote.choice is Choice.REJECT:
            return "yes: one rejection ends it"
        if role is not None:
            return f"yes, as one of {role}" if role else "yes"
        return f"no: there are enough of {asked} without it"
    why = f"they do not hold {asked} any more"
    if person is None:
        why = "they are not in the configuration any more"
    elif vote.person == operation.requester and not policy.requester_may_approve:
        why = "they asked for it"
    over = operation.state not in (OperationState.PROPOSED, OperationState.APPROVED)
    return f"it did then; today {why}" if over else f"no: {why}"
