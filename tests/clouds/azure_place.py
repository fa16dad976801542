"""A simulated Azure and a gallery hand that reaches into it, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.bot.clouds.azure import AzureGallery, Pace
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion, SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.settings import AzureSettings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
X64 = "Fedora-Cloud-43-x64"
CANDIDATE = VersionNumber(43, 20261118, 0)  # two days old in the seeded gallery
LATEST = VersionNumber(43, 20261111, 0)
OLDER = VersionNumber(43, 20261106, 0)

QUICK = Pace(backoff=timedelta(milliseconds=1), polling=timedelta(milliseconds=1))


@dataclass
class Place:
    """A running simulator with a hand in it."""

    azure: SimulatedAzure
    gallery: AzureGallery

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


def settings_for(azure: SimulatedAzure, **more: Any) -> AzureSettings:
    """Settings that point at the simulator."""
    named = {
        "subscription_id": azure.seed.subscription_id,
        "resource_group": azure.seed.resource_group,
        "gallery": azure.seed.gallery,
        "endpoint": azure.url,
    }
    return AzureSettings(**{**named, **more})


@asynccontextmanager
async def place(
    seed: Seed | None = None, *, more: dict[str, Any] | None = None, **how: Any
) -> AsyncIterator[Place]:
    """Start a simulator (Fedora's gallery unless told otherwise) and a hand; stop both at the end."""
    azure = SimulatedAzure(seed or fedora_gallery(NOW), clock=lambda: NOW, **how)
    await azure.start()
    gallery = AzureGallery(settings_for(azure, **(more or {})), environ={}, pace=QUICK)
    try:
        yield Place(azure, gallery)
    finally:
        await gallery.close()
        await azure.stop()


def one_version(name: str = "43.20261118.0", **more: Any) -> Seed:
    """A gallery of one definition with one candidate, some of which may be otherwise."""
    plain: dict[str, Any] = {
        "published_at": NOW - timedelta(days=2),
        "excluded": True,
        "regions": (SeedRegion("eastus"), SeedRegion("westeurope")),
    }
    version = SeedVersion(name, **{**plain, **more})
    return Seed((SeedDefinition(X64, "x64", (version,)),))
