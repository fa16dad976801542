"""Simulated clouds that outlive every bot: they run in the test process, on a loop in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from slipway.bot.clouds.simulated.accounts import SimulatedAccounts
from slipway.bot.clouds.simulated.aws.seed import SeedMachines, fedora_machines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion, SimulatedAzure
from slipway.bot.clouds.simulated.azure.conditions import Conditions
from slipway.bot.clouds.simulated.azure.graph import SeedApplication
from slipway.bot.clouds.simulated.azure.machines.seed import SeedMachines as MachinesSeed
from slipway.bot.clouds.simulated.azure.replication import Copying
from slipway.bot.clouds.simulated.faults import Armed, Fault, FaultKind, Faults
from tests.support.processes.warm_moto import warm_moto

TIMEOUT_SECONDS = 60.0  # seconds that anything may take before a test fails

APPLICATION = "22222222-2222-2222-2222-222222222222"
"""The client id of the one application in the directory."""

_CONDITIONS = Conditions(
    soft_delete=True, copying=Copying(takes={"northeurope": timedelta(seconds=0.5)})
)  # copies to all other regions are there at once

_ROOM = 100_000  # virtual cores

_SPEC = Path(__file__).parents[2] / "deploy" / "azure-machine-spec.json"

T = TypeVar("T")


@dataclass(frozen=True)
class History:
    """How many days ago the versions of a definition were made, and those of them that were promoted."""

    days: tuple[int, ...]
    promoted: tuple[int, ...]


class CrashTiming(StrEnum):
    """When the bot dies, as seen from one request (or one commit)."""

    BEFORE = "before"  # it has no effect
    AFTER = "after"  # its effect is there, the bot never learned of it
    LATE = "late"  # it takes effect only while the next bot is at work already


class CrashFaults(Faults):
    """A simulator's faults, one of which is the death of the client at its n-th request."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._timing = CrashTiming.BEFORE
        self._victim: int | None = None
        self._of = ""
        self.seen: list[str] = []
        self.struck: str | None = None
        self._late: Armed | None = None

    def crash_at(self, victim: int, number: int, timing: CrashTiming, of: str = "") -> None:
        """From now on count requests, those with this in their label, and kill the process at this one."""
        self.seen, self.struck, self._of = [], None, of
        self._number, self._timing, self._victim = number, timing, victim

    def disarm(self) -> None:
        """Kill nothing any more."""
        self._victim = None

    def release_late(self) -> None:
        """Let the late request take effect."""
        if self._late is not None:
            self._late.release()
            self._late = None

    def take(self, label: str) -> Armed | None:
        """Kill where it is time: the signal is out before the request is handled, or dropped."""
        if self._of not in label:
            return super().take(label)
        self.seen.append(label)
        if self._victim is None or len(self.seen) != self._number:
            return super().take(label)
        os.kill(self._victim, signal.SIGKILL)
        self._victim, self.struck = None, label
        match self._timing:
            case CrashTiming.BEFORE:
                return Armed(0, Fault(kind=FaultKind.DROP))
            case CrashTiming.AFTER:
                return None
            case CrashTiming.LATE:
                self._late = Armed(0, Fault(kind=FaultKind.HOLD_BEFORE))
                return self._late


