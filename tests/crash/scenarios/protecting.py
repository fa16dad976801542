"""Killed while what is latest is protected from deletion, and while a clean-up lifts that."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import at_commits, at_requests
from tests.crash.scenarios.images import Cleanup, Promotion

BEFORE, AFTER, LATE = CrashTiming

_BLOCK = "blockDeletionBeforeEndOfLife"
_TAG = "slipway:protected"


class PromoteProtected(Promotion):
    """The newest candidate becomes latest, and Azure is to refuse to delete it."""

    kind = "promote"
    place = "protected"
    definitions = "Protect"
    points = (
        *at_requests(AFTER, 2, of="PUT "),  # the block; the first one is the flag
        *at_requests(BEFORE, 2, of="PUT "),
        *at_requests(LATE, 2, of="PUT "),
        *at_commits(BEFORE, 16),
        *at_commits(AFTER, 18),
    )

    def check(self) -> None:
        """The newest version, and it alone, is promoted, and blocked by a note of this Slipway's."""
        newest = list(self.before)[-1]
        for name, body in self.versions.items():
            assert body["excluded"] is (False if name == newest else self.before[name]["excluded"]), name
            document = _document(self.installation, self.definition, name)
            assert document["properties"]["safetyProfile"][_BLOCK] is (name == newest)
            assert document["tags"].get(_TAG) == (self.installation.deployment if name == newest else None)
        assert {entry.path.rsplit("/", 1)[1] for entry in self.writes} == {newest}
        assert 2 <= len(self.writes) <= 3  # each once, and one of the dead bot that the next could not see


class CleanupProtected(Cleanup):
    """Of the candidates beyond seven two were latest once, and are protected still."""

    kind = "cleanup"
    place = "protected"
    shown_by = "promote-protected"
    definitions = "CleanupProtected"
    points = (
        *at_requests(AFTER, 1, of="PUT "),
        *at_requests(BEFORE, 2, of="PUT "),
        *at_requests(AFTER, 2, of="DELETE "),
        *at_commits(AFTER, 20),
    )

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.protected = set(list(self.before)[1:3])
        for name in self.protected:
            document = _document(installation, self.definition, name)
            document["properties"]["safetyProfile"][_BLOCK] = True
            document["tags"][_TAG] = installation.deployment

    def check(self) -> None:
        """What was protected went, too, each after one write that lifted it."""
        _promoted, *candidates = self.before
        gone = set(candidates[:-7])
        assert self.versions == {name: body for name, body in self.before.items() if name not in gone}
        tries = Counter((entry.method, entry.path.rsplit("/", 1)[1]) for entry in self.writes)
        assert {name for method, name in tries if method == "PUT"} == self.protected
        assert {name for method, name in tries if method == "DELETE"} == gone
        assert tries.total() <= len(gone) + len(self.protected) + 1


def _document(installation: Installation, definition: str, name: str) -> dict[str, Any]:
    """A version as the gallery holds it."""

    async def look() -> dict[str, Any]:
        found: dict[str, Any] = installation.clouds.azure.state.version(definition, name).document
        return found

    return installation.clouds.wait(look())
