"""Long-running operations: what one does, when it ends, and how its addresses show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from slipway.bot.clouds.simulated.azure.errors import error_body
from slipway.bot.clouds.simulated.azure.times import arm_time
from slipway.bot.clouds.simulated.faults import FaultKind

Key = tuple[str, str]  # definition and version, case-folded: ARM ignores case in names


class Outcome(StrEnum):
    """How a long-running operation ends."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass(frozen=True)
class Terms:
    """What a write depends on besides its body.

    Attributes:
        if_match: the ETag that it is bound to.
        fault: what its operation shall meet.
        code: the error code of an operation that fails.
        message: the words of it.
    """

    if_match: str | None = None
    fault: FaultKind | None = None
    code: str = ""
    message: str = ""

    @property
    def outcome(self) -> Outcome:
        """``Canceled`` is not a kind of its own: it is a failure halfway with that code."""
        if self.fault is not FaultKind.FAIL_HALFWAY:
            return Outcome.SUCCEEDED
        return Outcome.CANCELED if self.code == Outcome.CANCELED else Outcome.FAILED


@dataclass
class LongRunningOperation:
    """A long-running operation on a version.

    Attributes:
        looks: how often it is seen running before its end; None where time decides, or nothing does.
        due: when it ends, where time decides.
        effective: whether a deletion really takes the version away.
    """

    id: str
    key: Key
    deletes: bool
    started: datetime
    looks: int | None
    due: datetime | None
    terms: Terms = field(default_factory=Terms)
    ended: datetime | None = None

    @property
    def outcome(self) -> Outcome:
        """How it ends, or has ended."""
        return self.terms.outcome

    @property
    def effective(self) -> bool:
        """Whether it does anything."""
        return self.terms.fault is not FaultKind.NOT_DONE

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.ended is not None

    @property
    def failure(self) -> dict[str, Any] | None:
        """The error's JSON where it has ended in one."""
        if not self.done or self.outcome is Outcome.SUCCEEDED:
            return None
        message = self.terms.message or "The operation did not succeed."
        return error_body(self.terms.code or "InternalOperationError", message)

    def ends_now(self, now: datetime) -> bool:
        """Count a look, and say whether it is the one that sees the end."""
        if self.done:
            return False
        if self.due is not None:
            return now >= self.due
        if self.looks is None:
            return False
        self.looks -= 1
        return self.looks < 0

    def shown(self) -> dict[str, Any]:
        """The body that its ``Azure-AsyncOperation`` address answers with."""
        body: dict[str, Any] = {"startTime": arm_time(self.started)}
        if self.ended is not None:
            body["endTime"] = arm_time(self.ended)
        body["status"] = self.outcome if self.done else "InProgress"
        return {**body, **(self.failure or {}), "name": self.id}


def ends_at(started: datetime, takes: timedelta | None, terms: Terms) -> datetime | None:
    """When an operation ends; None where looks decide, or where it never does."""
    if takes is None or terms.fault is FaultKind.NEVER_END:
        return None
    return started + takes
