"""Killed while an image version is promoted, taken back or deleted."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
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
        installation.clouds.add_definition(self.definition, self.history)
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
        *at_requests(AFTER, 1, of="PUT "),  # the write of the flag
        *at_requests(AFTER, 1, of="capsOperations"),  # waiting for its end
        *at_requests(BEFORE, 2),  # planning
        *at_requests(BEFORE, 1, of="PUT "),
        *at_requests(LATE, 1, of="PUT "),
        *at_commits(BEFORE, 3, 9, 14),
        *at_commits(AFTER, 2, 8, 16),
        *after_lines(1, 3),
    )

    def check(self) -> None:
        """The newest version, and it alone, is promoted now."""
        self._flag_was_set(list(self.before)[-1], excluded=False)


class Override(Promotion):
    """The newest candidate becomes latest in spite of its age."""

    kind = "promote-override"
    shown_by = "promote"
    definitions = "Override"
    history = History(days=(30, 20, 0), promoted=(30, 20))
    points = (*at_requests(AFTER, 1, of="PUT "), *at_commits(AFTER, 8))

    @property
    def command(self) -> str:
        """``!promote --override age Override-7 it closes a hole``."""
        return f"!promote --override age {self.definition} it closes a hole"


class Rollback(GalleryScenario):
    """Latest becomes a candidate again."""

    kind = "rollback"
    definitions = "Rollback"
    history = History(days=(30, 20), promoted=(30, 20))
    points = (*at_commits(AFTER, 12), *at_requests(AFTER, 1, of="PUT "))

    def check(self) -> None:
        """The newest version, and it alone, is excluded now, and called bad once."""
        version = list(self.before)[-1]
        self._flag_was_set(version, excluded=True)
        rows = self.installation.rows("SELECT definition, version, outcome, summary FROM image_evidence")
        found = [row for row in rows if row["definition"] == self.definition.casefold()]
        bad = {"version": version, "outcome": "failed", "summary": "rolled back"}
        assert found == [{"definition": self.definition.casefold(), **bad}]


class Announcing(GalleryScenario):
    """The candidates beyond seven are announced to go; no approval needed."""

    kind = "cleanup"
    place = "announced"
    shown_by = "hold"
    approved = False
    definitions = "Announcing"
    history = History(days=(60, *range(50, 38, -1)), promoted=(60,))
    points = (
        *at_commits(AFTER, 7, 8, 12),
        *at_commits(BEFORE, 8, 13),
        *at_requests(AFTER, 3),
        *after_lines(1),
    )

    @property
    def announced(self) -> list[dict[str, Any]]:
        """What is announced of it, oldest first."""
        rows = self.installation.rows(
            "SELECT definition, version, at, until FROM image_announcement ORDER BY version"
        )
        return [row for row in rows if row["definition"] == self.definition.casefold()]

    def check(self) -> None:
        """All that is due is announced once, and nothing was changed in the gallery."""
        _promoted, *candidates = self.before
        assert [row["version"] for row in self.announced] == candidates[:-7]
        for row in self.announced:
            at, until = (datetime.fromisoformat(row[name]) for name in ("at", "until"))
            assert until - at == timedelta(days=3)
        assert self.versions == self.before
        assert self.writes == []


class Cleanup(Announcing):
    """The candidates beyond seven go, each by a step of its own, some days after they were announced."""

    kind = "cleanup"
    place = ""
    shown_by = ""
    approved = True
    definitions = "Cleanup"
    points = (
        *at_commits(BEFORE, 20),
        *at_requests(AFTER, 1, of="DELETE "),
        *at_requests(BEFORE, 3, of="DELETE "),
        *at_requests(LATE, 5, of="DELETE "),  # the last
        *at_commits(AFTER, 21),
    )

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        installation.announce_long_ago(self.command, super().check)

    def check(self) -> None:
        """The promoted version and the newest seven candidates are left, untouched; the rest is gone, and is not
        announced any more."""
        assert self.announced == []
        _promoted, *candidates = self.before
        gone = set(candidates[:-7])
        assert len(gone) == 5
        assert self.versions == {name: body for name, body in self.before.items() if name not in gone}
        tries = Counter(entry.path.rsplit("/", 1)[1] for entry in self.writes)
        assert {entry.method for entry in self.writes} == {"DELETE"}
        assert set(tries) == gone
        assert tries.total() <= len(gone) + 1  # one crash, so one deletion at most is asked for again
