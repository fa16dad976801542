"""What is stored of a step-up, and how many wrong codes are borne: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

OPEN_FOR = timedelta(minutes=5)
"""How long a code is waited for once somebody has pressed."""

TRIES = 5
"""Wrong codes in succession after which a person is locked out. Of a million codes three are right at a time: so many
tries hit one with a chance of 1 in 67,000."""

LOCKED_FOR = timedelta(minutes=15)
"""The first time; each further time twice as long. RFC 4226, 7.3, asks for such a bound."""

LONGEST_LOCK = timedelta(days=1)


class CodeOutcome(StrEnum):
    """What became of a code that somebody gave. Stored."""

    RIGHT = "right"
    WRONG = "wrong"
    USED = "used"  # it was right, and had been given before, or one after it
    LOCKED = "locked"  # it was not looked at
    NOT_ASKED = "not-asked"  # nobody had pressed, or too long ago; if it was right, it is used up
    UNCLEAR = "unclear"  # several operations wait for a code
    NO_SECRET = "no-secret"  # noqa: S105  a word, and none
    SEEN = "seen"  # others could see it; if it was right, it is used up


@dataclass(frozen=True)
class CodeRequest:
    """Somebody pressed, and is asked for a code.

    Attributes:
        person: who, by their id.
        operation_id: which operation they agree to.
        digest: which plan.
        reason: what they said with it.
        asked_at: when.
        until: how long a code counts for it.
    """

    person: str
    operation_id: str
    digest: str
    reason: str
    asked_at: datetime
    until: datetime


@dataclass(frozen=True)
class Heard:
    """What became of a code.

    Attributes:
        outcome: that.
        operation_id: of what is right, the operation that it counts for; of what is unclear, nothing.
        digest: the plan of that operation.
        reason: what was said with the press.
        locked_until: until when no code of the person's counts; None where they are not locked out.
    """

    outcome: CodeOutcome
    operation_id: str = ""
    digest: str = ""
    reason: str = ""
    locked_until: datetime | None = None

    @property
    def right(self) -> bool:
        """Whether what was asked for counts."""
        return self.outcome is CodeOutcome.RIGHT


def lock_after(tries: int) -> timedelta | None:
    """How long a person is locked out after so many wrong codes in succession; None where they may try again.

    A right code begins the count anew, and nothing else does.
    """
    times, rest = divmod(tries, TRIES)
    if rest or not times:
        return None
    return min(LOCKED_FOR * (1 << min(times - 1, 16)), LONGEST_LOCK)
