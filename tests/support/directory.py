"""Applications of the simulated directory, each in one line, and the adapter that reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from slipway.bot.clouds.azure.graph.adapter import AzureApplications
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.graph import SeedApplication, SeedCredential
from tests.support.azure import QUICK, azure_settings, one_version_seed
from tests.support.clock import NOW
from tests.support.clouds import cloud_context

_NUMBERS = count(1)

YEAR = timedelta(days=365)


def directory_id() -> str:
    """An id as a directory gives them, unlike any other from its beginning on."""
    return str(UUID(int=(next(_NUMBERS) * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128))


def graph_date(at: datetime) -> str:
    """A date as Graph writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def secret(
    label: str | None = "uploader",
    *,
    left: timedelta = YEAR,
    life: timedelta = YEAR,
    ends: str | None = "",
    starts: str | None = "",
) -> SeedCredential:
    """A secret that has so long to live still, of so long in all; or with dates as they are given."""
    end = NOW + left
    return SeedCredential(
        id=directory_id(),
        label=label,
        starts=graph_date(end - life) if starts == "" else starts,
        ends=graph_date(end) if ends == "" else ends,
    )


def application(name: str = "uploader", *secrets: SeedCredential, **more: Any) -> SeedApplication:
    """An application with these secrets."""
    return SeedApplication(directory_id(), directory_id(), name, list(secrets), **more)


@dataclass
class DirectoryHarness:
    """A running simulator, and the adapter for its directory."""

    azure: SimulatedAzure
    directory: AzureApplications


@asynccontextmanager
async def simulated_directory(*applications: SeedApplication, **more: Any) -> AsyncIterator[DirectoryHarness]:
    """Start a simulator with these applications, and the adapter; stop both at the end."""
    azure = SimulatedAzure(one_version_seed(), clock=lambda: NOW)
    await azure.start()
    azure.graph.applications = list(applications)
    adapter = AzureApplications(azure_settings(azure, **more), cloud_context("azure"), timing=QUICK)
    try:
        yield DirectoryHarness(azure, adapter)
    finally:
        await adapter.close()
        await azure.stop()
