"""Killed while machines are launched or ended."""

from __future__ import annotations

from tests.crash.clouds import CrashFaults, CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import Scenario, after_lines, at_commits, at_requests

BEFORE, AFTER, LATE = CrashTiming

MACHINES = 2
"""How many are launched at once."""


class Launch(Scenario):
    """Two machines, or none; no approval needed."""

    kind = "launch"
    approved = False
    points = (
        *at_requests(LATE, 8),  # RunInstances
        *at_requests(BEFORE, 4, 8),  # planning again; RunInstances
        *at_requests(AFTER, 8),
        *at_commits(BEFORE, 7),
        *after_lines(2),
    )

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

    kind = "terminate"
    approved = False
    points = (*at_requests(BEFORE, 4), *at_requests(AFTER, 4), *at_commits(AFTER, 9))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        launch = Launch(installation)
        known = {each["id"] for each in installation.clouds.machines(installation.deployment)}
        installation.bot.skip_output()
        installation.bot.say(launch.command)
        installation.bot.report()
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
