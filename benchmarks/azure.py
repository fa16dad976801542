"""The simulated Azure of benchmarks, as a process of its own, and the adapter before it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Literal

import aiohttp

from benchmarks.program import TIMEOUT_SECONDS, environment
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.simulated.faults import Fault, FaultKind

PAGE_SIZE = 50
"""Entries a page, of definitions and of versions."""

CONTEXT = CloudContext("azure", "benchmark", {})


class CountingSemaphore(asyncio.Semaphore):
    """A semaphore that notes how many held it at once."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.most_at_once = 0
        self._held = 0

    async def acquire(self) -> Literal[True]:
        """Wait for a place, and count it."""
        await super().acquire()
        self._held += 1
        self.most_at_once = max(self.most_at_once, self._held)
        return True

    def release(self) -> None:
        """Give the place back."""
        self._held -= 1
        super().release()


class WatchedGallery(AzureGallery):
    """The adapter itself, which also notes how many listings are under way at once."""

    def __init__(self, settings: AzureSettings) -> None:
        super().__init__(settings, CONTEXT)
        self._reads.turns = self.watched = CountingSemaphore(settings.parallel_listings)


@asynccontextmanager
async def simulator(definitions: int, versions: int, candidates: int = 0) -> AsyncIterator[dict[str, str]]:
    """The simulated Azure in a process of its own, so that its work is not taken for the bot's."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "slipway.bot.clouds.simulated.azure", "--page-size", str(PAGE_SIZE)),
        *("--definitions", str(definitions), "--versions", str(versions), "--candidates", str(candidates)),
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    try:
        yield json.loads(await asyncio.wait_for(process.stdout.readline(), TIMEOUT_SECONDS))
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), TIMEOUT_SECONDS)


async def slow_down(azure: Mapping[str, str], latency: timedelta) -> None:
    """Let every answer take so long, as a far cloud's does."""
    fault = Fault(kind=FaultKind.FAR, seconds=latency.total_seconds(), times=None)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{azure['url']}/_sim/faults", data=fault.model_dump_json()) as answer,
    ):
        answer.raise_for_status()


async def requests_of(azure: Mapping[str, str]) -> list[str]:
    """What was asked of it so far."""
    async with aiohttp.ClientSession() as session, session.get(f"{azure['url']}/_sim/requests") as answer:
        return [f"{each['method']} {each['path']}" for each in await answer.json()]


def settings_of(azure: Mapping[str, str]) -> AzureSettings:
    """What reaches it."""
    return AzureSettings(
        subscription_id=azure["subscription_id"],
        resource_group=azure["resource_group"],
        gallery=azure["gallery"],
        endpoint=azure["url"],
    )
