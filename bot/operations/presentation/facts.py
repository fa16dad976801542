"""An operation as values for programs, beside the words of its cards."""

from __future__ import annotations

from slipway.bot.chat.model import CardOutcome, Choice, OperationFacts
from slipway.bot.operations.model import Operation, OperationState

_DID_NOT_HAPPEN = frozenset(
    {
        OperationState.FAILED,
        OperationState.REJECTED,
        OperationState.EXPIRED,
        OperationState.STALE,
        OperationState.CANCELLED,
        OperationState.UNKNOWN,
    }
)


def facts_of(operation: Operation) -> OperationFacts:
    """What a program wants to know of it."""
    approvals = [vote for vote in operation.votes if vote.choice is Choice.APPROVE]
    return OperationFacts(
        id=operation.id,
        kind=operation.kind,
        state=operation.state.value,
        ended=operation.state.ended,
        command=operation.plan.command,
        requester=operation.requester,
        digest=operation.digest,
        asked_at=operation.created_at,
        expires_at=operation.expires_at,
        ended_at=operation.ended_at,
        approvals=len(approvals),
        approvals_needed=operation.plan.policy.needed,
        steps=len(operation.plan.steps),
        steps_done=sum(report.done is not None for report in operation.reports),
    )


def outcome_of(operation: Operation) -> CardOutcome:
    """Whether what was asked for failed, for a program's exit status."""
    return CardOutcome.FAILED if operation.state in _DID_NOT_HAPPEN else CardOutcome.ANSWERED
