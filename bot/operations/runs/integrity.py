"""Whether an operation is what its audit entries say it is: a pure rule, asked before anything of it is done.

The database is the bot's own, and still more than the bot can write there: a plan, a vote or a state that was put in
by hand must not be carried out. The audit trail is append-only and chained, so what was decided stands there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.bot.chat.model import Choice
from slipway.bot.operations.audit import AuditKey
from slipway.bot.operations.model import Operation, OperationState, Vote

VOTE_ACTIONS = {Choice.APPROVE: "approval", Choice.REJECT: "rejection"}
"""What the audit trail calls a vote. Stored."""


@dataclass(frozen=True)
class NotedDecision:
    """As much of an audit entry as a decision is compared by; an empty digest where it names none."""

    action: str
    actor: str
    digest: str
    stepped_up: bool = False  # whether it says that it came with a single-use code


def keys_of(operation: Operation) -> tuple[AuditKey, ...]:
    """The audit entries that an approved operation must have."""
    return (
        AuditKey.of_state(operation.id, OperationState.PROPOSED),
        AuditKey.of_state(operation.id, OperationState.APPROVED),
        *(AuditKey.of_vote(operation.id, vote.event_key) for vote in operation.votes),
    )


def contradiction(operation: Operation, plan_digest: str, noted: Mapping[str, NotedDecision]) -> str:
    """What does not fit together, as a sentence; empty where all does.

    Args:
        operation: as it is stored.
        plan_digest: SHA-256 of its plan, to the letter as it is stored.
        noted: the audit entries of :func:`keys_of`, by key.
    """
    if plan_digest != operation.digest:
        return f"The stored plan of {operation.id} is not the one that was proposed."
    if operation.plan.requester != operation.requester or operation.plan.kind != operation.kind:
        return (
            f"The plan of {operation.id} is of another kind, or asked for by another person, than is stored."
        )
    if operation.plan.expires_at != operation.expires_at:
        return f"{operation.id} expires at another time than its plan says."
    proposed = noted.get(AuditKey.of_state(operation.id, OperationState.PROPOSED))
    if proposed is None or proposed.actor != operation.requester or proposed.digest != operation.digest:
        return f"The audit trail does not say that {operation.id} was proposed as it is stored."
    if AuditKey.of_state(operation.id, OperationState.APPROVED) not in noted:
        return f"The audit trail does not say that {operation.id} was approved."
    for vote in operation.votes:
        if not _fits(operation, vote, noted.get(AuditKey.of_vote(operation.id, vote.event_key))):
            return f"The audit trail does not say that {vote.person} voted on {operation.id} as is stored."
    return ""


def _fits(operation: Operation, vote: Vote, entry: NotedDecision | None) -> bool:
    return entry == NotedDecision(VOTE_ACTIONS[vote.choice], vote.person, operation.digest, vote.stepped_up)
