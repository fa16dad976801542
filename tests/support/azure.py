"""Fedora's simulated gallery in Azure: names in it, the server, the real adapter before it, and looks behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.machines.adapter import AzureMachines
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.timing import RetryTiming
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_description import MachineDescription
from slipway.bot.clouds.machine_model import LaunchSpec, Leftover
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion, SimulatedAzure
from slipway.bot.clouds.simulated.azure.machines.parts import ADDRESSES, DISKS, INTERFACES, SCHEDULES
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.clouds.throttling import Patience
from tests.support.clock import NOW, FakeClock
from tests.support.clouds import cloud_context, galleries

X64 = "Fedora-Cloud-43-x64"
ARM = "Fedora-Cloud-43-Arm64"
RAWHIDE = "Fedora-Cloud-Rawhide-x64"
ENDED = "Fedora-Cloud-41-x64"
"""A release whose versions have all ended."""

CANDIDATE = "43.20261118.0"
"""The newest healthy candidate of X64, two days old."""

LATEST = "43.20261111.0"
ARM_CANDIDATE = "43.20261118.0"

CANDIDATE_NUMBER = VersionNumber.parse(CANDIDATE)
LATEST_NUMBER = VersionNumber.parse(LATEST)
OLDER_NUMBER = VersionNumber(43, 20261106, 0)


async def _no_pause(_: float) -> None:
    await asyncio.sleep(0)


QUICK = RetryTiming(
    backoff=timedelta(milliseconds=1),
    polling=timedelta(milliseconds=1),
    patience=Patience(sleep=_no_pause),
)
"""Pauses of a throttle are counted, and take no time."""


DESCRIBED = MachineDescription(
    size="Standard_B2s",
    subnet="machines-{region}/default",
    security_group="ssh-{region}",
    user_data="#cloud-config\npackages: [vim]\n",
)
"""Machines as a profile may describe them for the simulator."""


@dataclass
class AzureMachinesHarness:
    """A running simulator, and the adapter for machines that talks to it."""

    azure: SimulatedAzure
    gallery: AzureGallery
    machines: AzureMachines

    @property
    def names(self) -> list[str]:
        """Every machine that the simulator has."""
        return sorted(machine.name for machine in self.azure.machines.machines.values())

    @property
    def parts(self) -> list[str]:
        """The kinds of whatever belongs to machines, each as often as there is one."""
        things = self.azure.machines.things
        return [
            kind.rpartition("/")[2]
            for kind in (DISKS, INTERFACES, ADDRESSES, SCHEDULES)
            for _ in things[kind]
        ]


def launch_spec(described: MachineDescription = DESCRIBED, **more: Any) -> LaunchSpec:
    """What a launch of one machine from the latest of X64 asks for, by the profile ``small``."""
    plain: dict[str, Any] = {
        "template_id": "small",
        "template_version": described.version,
        "image_id": f"{X64}/{LATEST}",
        "count": 1,
        "tags": {"slipway:owner": "alice"},
        "login": "fedora",
        "keys": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample alice",),
    }
    return LaunchSpec(**{**plain, **more})


def leave_behind(azure: SimulatedAzure, leftover: Leftover) -> None:
    """Have the simulator hold something of a launch that belongs to no machine."""
    kind = {
        "network interface": INTERFACES,
        "public address": ADDRESSES,
        "disk": DISKS,
        "shutdown schedule": SCHEDULES,
    }[leftover.kind]
    properties: dict[str, Any] = {"provisioningState": "Succeeded"}
    if kind == INTERFACES:
        properties = {**properties, "ipConfigurations": []}
    azure.machines.things[kind][leftover.id] = {
        "name": leftover.id,
        "id": azure.machines.id(kind, leftover.id),
        "type": kind,
        "location": leftover.region,
        "properties": properties,
    }


@asynccontextmanager
async def azure_machines(
    described: MachineDescription = DESCRIBED,
    *,
    seed: Seed | None = None,
    deployment: str = "slipway",
    more: dict[str, Any] | None = None,
    **how: Any,
) -> AsyncIterator[AzureMachinesHarness]:
    """Start a simulator with Fedora's gallery and the adapter for machines; stop both at the end."""
    azure = SimulatedAzure(seed or fedora_gallery(NOW), clock=lambda: NOW, **how)
    await azure.start()
    wanted = {"machines_group": "slipway-machines", "regions": ("eastus", "westeurope"), **(more or {})}
    settings = azure_settings(azure, **wanted)
    context = replace(cloud_context("azure", deployment=deployment), descriptions={"small": described})
    gallery = AzureGallery(settings, context, timing=QUICK)
    try:
        yield AzureMachinesHarness(
            azure, gallery, AzureMachines(settings, context, gallery, clock=lambda: NOW)
        )
    finally:
        await gallery.close()
        await azure.stop()


