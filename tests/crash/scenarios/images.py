"""Killed while an image version is promoted, taken back or deleted."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from slipway.bot.clouds.simulated.control import Logged
from tests.crash.clouds import CrashTiming, History
from tests.crash.installation import Installation
from tests.crash.scenario import Scenario, after_lines, at_commits, at_requests

BEFORE, AFTER, LATE = CrashTiming


class GalleryScenario(Scenario):
    """A change to a definition of its own in the gallery."""

    definitions: ClassVar[str]
    """What the definitions that it changes are called, before their number."""

    history: ClassVar[History]
    """What they have been through."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.definition = f"{self.definitions}-{self.number}"
        self.before = self.versions

    @property
    def command(self) -> str:
        """``!promote Promote-7``."""
        return f"!{self.kind} {self.definition}"

    @property
    def versions(self) -> dict[str, Any]:
        """The definition's versions as they are now, by name, oldest first."""
        found = self.installation.clouds.versions(self.definition)
        return {name: found[name] for name in sorted(found)}

    @property
    def writes(self) -> list[Logged]:
        """The requests that were to change it."""
        inside = f"/images/{self.definition}/"
        return [entry for entry in self.installation.clouds.azure.writes if inside in entry.path]

    def _flag_was_set(self, version: str, *, excluded: bool) -> None:
        for name, body in self.versions.items():
            wished = excluded if name == version else self.before[name]["excluded"]
            assert body["state"] == "Succeeded"
            assert body["excluded"] is wished, name
        # A write of the dead bot, and one of the next that could not see it; never one of another version.
        assert 1 <= len(self.writes) <= 2
        assert {(entry.method, entry.path.rsplit("/", 1)[1]) for entry in self.writes} == {("PUT", version)}


class Promotion(GalleryScenario):
    """The newest candidate becomes latest."""

    kind = "promote"
    definitions = "Promote"
    history = History(days=(30, 20, 3), promoted=(30, 20))
    points = (
        *at_requests(AFTER, 6, 7),  # the write of the flag; waiting for its end
        *at_requests(BEFORE, 2, 6),  # planning; the write
        *at_requests(LATE, 6),
        *at_commits(BEFORE, 3, 9, 14),
        *at_commits(AFTER, 2, 8, 16),
        *after_lines(1, 3),
    )

    def check(self) -> None:
        """The newest version, and it alone, is promoted now."""
        self._flag_was_set(list(self.before)[-1], excluded=False)


class Rollback(GalleryScenario):
    """Latest becomes a candidate again."""

    kind = "rollback"
    definitions = "Rollback"
    history = History(days=(30, 20), promoted=(30, 20))
    points = (*at_commits(AFTER, 12), *at_requests(AFTER, 7))

    def check(self) -> None:
        """The newest version, and it alone, is excluded now."""
        self._flag_was_set(list(self.before)[-1], excluded=True)


class Cleanup(GalleryScenario):
    """The candidates beyond seven go, each by a step of its own."""

    kind = "cleanup"
    definitions = "Cleanup"
    history = History(days=(60, *range(50, 38, -1)), promoted=(60,))
    points = (
        *at_commits(BEFORE, 20),
        *at_requests(AFTER, 5),  # the first deletion
        *at_requests(BEFORE, 15),  # the third
        *at_requests(LATE, 25),  # the last
        *at_commits(AFTER, 21),
    )

    def check(self) -> None:
        """The promoted version and the newest seven candidates are left, untouched; the rest is gone."""
        _promoted, *candidates = self.before
        gone = set(candidates[:-7])
        assert len(gone) == 5
        assert self.versions == {name: body for name, body in self.before.items() if name not in gone}
        tries = Counter(entry.path.rsplit("/", 1)[1] for entry in self.writes)
        assert {entry.method for entry in self.writes} == {"DELETE"}
        assert set(tries) == gone
        assert tries.total() <= len(gone) + 1  # one crash, so one deletion at most is asked for again
