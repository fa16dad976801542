"""Killed while a version is held, and while that is lifted."""

from __future__ import annotations

from typing import Any

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import after_lines, at_commits
from tests.crash.scenarios.images import GalleryScenario, Promotion

BEFORE, AFTER, LATE = CrashTiming


class Hold(GalleryScenario):
    """The newest candidate is held; no approval needed."""

    kind = "hold"
    approved = False
    definitions = "Hold"
    history = Promotion.history
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 8), *after_lines(1))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.version = list(self.before)[-1]

    @property
    def command(self) -> str:
        """``!hold Hold-7/43.… it is looked at``."""
        return f"!hold {self.definition}/{self.version} it is looked at"

    @property
    def held(self) -> list[dict[str, Any]]:
        """The holds on it."""
        rows = self.installation.rows("SELECT definition, version, person, reason, until FROM image_hold")
        return [row for row in rows if row["definition"] == self.definition.casefold()]

    def check(self) -> None:
        """It is held once, and nothing was changed in the gallery."""
        expected = {"version": self.version, "person": "alice", "reason": "it is looked at", "until": None}
        assert self.held == [{"definition": self.definition.casefold(), **expected}]
        assert self.versions == self.before
        assert self.writes == []


class Unhold(Hold):
    """A hold is lifted; no approval needed."""

    kind = "unhold"
    shown_by = "hold"
    definitions = "Unhold"
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 8), *after_lines(1))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        bot = installation.bot
        bot.skip_output()
        bot.say(super().command)
        bot.report()
        installation.settle()
        super().check()

    @property
    def command(self) -> str:
        """``!unhold Unhold-7/43.…``."""
        return f"!unhold {self.definition}/{self.version}"

    def check(self) -> None:
        """Nothing holds it, and nothing was changed in the gallery."""
        assert self.held == []
        assert self.versions == self.before
        assert self.writes == []
