"""Fedora's simulated gallery in Azure: names in it, the server, the real adapter before it, and looks behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slipway.bot.clouds.azure.gallery import AzureGallery, RetryTiming
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.throttling import Patience
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion, SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
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
    azure = SimulatedAzure(seed or fedora_gallery(NOW), clock=lambda: NOW, **how)
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
