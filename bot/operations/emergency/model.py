"""What is kept of an emergency until somebody has reviewed it, and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What whoever reviewed an emergency thinks of it. Stored."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


@dataclass(frozen=True)
class Review:
    """What somebody said of an emergency.

    Attributes:
        by: who, by their id.
        verdict: whether it was right not to wait.
        words: what they said beside that.
        at: when.
        key: names the step that stored it.
    """

    by: str
    verdict: Verdict
    words: str
    at: datetime
    key: str


@dataclass(frozen=True)
class Emergency:
    """An operation whose approvals were passed.

    Attributes:
        operation_id: which.
        command: the line that asked for it.
        person: who did, by their id.
        reason: why.
        at: when it was let run.
        state: where the operation is, in a word.
        told: whether all rooms were told.
        review: what somebody else said of it; None for nothing yet.
    """

    operation_id: str
    command: str
    person: str
    reason: str
    at: datetime
    state: str
    told: bool
    review: Review | None = None
