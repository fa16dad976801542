"""Killed while an emergency is reviewed."""

from __future__ import annotations

from typing import Any

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import at_commits
from tests.crash.scenarios.images import GalleryScenario, Promotion

BEFORE, AFTER, LATE = CrashTiming


class Review(GalleryScenario):
    """What bob let run in an emergency is reviewed by alice; no approval needed."""

    kind = "emergency-review"
    shown_by = "problem-ack"
    approved = False
    definitions = "Reviewed"
    history = Promotion.history
    points = at_commits(AFTER, 7)

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        bot = installation.bot
        bot.skip_output()
        version = list(self.before)[-1]
        bot.say(f"@bob: !hold {self.definition}/{version} it is looked at --emergency it burns")
        bot.report()
        self.operation = installation.operations()[-1]["id"]

    @property
    def reviews(self) -> list[dict[str, Any]]:
        """What was said of it."""
        query = "SELECT reviewed_by, verdict, review FROM emergency WHERE operation_id = ?"
        return self.installation.rows(query, self.operation)

    @property
    def command(self) -> str:
        """``!emergency review op-… justified it did``."""
        return f"!emergency review {self.operation} justified it did"

    def check(self) -> None:
        """It is reviewed, once."""
        assert self.reviews == [{"reviewed_by": "alice", "verdict": "justified", "review": "it did"}]
