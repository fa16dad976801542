"""Whether enough have agreed, and whose word counts: pure rules over people, policy and votes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.bot.chat.model import Choice
from slipway.bot.core.seats import Seats
from slipway.bot.operations.model import Operation, Policy, Vote
from slipway.bot.people import People, Person


@dataclass(frozen=True)
class Enough:
    """As many eligible persons as the policy asks for have approved."""


@dataclass(frozen=True)
class Missing:
    """Some approvals are still missing."""

    count: int


@dataclass(frozen=True)
class Vetoed:
    """An eligible person rejected it."""

    by: str
    reason: str


ApprovalStatus = Enough | Missing | Vetoed


def may_decide(person: Person, operation: Operation, people: People) -> bool:
    """Whether this person's approval would count: human, with one of the roles, and not the one who asked."""
    return bool(_gives(person, operation, people))


def _gives(person: Person, operation: Operation, people: People) -> frozenset[str]:
    return roles_given(person, operation.plan.policy, operation.kind, operation.requester, people)


def roles_given(person: Person, policy: Policy, kind: str, requester: str, people: People) -> frozenset[str]:
    """The roles among those that a policy asks for in which this person's approval can count; the empty one stands
    for whoever may ask for such an operation.

    Args:
        person: whose approval it is.
        policy: what is asked for.
        kind: of what.
        requester: the id of whoever asked.
        people: who has which rights.
    """
    if policy.emergency and person.human and person.id == requester:
        return frozenset(demand.role for demand in policy.demands)  # whose own word is all that it takes
    if not person.human or (person.id == requester and not policy.requester_may_approve):
        return frozenset()
    asker = people.may(person, policy.right or kind, changes=True)
    return frozenset(
        demand.role for demand in policy.demands if (demand.role in person.roles if demand.role else asker)
    )


def deciders(operation: Operation, people: People) -> tuple[Person, ...]:
    """Everybody whose approval would count."""
    return tuple(person for person in people.persons if may_decide(person, operation, people))


def still_asked(operation: Operation, people: People) -> tuple[Person, ...]:
    """Those who have not approved yet and whose approval would bring it nearer: not those who can only stand for a
    role of which there are enough."""
    filled = _filled(operation, operation.votes, people)
    said = {vote.person for vote in operation.votes}
    return tuple(
        person
        for person in deciders(operation, people)
        if person.id not in said
        and may_approve(person, operation)
        and filled.with_another(_gives(person, operation, people))
    )


def approval_status(operation: Operation, votes: tuple[Vote, ...], people: People) -> ApprovalStatus:
    """Where the decision stands, by the votes of those who are eligible now.

    Votes of people who lost the role (or left the configuration) since do not count, so this is asked at each
    press and once more before the first step.
    """
    for vote in votes:
        person = people.by_id(vote.person)
        if vote.choice is Choice.REJECT and person is not None and may_decide(person, operation, people):
            return Vetoed(by=person.id, reason=vote.reason)
    missing = operation.plan.policy.needed - _filled(operation, votes, people).count
    return Missing(missing) if missing > 0 else Enough()


def counting(operation: Operation, votes: tuple[Vote, ...], people: People) -> Mapping[str, str]:
    """For which role each approval counts, by its giver; the others count for none."""
    return _filled(operation, votes, people).roles


def may_approve(person: Person, operation: Operation) -> bool:
    """Whether somebody who may decide may also agree: to an emergency, whoever asked for it alone."""
    return not operation.plan.policy.emergency or person.id == operation.requester


def _has_code(vote: Vote, operation: Operation) -> bool:
    """Whether an approval came with a code, where the policy asks for one."""
    return vote.stepped_up or not operation.plan.policy.step_up


def _filled(operation: Operation, votes: tuple[Vote, ...], people: People) -> Seats:
    seats = Seats({demand.role: demand.approvals for demand in operation.plan.policy.demands})
    for vote in votes:
        person = people.by_id(vote.person)
        if vote.choice is not Choice.APPROVE or person is None:
            continue
        if _has_code(vote, operation) and may_approve(person, operation):
            seats.take(person.id, _gives(person, operation, people))
    return seats
