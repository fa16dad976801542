"""Killed while a change that others made is adopted."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from slipway.bot.subjects.images.watching.change import Aspect, Change
from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import after_lines, at_commits
from tests.crash.scenarios.images import GalleryScenario, Promotion
from tests.support.clock import NOW

BEFORE, AFTER, LATE = CrashTiming

_CHANGE = """
INSERT INTO image_foreign_change (cloud, definition, notice, number, shown, qualified, change, seen_at, stage)
VALUES ('azure', ?, 1, 1, ?, 0, ?, ?, 'open')
"""


class Adoption(GalleryScenario):
    """That somebody else promoted what is latest is right; no approval needed."""

    kind = "adopt"
    approved = False
    definitions = "Adopt"
    history = Promotion.history
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 7, 8), *after_lines(1))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.version = next(name for name in reversed(self.before) if not self.before[name]["excluded"])
        change = Change(version=self.version, aspect=Aspect.PROMOTED).model_dump_json()
        told = (self.definition.casefold(), self.definition, change, f"{NOW:%Y-%m-%d %H:%M:%S.%f}")
        with closing(sqlite3.connect(installation.state / "slipway.db", timeout=30)) as connection:
            connection.execute(_CHANGE, told)
            connection.commit()

    @property
    def command(self) -> str:
        """``!adopt Adopt-7/43.… it is right``."""
        return f"!adopt {self.definition}/{self.version} it is right"

    @property
    def kept(self) -> list[dict[str, Any]]:
        """What is kept of changes to it."""
        rows = self.installation.rows(
            "SELECT shown, stage, person, reason, revision FROM image_foreign_change"
        )
        return [row for row in rows if row["shown"] == self.definition]

    def check(self) -> None:
        """It is adopted once, and nothing was changed in the gallery."""
        word = {"stage": "adopted", "person": "alice", "reason": "it is right", "revision": 2}
        assert self.kept == [{"shown": self.definition, **word}]
        assert self.versions == self.before
        assert self.writes == []
