"""Killed while somebody's verdict on a version is recorded."""

from __future__ import annotations

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import after_lines, at_commits
from tests.crash.scenarios.images import GalleryScenario, Promotion

BEFORE, AFTER, LATE = CrashTiming


class Bad(GalleryScenario):
    """The newest candidate is said to be bad; no approval needed."""

    kind = "bad"
    approved = False
    definitions = "Bad"
    history = Promotion.history
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 8, 9), *after_lines(1))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.version = list(self.before)[-1]

    @property
    def command(self) -> str:
        """``!bad Bad-7/43.… it hangs``."""
        return f"!{self.kind} {self.definition}/{self.version} it hangs"

    def check(self) -> None:
        """It is recorded once, and nothing was changed in the gallery."""
        rows = self.installation.rows(
            "SELECT definition, version, kind, outcome, summary FROM image_evidence"
        )
        assert [row for row in rows if row["definition"] == self.definition.casefold()] == [
            {
                "definition": self.definition.casefold(),
                "version": self.version,
                "kind": "verdict",
                "outcome": "failed" if self.kind == "bad" else "passed",
                "summary": "it hangs",
            }
        ]
        assert self.versions == self.before
        assert self.writes == []


class Good(Bad):
    """The newest candidate is said to be good."""

    kind = "good"
    shown_by = "bad"
    definitions = "Good"
    points = (*at_commits(AFTER, 8), *after_lines(2))
