"""What the repository of operations takes and gives beside whole operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slipway.bot.chat.model import Room
from slipway.bot.core.uptime import Moment
from slipway.bot.operations.model import OperationState, Plan, StepReport


@dataclass(frozen=True)
class Proposal:
    """What is stored when an operation is proposed."""

    event_key: str
    plan: Plan
    room: Room | None
    thread: str | None
    at: datetime
    doubt: str = ""  # why it may not be the requester who asks, as a sentence


@dataclass(frozen=True)
class OpenOperation:
    """An operation that has not ended: as much of it as tells what time alone does to it."""

    id: str
    kind: str
    state: OperationState
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class PastChange:
    """What operations of the past changed, or are to change: one thing, by its target, so many times; and which
    operation it is, where that has not ended."""

    target: str
    kind: str
    state: OperationState
    times: int
    operation_id: str = ""


@dataclass(frozen=True)
class StepStatus:
    """How a step stands before it is carried out.

    Attributes:
        report: how it ended; None if it has not.
        asked_to_stop: whether somebody wants the operation to stop before its next step, or it has ended, such as one
            that waits in line and loses an approval meanwhile.
        token: names it to the cloud.
        begun_at: when it was noted as begun; None where it was not.
    """

    report: StepReport | None
    asked_to_stop: bool
    token: str
    begun_at: Moment | None


class UnknownOperationError(LookupError):
    """There is no operation of this id."""

    def __init__(self, operation_id: str) -> None:
        super().__init__(f"operation {operation_id} is not in the database")
