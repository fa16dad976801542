"""Killed while a version comes to a region that its promotion left out."""

from __future__ import annotations

from tests.crash.clouds import CrashTiming, History
from tests.crash.installation import Installation, until
from tests.crash.scenario import at_commits, at_requests
from tests.crash.scenarios.images import GalleryScenario

BEFORE, AFTER, LATE = CrashTiming


class RegionRetry(GalleryScenario):
    """The region is added, its copy is waited for, and the version is latest there, too; nobody has to agree."""

    kind = "region-retry"
    shown_by = "promote"
    definitions = "Retry"
    history = History(days=(30, 3), promoted=(30,))
    approved = False
    points = (
        *at_requests(AFTER, 1, 2, of="PUT"),  # the region; its flag
        *at_requests(BEFORE, 2, of="PUT"),
        *at_requests(LATE, 1, of="PUT"),
        *at_commits(BEFORE, 9),
        *at_commits(AFTER, 7, 11),
    )

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        bot, self.version = installation.bot, list(self.before)[-1]
        bot.skip_output()
        bot.say(f"!promote --without uksouth {self.definition} it has no room")
        card = bot.until(lambda line: bool(line["buttons"]))
        number = next(each["number"] for each in card["buttons"] if each["choice"] == "approve")
        bot.say(f"@bob: {number}")
        until("it is promoted", lambda: installation.operations()[-1]["state"] == "done")
        installation.settle()

    @property
    def command(self) -> str:
        """``!region retry Retry-7``."""
        return f"!region retry {self.definition}"

    def check(self) -> None:
        """The newest version launches in both regions, and the older one is as it was."""
        found = self.versions
        assert found.keys() == self.before.keys()
        body = found[self.version]
        assert (body["state"], body["excluded"]) == ("Succeeded", False)
        assert body["regions"]["uksouth"] in (None, False)
        oldest = next(iter(self.before))
        assert found[oldest] == self.before[oldest]
