"""Killed while a schedule is paused, and while it is resumed."""

from __future__ import annotations

from typing import Any

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import Scenario, after_lines, at_commits

BEFORE, AFTER, LATE = CrashTiming


class Pause(Scenario):
    """A schedule is paused; no approval needed."""

    kind = "schedule-pause"
    approved = False
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 8), *after_lines(1))

    @property
    def words(self) -> str:
        """Why it is paused."""
        return f"a release is under way, {self.number}"

    @property
    def command(self) -> str:
        """``!schedule pause yearly a release …``."""
        return f"!schedule pause yearly {self.words}"

    @property
    def pauses(self) -> list[dict[str, Any]]:
        """Those that there are."""
        return self.installation.rows("SELECT schedule, person, reason, until FROM schedule_pause")

    def check(self) -> None:
        """It is paused, with what was said of it last."""
        expected = {"schedule": "yearly", "person": "alice", "reason": self.words, "until": None}
        assert self.pauses == [expected]


class Resume(Pause):
    """A schedule is resumed; no approval needed."""

    kind = "schedule-resume"
    shown_by = "schedule-pause"
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 8), *after_lines(1))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        bot = installation.bot
        bot.skip_output()
        bot.say(super().command)
        bot.report()

    @property
    def command(self) -> str:
        """``!schedule resume yearly``."""
        return "!schedule resume yearly"

    def check(self) -> None:
        """It is not paused any more."""
        assert self.pauses == []
