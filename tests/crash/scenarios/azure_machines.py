"""Killed while machines on Azure are launched, stopped, started or ended, and while what they left is removed.

There every machine is a request of its own, bound to there being none of its name, and every change a long-running
operation: the next process has to find what the last one began, and to wait for its end.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from slipway.bot.clouds.simulated.azure.machines.parts import ADDRESSES, DISKS, INTERFACES
from slipway.bot.clouds.simulated.azure.machines.state import MachinesState
from tests.crash.clouds import CrashFaults, CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import Scenario, at_commits, at_requests

BEFORE, AFTER, LATE = CrashTiming

MACHINES = 2
"""How many are launched at once."""

PARTS = (DISKS, INTERFACES, ADDRESSES)
"""What each machine has one of."""

CREATED = 201

T = TypeVar("T")


class AzureScenario(Scenario):
    """On Azure, by the profile ``cloudy``; no approval needed."""

    place = "azure"
    approved = False

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.before = self.machines
        self.parts_before = self.parts

    @property
    def faults(self) -> CrashFaults:
        """Those of the account with machines."""
        return self.installation.clouds.machines_faults

    @property
    def machines(self) -> Mapping[str, Mapping[str, Any]]:
        """This deployment's machines by name: their tags, what they are doing, and how they are provisioned."""
        return self.look(
            lambda state: {
                each.name: {
                    "tags": dict(each.document["tags"]),
                    "power": each.power,
                    "state": each.state,
                }
                for each in state.all_machines()
                if each.document["tags"].get("slipway") == self.installation.deployment
            }
        )

    @property
    def parts(self) -> frozenset[str]:
        """Every disk, interface and address that there is."""
        return self.look(lambda state: frozenset(name for kind in PARTS for name in state.things[kind]))

    @property
    def fresh(self) -> list[str]:
        """The machines that are there since this began, by name."""
        return sorted(self.machines.keys() - self.before.keys())

    def look(self, at: Callable[[MachinesState], T]) -> T:
        """Look at what Azure holds."""

        async def look() -> T:
            return copy.deepcopy(at(self.installation.clouds.azure_machines.machines))

        return self.installation.clouds.wait(look())

    def asked(self, method: str, ending: str) -> int:
        """How often Azure was asked so, by method and the end of the path."""
        return sum(
            entry.method == method and entry.path.endswith(ending)
            for entry in self.installation.clouds.azure_machines.requests
        )


class AzureLaunch(AzureScenario):
    """Two machines, or none, with all that belongs to them."""

    kind = "launch"
    profile = "cloudy"
    count = MACHINES
    points = (
        *at_requests(LATE, 30),  # the first machine's PUT
        *at_requests(BEFORE, 30),
        *at_requests(AFTER, 31, 32),  # the second's, and a look at its operation
        *at_commits(BEFORE, 7),
    )

    @property
    def command(self) -> str:
        """``!launch Machines-x64 --profile cloudy --count 2``."""
        return f"!launch Machines-x64 --profile {self.profile} --count {self.count}"

    def check(self) -> None:
        """So many machines more than before, made once each by one token, and stored."""
        fresh = self.fresh
        assert len(fresh) == self.count
        found = [self.machines[name] for name in fresh]
        assert [(each["power"], each["state"]) for each in found] == [("running", "Succeeded")] * self.count
        assert len({each["tags"]["slipway:token"] for each in found}) == 1
        assert [self.made(name) for name in fresh] == [1] * self.count
        assert len(self.parts - self.parts_before) == self.count * len(PARTS)
        stored = self.installation.rows("SELECT instance_id FROM machine WHERE ended_at IS NULL")
        assert {row["instance_id"] for row in stored} >= set(fresh)

    def made(self, name: str) -> int:
        """How often Azure took what makes a machine of this name: itself, or a deployment that is called so."""
        asked = self.installation.clouds.azure_machines.requests
        return sum(
            (entry.method, entry.status) == ("PUT", CREATED) and entry.path.endswith(f"/{name}")
            for entry in asked
        )


class AzureSpecLaunch(AzureLaunch):
    """One machine by a deployment of a template spec, which takes no condition."""

    kind = "launch"
    place = "azure-spec"
    shown_by = "launch-azure"
    profile = "specified"
    count = 1
    points = (
        *at_requests(LATE, 1, of="deployments"),  # the PUT
        *at_requests(BEFORE, 1, of="deployments"),
        *at_requests(AFTER, 1, 2, of="deployments"),  # the PUT, and a look at what came of it
        *at_requests(AFTER, 1, of="virtualMachines/vm"),  # the look before, whether there is one of the name
        *at_commits(BEFORE, 7),
        *at_commits(AFTER, 7),
    )


