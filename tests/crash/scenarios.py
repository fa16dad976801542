"""What people have the bot do while it dies, and what must be so in the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import Any

from slipway.bot.clouds.simulated.control import Logged
from tests.crash.clouds import CrashFaults
from tests.crash.installation import Installation

MACHINES = 2
"""How many are launched at once."""


class Scenario(ABC):
    """One operation, from the command to its end. A new one for each crash."""

    approved = True
    """Whether somebody has to agree."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.number = next(installation.clouds.numbers)

    @property
    def faults(self) -> CrashFaults:
        """Where its requests go."""
        return self.installation.clouds.azure_faults

    @property
    @abstractmethod
    def command(self) -> str:
        """What alice types."""

    @abstractmethod
    def check(self) -> None:
        """Fail unless the cloud is as wished, and each effect happened once."""


class GalleryScenario(Scenario):
    """A change to a definition of its own in the gallery."""

    shape: str

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.definition = f"{self.shape}-{self.number}"
        self.before = self.versions

    @property
    def command(self) -> str:
        """``!promote Promote-7``."""
        return f"!{self.shape.lower()} {self.definition}"

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

    shape = "Promote"

    def check(self) -> None:
        """The newest version, and it alone, is promoted now."""
        self._flag_was_set(list(self.before)[-1], excluded=False)


class Rollback(GalleryScenario):
    """Latest becomes a candidate again."""

    shape = "Rollback"

    def check(self) -> None:
        """The newest version, and it alone, is excluded now."""
        self._flag_was_set(list(self.before)[-1], excluded=True)


class Cleanup(GalleryScenario):
    """The candidates beyond seven go, each by a step of its own."""

    shape = "Cleanup"

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


class Launch(Scenario):
    """Two machines, or none; no approval needed."""

    approved = False

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self._before = {each["id"] for each in installation.clouds.machines(installation.deployment)}
        self._asked = self._launches()
        newest = max(each.name for each in installation.clouds.seed.images if ".x86_64-43-" in each.name)
        self._image = newest

    @property
    def faults(self) -> CrashFaults:
        """EC2's."""
        return self.installation.clouds.aws_faults

    @property
    def command(self) -> str:
        """``!launch Fedora-… --count 2``."""
        return f"!launch {self._image} --profile small --count {MACHINES}"

    def check(self) -> None:
        """Two machines more than before, both by one token, however often they were asked for."""
        fresh = [
            each
            for each in self.installation.clouds.machines(self.installation.deployment)
            if each["id"] not in self._before
        ]
        assert len(fresh) == MACHINES
        assert all(each["state"] == "running" for each in fresh)
        assert len({each["tags"]["slipway:token"] for each in fresh}) == 1
        assert 1 <= self._launches() - self._asked <= 2

    def _launches(self) -> int:
        return sum(entry.label == "RunInstances" for entry in self.installation.clouds.aws.requests)


class Termination(Scenario):
    """One machine of two is ended; no approval needed."""

    approved = False

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        launch = Launch(installation)
        known = {each["id"] for each in installation.clouds.machines(installation.deployment)}
        installation.bot.skip_output()
        installation.bot.say(launch.command)
        installation.bot.until(lambda line: line["thread"] is not None)
        installation.settle()
        launch.check()
        fresh = [
            each for each in installation.clouds.machines(installation.deployment) if each["id"] not in known
        ]
        self._machine, *_ = (each["id"] for each in fresh)
        self._others = self._alive() - {self._machine}
        self._asked = self._terminations()

    @property
    def faults(self) -> CrashFaults:
        """EC2's."""
        return self.installation.clouds.aws_faults

    @property
    def command(self) -> str:
        """``!terminate i-…``."""
        return f"!terminate {self._machine}"

    def check(self) -> None:
        """That machine is gone, every other lives."""
        assert self._alive() == self._others
        assert 1 <= self._terminations() - self._asked <= 2

    def _alive(self) -> set[str]:
        machines = self.installation.clouds.machines(self.installation.deployment)
        return {each["id"] for each in machines if each["state"] == "running"}

    def _terminations(self) -> int:
        return sum(entry.label == "TerminateInstances" for entry in self.installation.clouds.aws.requests)


SCENARIOS: dict[str, Callable[[Installation], Scenario]] = {
    "promote": Promotion,
    "rollback": Rollback,
    "cleanup": Cleanup,
    "launch": Launch,
    "terminate": Termination,
}
