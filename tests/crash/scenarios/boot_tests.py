"""Killed while an image is boot-tested: one machine, gone in the end, and one result."""

from __future__ import annotations

from tests.crash.clouds import CrashFaults, CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import Scenario, after_lines, at_commits, at_requests
from tests.crash.scenarios.azure_machines import CREATED, AzureScenario

BEFORE, AFTER, LATE = CrashTiming


class BootTest(Scenario):
    """Of an image in EC2 that is in no gallery; no approval needed."""

    kind = "test"
    approved = False
    points = (
        *at_requests(LATE, 24),  # RunInstances
        *at_requests(BEFORE, 24, 28),  # and the look at the status checks
        *at_requests(AFTER, 20, 26),
        *at_commits(BEFORE, 7, 9, 11),
        *after_lines(2),
    )

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self._before = set(self._all())
        self._image = max(each.name for each in installation.clouds.seed.images if ".x86_64-43-" in each.name)

    @property
    def faults(self) -> CrashFaults:
        """EC2's."""
        return self.installation.clouds.aws_faults

    @property
    def command(self) -> str:
        """``!test Fedora-…``."""
        return f"!test {self._image}"

    def check(self) -> None:
        """One machine was made, and it is gone, in EC2 as in what is stored."""
        fresh = {key: state for key, state in self._all().items() if key not in self._before}
        assert list(fresh.values()) == ["terminated"]
        rows = self.installation.rows("SELECT instance_id, ended_at FROM machine")
        (stored,) = [row for row in rows if row["instance_id"] in fresh]
        assert stored["ended_at"] is not None

    def _all(self) -> dict[str, str]:
        machines = self.installation.clouds.machines(self.installation.deployment)
        return {each["id"]: each["state"] for each in machines}


class AzureBootTest(AzureScenario):
    """Of a version in the gallery of an account on Azure."""

    kind = "test"
    shown_by = "test"
    points = (
        *at_requests(LATE, 43),  # the machine's PUT
        *at_requests(AFTER, 60),
        *at_commits(BEFORE, 10),  # the result
    )

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        (definition,) = installation.clouds.azure_machines.snapshot()["definitions"].items()
        self._name, body = definition
        (self._version,) = body["versions"]
        self._known = len(self._results())

    @property
    def command(self) -> str:
        """``!test Machines-x64/43.…``."""
        return f"!test {self._name}/{self._version}"

    def check(self) -> None:
        """One machine was made, nothing of it is left, and one result is recorded."""
        assert self.fresh == []
        assert self.parts == self.parts_before
        assert self._results()[self._known :] == ["passed"]

    def _results(self) -> list[str]:
        query = "SELECT outcome FROM image_evidence WHERE kind = 'boot' ORDER BY number"
        return [row["outcome"] for row in self.installation.rows(query)]

    def _made(self) -> int:
        asked = self.installation.clouds.azure_machines.requests
        return sum(
            (entry.method, entry.status) == ("PUT", CREATED) and "/virtualMachines/" in entry.path
            for entry in asked
        )
