"""Who must agree, and whether enough have: pure rules over people, policy and votes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slipway.bot.chat.model import Choice
from slipway.bot.config.settings import PolicySettings, ScheduleMode
from slipway.bot.operations.declarations import OperationKind
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


def policy_for(
    kind: OperationKind[Any, Any],
    settings: PolicySettings,
    *,
    scheduled: bool,
    mode: ScheduleMode = ScheduleMode.POLICY,
    needs_approval: bool,
    by_another: bool = False,
    harmless: bool = False,
) -> Policy:
    """The policy of one operation.

    Args:
        kind: what it does.
        settings: the configuration for its kind.
        scheduled: whether a schedule asks, for which the configuration may ask fewer approvals.
        mode: what that schedule's own entry says.
        needs_approval: whether the plan itself demands one, whatever the configuration says.
        by_another: whether the plan itself demands that whoever asks cannot give it.
        harmless: whether nobody has to agree to the plan, whatever the configuration says.
    """
    approvals = settings.approvals
    if scheduled and settings.approvals_scheduled is not None:
        approvals = settings.approvals_scheduled
    if mode is ScheduleMode.RUN:
        approvals = 0
    elif mode is ScheduleMode.ASK:
        approvals = max(approvals, 1)
    approvals = 0 if harmless else max(approvals, 1) if needs_approval else approvals
    forgeable = settings.encrypted_reactions
    return Policy(
        approvals=approvals,
        role=settings.role,
        requester_may_approve=settings.requester_may_approve and not by_another,
        forgeable_presses=kind.policy.forgeable_presses if forgeable is None else forgeable,
        right=kind.right,
    )


def expiry(settings: PolicySettings) -> timedelta:
    """How long a proposal waits for its approvals."""
    return settings.expires


def reminder(settings: PolicySettings, asked_at: datetime, expires_at: datetime) -> datetime | None:
    """When those are called once more who can approve what nobody has answered; None for never."""
    if not settings.remind:
        return None
    after = (expires_at - asked_at) / 2 if settings.remind_after is None else settings.remind_after
    at = asked_at + after
    return at if at < expires_at else None


def may_decide(person: Person, operation: Operation, people: People) -> bool:
    """Whether this person's approval would count: human, with the role, and not the one who asked."""
    policy = operation.plan.policy
    if not person.human:
        return False
    if person.id == operation.requester and not policy.requester_may_approve:
        return False
    if policy.role:
        return policy.role in person.roles
    return people.may(person, policy.right or operation.kind, changes=True)


def deciders(operation: Operation, people: People) -> tuple[Person, ...]:
    """Everybody whose approval would count."""
    return tuple(person for person in people.persons if may_decide(person, operation, people))


def approval_status(operation: Operation, votes: tuple[Vote, ...], people: People) -> ApprovalStatus:
    """Where the decision stands, by the votes of those who are eligible now.

    Votes of people who lost the role (or left the configuration) since do not count, so this is asked at each
    press and once more before the first step.
    """
    approving: set[str] = set()
    for vote in votes:
        person = people.by_id(vote.person)
        if person is None or not may_decide(person, operation, people):
            continue
        if vote.choice is Choice.REJECT:
            return Vetoed(by=person.id, reason=vote.reason)
        approving.add(person.id)
    missing = operation.plan.policy.approvals - len(approving)
    return Missing(missing) if missing > 0 else Enough()
