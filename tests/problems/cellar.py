"""A subject that has a cellar, in which something may be wrong; and a bot that looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import WELL, Look
from tests.support.clock import FakeClock
from tests.support.configuration import declared_with
from tests.support.harness import BotHarness, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.toys.subject import TOYS

ROOM: dict[str, Any] = {"commands": {"room": "console:console"}, "problems": {"owner": "releng"}}


@dataclass
class Cellar:
    """What a look at it shows from now on, or what goes wrong with that."""

    look: Look = WELL
    error: Exception | None = None
    wanted: bool = True
    looks: list[Look] = field(default_factory=list)

    async def seen(self, _services: Services) -> Look:
        """What there is to see."""
        if self.error is not None:
            raise self.error
        self.looks.append(self.look)
        return self.look

    @property
    def source(self) -> ProblemSource[Services]:
        """Its declaration."""
        return ProblemSource("cellar", "the cellar", self.seen, wanted=lambda _services: self.wanted)


class CellarBot:
    """The running bot, and what it looks at."""

    def __init__(self, bot: BotHarness, cellar: Cellar, clock: FakeClock) -> None:
        self.bot = bot
        self.cellar = cellar
        self.clock = clock

    async def minute(self, look: Look | None = None) -> list[PostedMessage]:
        """Let a minute pass in which this is to be seen; what was said then."""
        if look is not None:
            self.cellar.look = look
        before = len(self.bot.messages)
        self.clock.advance(timedelta(minutes=1))
        await self.bot.running.problems.sweep()
        await self.bot.running.problems.idle()
        return self.bot.messages[before:]

    async def the_id(self) -> str:
        """The id of the one problem that there is."""
        (entry,) = await self.bot.running.services.problems.open_problems()
        return entry.id


@asynccontextmanager
async def cellar_bot(
    folder: Path,
    cellar: Cellar | None = None,
    *,
    chat: MemoryChat | None = None,
    clock: FakeClock | None = None,
    azure: SimulatedAzure | None = None,
    changes: Mapping[str, Any] = ROOM,
) -> AsyncIterator[CellarBot]:
    """A bot that looks at a cellar."""
    cellar, clock = cellar or Cellar(), clock or FakeClock()
    declared = declared_with(subjects=(replace(TOYS, problems=(cellar.source,)),))
    async with running_bot(
        folder, azure=azure, declarations=declared, changes=changes, chat=chat, clock=clock
    ) as bot:
        await bot.running.idle()
        yield CellarBot(bot, cellar, clock)
