"""Killed while a version is revoked, at once, or at a time that was agreed to."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.crash.clouds import CrashTiming, History
from tests.crash.installation import Installation, until
from tests.crash.scenario import after_lines, at_commits, at_requests
from tests.crash.scenarios.images import GalleryScenario

BEFORE, AFTER, LATE = CrashTiming


class Revoke(GalleryScenario):
    """Latest is out of latest, and bad."""

    kind = "revoke"
    shown_by = "rollback"
    definitions = "Revoke"
    history = History(days=(30, 20), promoted=(30, 20))
    points = (
        *at_requests(AFTER, 1, of="PUT "),
        *at_commits(BEFORE, 14),
        *at_commits(AFTER, 12, 16),
        *after_lines(2),
    )
    option = ""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.version = list(self.before)[-1]

    @property
    def command(self) -> str:
        """``!revoke Revoke-7/43.… it hangs``."""
        return f"!revoke {self.option}{self.definition}/{self.version} it hangs"

    def check(self) -> None:
        """The newest version, and it alone, is excluded now, and called bad once."""
        self._flag_was_set(self.version, excluded=True)
        rows = self.installation.rows("SELECT definition, version, outcome, summary FROM image_evidence")
        found = [row for row in rows if row["definition"] == self.definition.casefold()]
        bad = {"version": self.version, "outcome": "failed", "summary": "revoked: it hangs"}
        assert found == [{"definition": self.definition.casefold(), **bad}]


class RevokeLater(Revoke):
    """The same at a time that comes while the bot is down: the next one carries out what was agreed to before."""

    kind = "revoke"
    place = "later"
    shown_by = ""
    definitions = "RevokeLater"
    points = (*at_commits(AFTER, 8), *at_commits(BEFORE, 7), *at_commits(AFTER, 6))
    option = "--at 1s "

    def while_down(self) -> None:
        """Its time comes."""
        plans = [json.loads(each["plan"]).get("not_before") for each in self.installation.operations()]
        due = max(datetime.fromisoformat(each) for each in plans if each is not None)
        until("its time has come", lambda: datetime.now(UTC) > due)
