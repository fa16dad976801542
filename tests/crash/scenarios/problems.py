"""Killed while a problem is acknowledged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation, until
from tests.crash.scenario import Scenario, after_lines, at_commits
from tests.support.clock import NOW
from tests.support.ssh_keys import ed25519

BEFORE, AFTER, LATE = CrashTiming

_KEY = """
INSERT OR IGNORE INTO ssh_key (person, fingerprint, source, account, account_id, line, added_at, checked_at, refused,
                               refused_at, owner_told)
VALUES ('carol', 'SHA256:crash', 'github', 'carol', '7', ?, ?, ?, 'GitHub calls it another one now.', ?, 1)
"""


class Acknowledgement(Scenario):
    """That a reader's keys are refused is acknowledged; no approval needed."""

    kind = "problem-ack"
    approved = False
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 8), *after_lines(1))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        if not self.problems:
            self._refuse_keys()
        (problem,) = self.problems
        self.problem = problem["id"]
        self.words = f"carol is told, {self.number}"

    @property
    def problems(self) -> list[dict[str, Any]]:
        """What there is in the list."""
        return self.installation.rows("SELECT * FROM problem WHERE state = 'open' AND source = 'ssh-keys'")

    @property
    def command(self) -> str:
        """``!problem ack pb-…``."""
        return f"!problem ack {self.problem} {self.words}"

    def check(self) -> None:
        """It is there, once, with what was said of it last."""
        (found,) = self.problems
        assert (found["id"], found["acknowledged_by"]) == (self.problem, "alice")
        assert found["acknowledged_reason"] == self.words

    def _refuse_keys(self) -> None:
        """Have something be wrong, and the bot see it: it looks when it starts."""
        at = f"{NOW:%Y-%m-%d %H:%M:%S.%f}"
        with closing(sqlite3.connect(self.installation.state / "slipway.db", timeout=30)) as connection:
            connection.execute(_KEY, (ed25519(1), at, at, at))
            connection.commit()
        self.installation.bot.kill()
        self.installation.start()
        until("the problem was seen", lambda: bool(self.problems))