@dataclass
class SimulatedClouds:
    """All clouds, and where keys are published, for tests that are not async themselves.

    Machines on Azure have an account of their own, so that requests about a gallery are counted without them; so has
    the directory of applications.
    """

    loop: asyncio.AbstractEventLoop
    azure: SimulatedAzure
    aws: SimulatedAws
    seed: SeedMachines
    azure_faults: CrashFaults = field(default_factory=CrashFaults)
    aws_faults: CrashFaults = field(default_factory=CrashFaults)
    azure_machines: SimulatedAzure = field(default_factory=lambda: SimulatedAzure(_images(datetime.now(UTC))))
    machines_faults: CrashFaults = field(default_factory=CrashFaults)
    directory: SimulatedAzure = field(default_factory=lambda: SimulatedAzure(Seed(())))
    directory_faults: CrashFaults = field(default_factory=CrashFaults)
    accounts: SimulatedAccounts = field(default_factory=SimulatedAccounts)
    accounts_faults: CrashFaults = field(default_factory=CrashFaults)
    numbers: Iterator[int] = field(default_factory=count)
    family_numbers: Iterator[int] = field(default_factory=count)

    @classmethod
    def start(cls) -> SimulatedClouds:
        """Start the thread and the servers; the gallery is empty."""
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="clouds", daemon=True).start()
        now = datetime.now(UTC)
        seed = fedora_machines(now)
        clouds = cls(
            loop,
            SimulatedAzure(Seed(()), conditions=_CONDITIONS),
            SimulatedAws(seed, program=warm_moto()),
            seed,
        )
        clouds.azure.faults, clouds.aws.faults = clouds.azure_faults, clouds.aws_faults
        clouds.azure_machines.faults = clouds.machines_faults
        clouds.directory.faults = clouds.directory_faults
        clouds.directory.graph.applications = [SeedApplication("app", APPLICATION, "crash")]
        clouds.accounts.faults = clouds.accounts_faults
        template = json.loads(_SPEC.read_text("utf-8"))
        clouds.azure_machines.machines.specs.add("templates", "small", "1.0", template)
        clouds.wait(clouds.azure.start())
        clouds.wait(clouds.azure_machines.start())
        clouds.wait(clouds.directory.start())
        clouds.wait(clouds.aws.start())
        clouds.wait(clouds.accounts.start())
        return clouds

    def stop(self) -> None:
        """Stop the servers and the thread."""
        self.wait(self.accounts.stop())
        self.wait(self.aws.stop())
        self.wait(self.directory.stop())
        self.wait(self.azure_machines.stop())
        self.wait(self.azure.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the clouds' loop."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(TIMEOUT_SECONDS)

    def inject_fault(self, faults: CrashFaults, fault: Fault) -> Armed:
        """Arm an ordinary fault."""

        async def add() -> Armed:
            return faults.add(fault)

        return self.wait(add())

    def reached(self, armed: Armed) -> None:
        """Wait until a fault hit."""
        self.wait(asyncio.wait_for(armed.reached.wait(), TIMEOUT_SECONDS))

    def clear(self) -> None:
        """Forget all faults, let go of what is held and let land what is late."""

        async def clear() -> None:
            for faults in (
                self.azure_faults,
                self.aws_faults,
                self.machines_faults,
                self.directory_faults,
                self.accounts_faults,
            ):
                faults.disarm()
                faults.release_late()
                faults.clear()

        self.wait(clear())

    def add_definition(self, name: str, history: History) -> None:
        """Have a definition in the gallery that has been through this."""

        async def add() -> None:
            now = datetime.now(UTC)
            versions = tuple(_version(now, day, day in history.promoted) for day in history.days)
            self.azure.state.add(SeedDefinition(name, "x64", versions))

        self.wait(add())

    def versions(self, definition: str) -> dict[str, Any]:
        """The versions of a definition as the gallery has them."""

        async def look() -> dict[str, Any]:
            return self.azure.versions(definition)

        return self.wait(look())

    def delete_softly(self, definition: str, version: str) -> None:
        """Have somebody delete a version, which the gallery keeps."""

        async def delete() -> None:
            state = self.azure.state
            state.delete(definition, version)
            while any(record.name == version for record in state.versions_of(definition)):
                pass  # a look advances it

        self.wait(delete())

    def machines(self, deployment: str) -> list[dict[str, Any]]:
        """Every machine that a deployment ever launched."""
        state = self.wait(self.aws.state())
        return [each for each in state["instances"] if each["tags"].get("slipway") == deployment]


def _images(now: datetime) -> Seed:
    """A gallery with one definition to launch from, and room for the machines of many tests."""
    room = MachinesSeed(cores=_ROOM, region_cores=_ROOM)
    return Seed((SeedDefinition("Machines-x64", "x64", (_version(now, 3, True),)),), machines=room)


def _version(now: datetime, days: int, promoted: bool) -> SeedVersion:
    made = now - timedelta(days=days)
    return SeedVersion(
        name=f"43.{made:%Y%m%d}.0",
        published_at=made,
        excluded=not promoted,
        regions=(SeedRegion("eastus"), SeedRegion("westeurope")),
        end_of_life=made + timedelta(days=400),
        tags={"owner": "fedora-cloud"},
    )
