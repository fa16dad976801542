"""Killed while a deleted version is brought back."""

from __future__ import annotations

from tests.crash.clouds import CrashTiming, History
from tests.crash.installation import Installation
from tests.crash.scenario import after_lines, at_commits, at_requests
from tests.crash.scenarios.images import GalleryScenario

BEFORE, AFTER, LATE = CrashTiming


class Restore(GalleryScenario):
    """What was latest was deleted by another way: it comes back, and is latest nowhere."""

    kind = "restore"
    definitions = "Restore"
    history = History(days=(30, 20), promoted=(30, 20))
    points = (
        *at_requests(AFTER, 1, 2, of="PUT "),  # it comes back; it is excluded
        *at_requests(BEFORE, 1, 2, of="PUT "),
        *at_requests(LATE, 1, 2, of="PUT "),
        *at_commits(BEFORE, 14),
        *at_commits(AFTER, 12),
        *after_lines(2),
    )

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.version = list(self.before)[-1]
        installation.clouds.delete_softly(self.definition, self.version)

    @property
    def command(self) -> str:
        """``!restore Restore-7/43.…``."""
        return f"!restore {self.definition}/{self.version}"

    def check(self) -> None:
        """It is there again, once, and excluded; the other one is as it was."""
        found = self.versions
        assert list(found) == list(self.before)
        assert found[self.version]["state"] == "Succeeded"
        assert found[self.version]["excluded"]
        older = next(iter(self.before))
        assert found[older] == self.before[older]
        # It comes back by one write and is excluded by another; the dead bot's may have been either.
        assert 2 <= len(self.writes) <= 4
        assert {entry.method for entry in self.writes} == {"PUT"}
