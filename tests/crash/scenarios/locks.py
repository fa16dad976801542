"""Killed while a lock is released whose holder has ended."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import Scenario, after_lines, at_commits
from tests.support.clock import NOW

BEFORE, AFTER, LATE = CrashTiming


class Release(Scenario):
    """A lock is released; no approval needed. What has ended keeps none but by a fault, which is made here."""

    kind = "lock-release"
    approved = False
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 8), *after_lines(1))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        bot = installation.bot
        bot.skip_output()
        bot.say(f"!schedule pause yearly a holder is needed, {self.number}")
        bot.report()
        (self.holder,) = installation.rows("SELECT id FROM operation ORDER BY sequence DESC LIMIT 1")[
            0
        ].values()
        self._leave_a_lock()

    def _leave_a_lock(self) -> None:
        at = f"{NOW:%Y-%m-%d %H:%M:%S.%f}"
        with closing(sqlite3.connect(self.installation.state / "slipway.db", timeout=30)) as connection:
            connection.execute(
                "INSERT INTO operation_lock (target, operation_id, ticket, asked_at, since) VALUES (?, ?, 1, ?, ?)",
                (f"definition {self.number}", self.holder, at, at),
            )
            connection.commit()

    @property
    def locks(self) -> list[dict[str, Any]]:
        """Those of the holder."""
        return [
            row
            for row in self.installation.rows("SELECT * FROM operation_lock")
            if row["operation_id"] == self.holder
        ]

    @property
    def command(self) -> str:
        """``!lock release op-… the holder has ended``."""
        return f"!lock release {self.holder} the holder has ended, {self.number}"

    def check(self) -> None:
        """It is gone."""
        assert self.locks == []
