"""A gallery whose copies take hours, bots that come and go before it, and time that passes while they wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import (
    Seed,
    SeedDefinition,
    SeedRegion,
    SeedVersion,
    SimulatedAzure,
)
from slipway.bot.clouds.simulated.azure.replication import Copying
from slipway.bot.operations.model import Operation
from slipway.bot.operations.runs.step_runner import WAIT_SECONDS
from tests.support.azure import ARM, X64
from tests.support.clock import DAY, HOUR, NOW, FakeClock, FakeUptime
from tests.support.harness import BotHarness, newest_operation, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.support.pauses import impatient

EVERYWHERE = ("eastus", "southeastasia", "westeurope")
HOURS = Copying(takes={"southeastasia": 4 * HOUR, "westeurope": 2 * HOUR})
COPIED = {X64: {"regions": list(EVERYWHERE)}}
WAVES = {
    X64: {
        "regions": list(EVERYWHERE),
        "waves": [
            {"name": "first", "regions": ["eastus"], "bake": "1d"},
            {"name": "second", "regions": ["westeurope"], "bake": "2h"},
        ],
    }
}


def seed() -> Seed:
    here = (SeedRegion("eastus"),)
    there = tuple(map(SeedRegion, EVERYWHERE))

    def definition(name: str) -> SeedDefinition:
        versions = (
            SeedVersion("43.1.0", NOW - 9 * DAY, False, there),
            SeedVersion("43.2.0", NOW - DAY, True, here),
        )
        return SeedDefinition(name, "x64", versions)

    return Seed((definition(X64), definition(ARM)))


class Passing:
    """Time that passes in the pauses of a step that lasts, and stands still where it is told to."""

    def __init__(self, clock: FakeClock, uptime: FakeUptime) -> None:
        self.clock, self.uptime = clock, uptime
        self.stops_at: Callable[[], bool] = lambda: False
        self.stopped, self._goes = asyncio.Event(), asyncio.Event()

    def stop(self, at: Callable[[], bool]) -> None:
        """Let time stand still from then on."""
        self.stops_at = at
        self.stopped.clear()
        self._goes.clear()

    def go_on(self) -> None:
        """Let it pass again."""
        self.stops_at = lambda: False
        self._goes.set()

    async def __call__(self, seconds: float) -> None:
        if seconds != WAIT_SECONDS:
            await impatient(seconds)
            return
        if self.stops_at():
            self.stopped.set()
            await self._goes.wait()
        step = timedelta(minutes=20)
        self.clock.advance(step)
        self.uptime.advance(step)
        await asyncio.sleep(0.01)  # others have their turn


class World:
    """A gallery whose copies take hours, and bots that come and go before it."""

    def __init__(self, folder: Path, azure: SimulatedAzure, clock: FakeClock) -> None:
        self._folder, self.azure, self.clock = folder, azure, clock
        self.chat, self.uptime = MemoryChat(), FakeUptime()
        self.passing = Passing(clock, self.uptime)

    def copying(self, how: Copying) -> None:
        self.azure.conditions = self.azure.conditions.model_copy(update={"copying": how})

    def latest(self, definition: str = X64) -> list[str | None]:
        return [self.azure.latest(definition, region) for region in EVERYWHERE]

    def hours(self) -> float:
        return (self.clock.now - NOW) / HOUR

    def pauses_after(self, hours: float) -> None:
        """Let time stand still once so many hours have passed."""
        self.passing.stop(lambda: self.hours() >= hours)

    @asynccontextmanager
    async def bot(self, replication: dict[str, Any], **more: Any) -> AsyncIterator[BotHarness]:
        async with running_bot(
            self._folder,
            azure=self.azure,
            chat=self.chat,
            clock=self.clock,
            uptime=self.uptime,
            sleep=self.passing,
            changes={"replication": replication, **more},
            grace=timedelta(seconds=0.2),
        ) as bot:
            yield bot

    async def begin(self, bot: BotHarness, hours: float) -> PostedMessage:
        """Have the candidate promoted, and stop time after so many hours; its card."""
        card, _ = await propose(bot, f"!promote {X64}")
        self.pauses_after(hours)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        async with asyncio.timeout(20):
            await self.passing.stopped.wait()
        return card

    async def end(self, bot: BotHarness) -> Operation:
        """Let time pass again, from here on, and see the operation to its end."""
        self.passing.go_on()
        async with asyncio.timeout(40):
            await bot.running.workflows.idle()
        return await newest_operation(bot)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = FakeClock()
    azure = SimulatedAzure(seed(), clock=clock)
    await azure.start()
    yield World(tmp_path / "state", azure, clock)
    await azure.stop()