@dataclass
class AzureHarness:
    """A running simulator, and the adapter that talks to it."""

    azure: SimulatedAzure
    gallery: AzureGallery

    @property
    def clouds(self) -> Clouds:
        """The gallery alone, as ``azure``."""
        return galleries(self.gallery)

    def excluded(self, number: VersionNumber, definition: str = X64) -> bool | None:
        """The flag as the simulator has it."""
        versions = self.azure.snapshot()["definitions"][definition]["versions"]
        flag: bool | None = versions[str(number)]["excluded"]
        return flag

    def has(self, number: VersionNumber, definition: str = X64) -> bool:
        """Whether the simulator still has the version."""
        return str(number) in self.azure.snapshot()["definitions"][definition]["versions"]

    def requests(self, method: str) -> int:
        """How many requests of this method came in."""
        return sum(entry.method == method for entry in self.azure.requests)


def azure_settings(azure: SimulatedAzure, **more: Any) -> AzureSettings:
    """Settings that point at the simulator."""
    named = {
        "subscription_id": azure.seed.subscription_id,
        "resource_group": azure.seed.resource_group,
        "gallery": azure.seed.gallery,
        "endpoint": azure.url,
    }
    return AzureSettings(**{**named, **more})


@asynccontextmanager
async def azure_harness(
    seed: Seed | None = None,
    *,
    more: dict[str, Any] | None = None,
    timing: RetryTiming = QUICK,
    **how: Any,
) -> AsyncIterator[AzureHarness]:
    """Start a simulator (Fedora's gallery unless told otherwise) and the adapter; stop both at the end."""
    azure = SimulatedAzure(seed or fedora_gallery(NOW), **{"clock": lambda: NOW, **how})
    await azure.start()
    gallery = AzureGallery(azure_settings(azure, **(more or {})), cloud_context("azure"), timing=timing)
    try:
        yield AzureHarness(azure, gallery)
    finally:
        await gallery.close()
        await azure.stop()


def one_version_seed(name: str = "43.20261118.0", **more: Any) -> Seed:
    """A gallery of one definition with one candidate, some of which may be otherwise."""
    plain: dict[str, Any] = {
        "published_at": NOW - timedelta(days=2),
        "excluded": True,
        "regions": (SeedRegion("eastus"), SeedRegion("westeurope")),
    }
    version = SeedVersion(name, **{**plain, **more})
    return Seed((SeedDefinition(X64, "x64", (version,)),))


@asynccontextmanager
async def simulated_gallery(clock: FakeClock | None = None, **how: Any) -> AsyncIterator[SimulatedAzure]:
    """Fedora's simulated gallery, which outlives the bots that a test starts on it."""
    azure = SimulatedAzure(fedora_gallery(NOW), clock=clock or FakeClock(), **how)
    await azure.start()
    try:
        yield azure
    finally:
        await azure.stop()


def publishing_profile(azure: SimulatedAzure, definition: str, version: str) -> dict[str, Any]:
    """A version's publishing profile as the gallery holds it, to be changed behind the bot's back."""
    record = azure.state.versions[definition.casefold()][version]
    profile: dict[str, Any] = record.document["properties"]["publishingProfile"]
    return profile


def version_numbers(azure: SimulatedAzure, definition: str) -> set[str]:
    """The numbers of all versions that the gallery holds of a definition."""
    return set(azure.snapshot()["definitions"][definition]["versions"])


def writes(azure: SimulatedAzure) -> list[str]:
    """What was to change something in the gallery, as method and last part of the path."""
    return [f"{entry.method} {entry.label.rsplit('/', 1)[-1]}" for entry in azure.writes]
