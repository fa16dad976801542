"""Killed while a promotion copies to regions and goes by waves, and while a rollback comes between two of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.bot.clouds.simulated.azure.replication import Copy
from tests.crash.clouds import CrashTiming, History
from tests.crash.installation import Installation, until
from tests.crash.scenario import at_commits, at_requests
from tests.crash.scenarios.images import GalleryScenario

BEFORE, AFTER, LATE = CrashTiming


class WavesScenario(GalleryScenario):
    """A promotion of the newest candidate, which ``[replication]`` says more of."""

    history = History(days=(30, 3), promoted=(30,))

    @property
    def newest(self) -> str:
        """The candidate."""
        return list(self.before)[-1]

    def latest(self, region: str) -> str | None:
        """What the definition resolves to there."""

        async def look() -> str | None:
            return self.installation.clouds.azure.state.latest(self.definition, region)

        return self.installation.clouds.wait(look())

    def _only_the_newest_was_written(self, times: int) -> None:
        oldest = next(iter(self.before))
        assert self.versions.keys() == self.before.keys()
        assert self.versions[oldest] == self.before[oldest]
        assert {(entry.method, entry.path.rsplit("/", 1)[1]) for entry in self.writes} == {
            ("PUT", self.newest)
        }
        assert times <= len(self.writes) <= times + 1  # and one of the dead bot that the next could not see


class Waves(WavesScenario):
    """It is copied to a region more, which takes a while, and latest region by region with time between."""

    kind = "promote"
    place = "waves"
    shown_by = "promote"
    definitions = "Waves"
    points = (*at_commits(AFTER, 15), *at_requests(LATE, 1, of="PUT"))  # it waits for its copy; it is copied

    def check(self) -> None:
        """It is latest in all three regions; each wave and the copies took one write."""
        for region in ("eastus", "westeurope", "northeurope"):
            assert self.latest(region) == self.newest
        self._only_the_newest_was_written(4)


class LeftOut(WavesScenario):
    """Its copy failed in one region, and with it the whole version: it is taken off there, and promoted."""

    kind = "promote"
    place = "left-out"
    shown_by = "promote"
    definitions = "Left"
    points = (*at_requests(LATE, 1, of="PUT"),)  # it is taken off

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        installation.clouds.wait(self._fail("uksouth"))

    @property
    def command(self) -> str:
        """``!promote --without uksouth Left-7 it has no room``."""
        return f"!promote --without uksouth {self.definition} it has no room"

    async def _fail(self, region: str) -> None:
        """Let the candidate's copy in this region have failed."""
        now = datetime.now(UTC)
        record = self.installation.clouds.azure.state.version(self.definition, self.newest)
        targets: list[dict[str, Any]] = record.document["properties"]["publishingProfile"]["targetRegions"]
        targets.append({**targets[-1], "name": region})
        record.copies[region] = Copy(now - timedelta(hours=1), timedelta(), fails=True)
        record.state = "Failed"

    def check(self) -> None:
        """It is latest where it is, and not in the region any more."""
        for region in ("eastus", "westeurope"):
            assert self.latest(region) == self.newest
        body = self.versions[self.newest]
        assert (body["state"], "uksouth" in body["regions"]) == ("Succeeded", False)
        self._only_the_newest_was_written(2)


class RollbackBetween(WavesScenario):
    """Taken back while its promotion waits for the second wave: only what moved moves back, and nothing follows."""

    kind = "rollback"
    place = "between-waves"
    shown_by = "rollback"
    definitions = "Between"
    points = (*at_requests(AFTER, 1, of="PUT"),)  # the flag of the first wave

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        bot = installation.bot
        bot.skip_output()
        bot.say(f"!promote {self.definition}")
        card = bot.until(lambda line: bool(line["buttons"]))
        number = next(each["number"] for each in card["buttons"] if each["choice"] == "approve")
        waits = len(self._waits())
        bot.say(f"@bob: {number}")
        until("it bakes", lambda: len(self._waits()) > waits)
        self.promotion = str(installation.operations()[-1]["id"])
        installation.waiting.add(self.promotion)
        assert self.latest("eastus") == self.newest
        self._promoted_by = len(self.writes)

    def check(self) -> None:
        """The older version is latest in all regions, and stays so when the wait is over."""
        oldest = next(iter(self.before))
        assert {self.latest(region) for region in ("eastus", "westeurope")} == {oldest}
        self._only_the_newest_was_written(self._promoted_by + 1)
        writes = len(self.writes)
        self.installation.write(
            "UPDATE step_wait SET begun_at = datetime(begun_at, '-2 hours'), boot = 'the one before'"
        )
        self.installation.waiting.clear()
        self.installation.settle()
        (ended,) = [each for each in self.installation.operations() if each["id"] == self.promotion]
        # Planned again before what is left, or, where that went quicker, looked at by the step itself.
        assert ended["state"] in ("stale", "failed")
        words = ("was rolled back after this was planned", "is not promoted in eastus, which comes first")
        assert any(each in ended["outcome"] for each in words), ended["outcome"]
        assert len(self.writes) == writes

    def _waits(self) -> list[dict[str, Any]]:
        return self.installation.rows("SELECT token FROM step_wait")
