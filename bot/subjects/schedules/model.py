"""How a schedule's newest time went, and its pause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from slipway.bot.core.text import FAILED_MARK
from slipway.bot.core.uptime import SET_BACK


class Fate(StrEnum):
    """What became of a time at which a schedule was due. Stored."""

    RAN = "ran"
    SKIPPED = "skipped"
    PAUSED = "paused"
    FROZEN = "frozen"  # what it asked for was left out, as changes were frozen


class Delay(StrEnum):
    """Why a time was not looked after when it came. Stored."""

    NONE = ""
    DOWN = "down"
    BUSY = "busy"
    FAILING = "failing"

    @property
    def words(self) -> str:
        """The same as a sentence; empty where there was no delay."""
        return _DELAYS[self]


_DELAYS = {
    Delay.NONE: "",
    Delay.DOWN: "Slipway, or its machine, was not running then.",
    Delay.BUSY: "Slipway was running: its machine stood still or was busy, or its clock was set forward.",
    Delay.FAILING: "Slipway was running, and could not read or keep what it needs for that; its log says more.",
}

LATE_FOR = timedelta(days=1)
"""How long it is told that a run was late, where the next one does not come before."""


ANSWERED_WITHIN = timedelta(hours=1)
"""So long an answer may take: clouds that throttle a look at everything need less."""


@dataclass(frozen=True)
class LastRun:
    """The newest time of a schedule that was looked after.

    Attributes:
        schedule: its name.
        due: when it was due; when somebody ran it by hand, that moment.
        at: when it was looked after.
        fate: what became of it.
        delay: why that was late, if it was.
        count: how many times shared this fate, where it did not run.
        by: the id of whoever ran it by hand; empty for the clock.
        key: names the event that asked for it; empty where none did.
        outcome: what was answered, in short; empty as long as nothing is.
        operation_id: what it proposed.
    """

    schedule: str
    due: datetime
    at: datetime
    fate: Fate
    delay: Delay = Delay.NONE
    count: int = 1
    by: str = ""
    key: str = ""
    outcome: str = ""
    operation_id: str | None = None

    @property
    def failed(self) -> bool:
        """Whether what it says could not be met when it ran: it was refused, or nothing could be looked at."""
        return self.outcome.startswith(FAILED_MARK)

    @property
    def why(self) -> str:
        """Why it is in trouble, as sentences; empty where nothing says so."""
        said = f"{self.outcome.removeprefix(FAILED_MARK).rstrip('.')}." if self.failed else ""
        return " ".join(filter(None, (said, self.delay.words)))

    def unanswered(self, now: datetime) -> bool:
        """Whether it began, and should have been answered by now."""
        waits = self.fate is Fate.RAN and bool(self.key) and not self.outcome and self.operation_id is None
        return waits and now - self.at > ANSWERED_WITHIN

    def trouble(self, now: datetime, *, paused: bool) -> str:
        """That it did not run when it was due, as a sentence which stays the same; empty where all is well.

        ``paused``: whether the pause is there still that left it out.
        """
        match self.fate:
            case Fate.SKIPPED:
                return f"The schedule {self.schedule} did not run when it was due."
            case Fate.PAUSED if paused:
                return f"The schedule {self.schedule} is paused, and did not run when it was due."
            case Fate.RAN if self.failed:
                return f"The schedule {self.schedule} ran, and what it says could not be done."
            case Fate.RAN if self.unanswered(now):
                return f"The schedule {self.schedule} began, and nothing came of it."
            case Fate.RAN if self.delay and now - self.at < LATE_FOR:
                return f"The schedule {self.schedule} ran late."
        return ""


@dataclass(frozen=True)
class Pause:
    """Somebody's word that a schedule is not to run for a while.

    Attributes:
        schedule: its name.
        person: the id of whoever paused it.
        reason: their words.
        since: from when on.
        until: when it ends by itself; None for when somebody resumes it.
        key: names the step that placed it.
    """

    schedule: str
    person: str
    reason: str
    since: datetime
    until: datetime | None
    key: str

    def by_todays_clock(self, now: datetime) -> Pause:
        """The same; as if it were placed now, where a clock placed it that was ahead and has been set back since."""
        if self.since - now <= SET_BACK:
            return self
        return replace(self, since=now, until=None if self.until is None else now + (self.until - self.since))

    def holds(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.until is None or now < self.until
