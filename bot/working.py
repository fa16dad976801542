"""What one process at a time does: it says what is to be said, carries workflows out, and has the clock.

Where several replicas hear, one of them does this as well; see :mod:`slipway.bot.replicas`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.declared import Declarations
from slipway.bot.intake.local import LocalSocket
from slipway.bot.replicas.inbox import Inbox, InboxReader
from slipway.bot.replicas.intake import ReplicaIntake
from slipway.bot.replicas.notices import Notices
from slipway.bot.store.storage import Storage, StorageState
from slipway.bot.wiring.parts import RunningBot
from slipway.scheduler.job_scheduler import STOP_GRACE, JobScheduler, Together


@dataclass(frozen=True)
class Shared:
    """What a replica shares with others: how what they hear comes to the one that works."""

    intake: ReplicaIntake
    inbox: Inbox
    news: asyncio.Event
    notices: Notices


class Working:
    """The working half of a bot.

    Args:
        bot: put together, and not begun.
        settings: its configuration.
        declarations: what that was checked against.
        storage: whether anything can be stored.
        shared: what it shares with other replicas; None where there are none.
        clock: the time.
        sleep: lets time pass.
        upkeep_every: how often machines and what is stored are looked after.
    """

    def __init__(
        self,
        bot: RunningBot,
        settings: SlipwaySettings,
        declarations: Declarations,
        storage: Storage,
        shared: Shared | None,
        clock: Clock,
        sleep: Sleep,
        upkeep_every: timedelta,
    ) -> None:
        self._bot = bot
        self._storage = storage
        self._shared = shared
        self._jobs = JobScheduler(
            Together(bot.schedules, bot.audit_heads), bot.upkeep.sweep, clock, storage.failed, upkeep_every
        )
        room = declarations.operations_room(settings)
        self._local = LocalSocket(bot.current, bot.services, bot.dispatcher.ask, room, clock, sleep)
        self._reading: asyncio.Task[None] | None = None
        self.begun = False
        """Whether it was begun, well or not."""

    def since_success(self) -> timedelta | None:
        """How long ago the clock's work succeeded last; None where it has not begun."""
        return self._jobs.since_success()

    async def begin(self) -> None:
        """Go on with what a former process left, and begin to work.

        Raises:
            StateError: what is stored cannot be used.
        """
        bot, self.begun = self._bot, True
        await bot.messages.open()  # first: what goes on now is said behind what waits already
        await bot.workflows.launch()
        await bot.begin()
        await self._jobs.start()
        await self._local.open()
        if self._shared is not None:
            self._shared.intake.works(True)
            reader = InboxReader(
                self._shared.inbox, bot.dispatcher.take, self._shared.news, before=self._shared.notices.read
            )
            self._reading = asyncio.create_task(reader.run(), name="inbox")

    async def end(self, grace: timedelta) -> None:
        """Begin nothing new, and let work under way end; what does not within ``grace`` stays recorded. Once more
        does nothing."""
        bot = self._bot
        if self._shared is not None:
            self._shared.intake.works(False)  # what is heard from now on is the next one's
        await self._stop_reading()
        await self._local.close()
        failing = self._storage.state is StorageState.FAILING
        no_time = failing or not grace  # what waits for a full disk never ends
        await self._jobs.stop(timedelta(0) if no_time else STOP_GRACE)
        await bot.watches.close()
        await bot.problems.close()
        await bot.workflows.close(grace)
        await bot.forwarder.close()
        await bot.messages.close()

    async def look_at_schedules(self) -> None:
        """Behind a reload: others may be due now. Nothing where this process has no clock yet."""
        if self.begun:
            await self._bot.schedules.changed()
            await self._jobs.wake_now()

    async def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
            self._reading = None
