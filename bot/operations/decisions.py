"""What people say about operations, and why it may not count: data, and errors in words."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.bot.chat.model import Choice
from slipway.bot.core.errors import UserError
from slipway.bot.operations.model import Operation, OperationState, Vote
from slipway.bot.people import Person

LONGEST_REASON = 300
"""Characters of a reason that are kept and shown."""


@dataclass(frozen=True)
class Decision:
    """What one person says about one operation, and by which event they said it.

    ``doubt`` says in a sentence why it may not be they who say it; empty where nobody doubts it.
    """

    operation_id: str
    person: Person
    choice: Choice
    event_key: str
    digest_prefix: str | None = None
    reason: str = ""
    forgeable: bool = False  # a press that could have been made up on its way
    doubt: str = ""


class CodeNeededError(UserError):
    """An approval counts once its giver has given a single-use code: all else is as it has to be.

    Args:
        operation: that they agree to.
        reason: what they said with it.
    """

    def __init__(self, operation: Operation, reason: str) -> None:
        super().__init__(
            f"{operation.id} takes a code of your authenticator app with your approval. Approve it in a chat that "
            "asks you for one.",
            hint=f"op {operation.id}",
        )
        self.operation = operation
        self.reason = reason


class TooLateError(UserError):
    """A vote cannot be taken back any more.

    Args:
        operation: on which it was given.
        given: the vote.
    """

    def __init__(self, operation: Operation, given: Vote) -> None:
        if operation.state is OperationState.RUNNING:
            what = "approval" if given.choice is Choice.APPROVE else "rejection"
            super().__init__(
                f"{operation.id} has begun, so it is too late to take your {what} back. To cancel it stops it "
                "before its next step; what was done stays done.",
                hint=f"cancel {operation.id}",
            )
        else:
            super().__init__(closed(operation), hint=f"op {operation.id}")
        self.operation_id = operation.id


def closed(operation: Operation) -> str:
    """That nothing can be said of an operation any more, as a sentence."""
    when = "already " if not operation.state.ended or operation.state is OperationState.DONE else ""
    return f"{operation.id} is {when}{operation.state}; nothing was changed by this."
