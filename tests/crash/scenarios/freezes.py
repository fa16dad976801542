"""Killed while all changes are frozen, and while that is ended."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import Scenario, after_lines, at_commits

BEFORE, AFTER, LATE = CrashTiming


class Freeze(Scenario):
    """All changes are frozen; no approval needed."""

    kind = "freeze"
    approved = False
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 8), *after_lines(1))

    @property
    def words(self) -> str:
        """Why."""
        return f"a release is under way, {self.number}"

    @property
    def command(self) -> str:
        """``!freeze a release …``."""
        return f"!freeze {self.words}"

    @property
    def freezes(self) -> list[dict[str, Any]]:
        """Those that hold."""
        return self.installation.rows("SELECT person, reason, until FROM freeze WHERE ended_at IS NULL")

    def check(self) -> None:
        """It is there, once; and is taken away, as the next operation is to change something."""
        assert self.freezes == [{"person": "alice", "reason": self.words, "until": None}]
        with closing(sqlite3.connect(self.installation.state / "slipway.db", timeout=30)) as connection:
            connection.execute("UPDATE freeze SET ended_at = since")
            connection.commit()


class Unfreeze(Freeze):
    """A freeze is ended; no approval needed."""

    kind = "unfreeze"
    shown_by = "freeze"
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 8), *after_lines(1))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        bot = installation.bot
        bot.skip_output()
        bot.say(super().command)
        bot.report()

    @property
    def command(self) -> str:
        """``!unfreeze``."""
        return "!unfreeze"

    def check(self) -> None:
        """Nothing is frozen any more."""
        assert self.freezes == []