class AzureMachine(AzureScenario):
    """About one of two machines that were launched before."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        launch = AzureLaunch(installation)
        installation.bot.skip_output()
        installation.bot.say(launch.command)
        installation.bot.report()
        installation.settle()
        launch.check()
        self.machine, self.other = launch.fresh
        self.prepare()

    def prepare(self) -> None:
        """What has to be so before the command."""

    @property
    def power(self) -> str:
        """What the machine is doing."""
        return str(self.machines[self.machine]["power"])

    @property
    def stopped_at(self) -> object:
        """Since when it rests, as it is stored."""
        (row,) = self.installation.rows("SELECT stopped_at FROM machine WHERE instance_id = ?", self.machine)
        return row["stopped_at"]

    @abstractmethod
    def check(self) -> None:
        """Fail unless it is as wished."""

    def check_other(self) -> None:
        """Fail unless the other machine is as it was."""
        assert self.machines[self.other]["power"] == "running"


class AzureTermination(AzureMachine):
    """It is ended, with all that is its own."""

    kind = "terminate"
    shown_by = "terminate"
    points = (
        *at_requests(AFTER, 12),
        *at_requests(BEFORE, 12),
        *at_requests(LATE, 12),
        *at_commits(AFTER, 9),
    )

    @property
    def command(self) -> str:
        """``!terminate vm-…``."""
        return f"!terminate {self.machine}"

    def check(self) -> None:
        """It is gone with its parts, and that is stored; the other lives."""
        assert self.machine not in self.machines
        assert len(self.parts - self.parts_before) == len(PARTS)
        (row,) = self.installation.rows("SELECT ended_at FROM machine WHERE instance_id = ?", self.machine)
        assert row["ended_at"] is not None
        assert 1 <= self.asked("DELETE", f"/{self.machine}") <= 2
        self.check_other()


class AzureRest(AzureMachine):
    """It is deallocated."""

    kind = "stop"
    shown_by = "stop"
    points = (*at_requests(LATE, 11), *at_requests(AFTER, 11), *at_commits(BEFORE, 7))

    @property
    def command(self) -> str:
        """``!stop vm-…``."""
        return f"!stop {self.machine}"

    def check(self) -> None:
        """It rests, which nobody pays for, and that is stored."""
        assert self.power in ("deallocating", "deallocated")
        assert self.stopped_at is not None
        assert 1 <= self.asked("POST", f"/{self.machine}/deallocate") <= 2
        self.check_other()


class AzureWake(AzureMachine):
    """It is started again."""

    kind = "start"
    shown_by = "stop"
    points = (*at_requests(AFTER, 11), *at_requests(LATE, 11), *at_commits(BEFORE, 7))

    def prepare(self) -> None:
        """It rests."""

        async def rest() -> None:
            state = self.installation.clouds.azure_machines.machines
            state.act(self.machine, "deallocated")
            while state.machine(self.machine).running is not None:
                pass

        self.installation.clouds.wait(rest())

    @property
    def command(self) -> str:
        """``!start vm-…``."""
        return f"!start {self.machine}"

    def check(self) -> None:
        """It runs, and no rest is stored."""
        assert self.power in ("starting", "running")
        assert self.stopped_at is None
        assert 1 <= self.asked("POST", f"/{self.machine}/start") <= 2
        self.check_other()


class AzureLeftovers(AzureMachine):
    """What a machine left behind that somebody else deleted by force is removed."""

    kind = "remove-leftovers"
    shown_by = "remove-leftovers"
    points = (*at_requests(AFTER, 31), *at_requests(BEFORE, 62), *at_commits(BEFORE, 7))

    def prepare(self) -> None:
        """The machine is gone, and its parts are not."""
        self.kept = self.parts

        async def lose() -> None:
            state = self.installation.clouds.azure_machines.machines
            del state.machines[self.machine]
            for kind in PARTS:
                for thing in state.things[kind].values():
                    if thing["properties"].get("virtualMachine", {}).get("id", "").endswith(self.machine):
                        del thing["properties"]["virtualMachine"]
                    if thing.get("managedBy", "").endswith(self.machine):
                        del thing["managedBy"]

        self.installation.clouds.wait(lose())

    @property
    def command(self) -> str:
        """``!terminate --leftovers``."""
        return "!terminate --leftovers"

    def check(self) -> None:
        """Its parts are gone; the other machine has all of its own."""
        left = self.parts - self.parts_before
        assert len(left) == len(PARTS)
        assert all(name.startswith(self.other) for name in left)
        self.check_other()
