"""The bot, started and stopped."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog

from slipway.bot.chat.model import Accept, AnyEvent, Chat
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.declared import Declarations
from slipway.bot.health.heartbeat import Heartbeat
from slipway.bot.store.database import DATABASE as DATABASE
from slipway.bot.store.database import Database, StateLock
from slipway.bot.store.installation import check
from slipway.bot.wiring import ChatBuilder, Parts, RunningBot, wire
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.scheduler.job_scheduler import JobScheduler, Together

GRACE = timedelta(seconds=20)
"""How long work under way gets to end on SIGTERM; what takes longer goes on at the next start."""

log = structlog.get_logger(__name__)


class App:
    """Slipway, from start to stop.

    Args:
        settings: a checked configuration.
        declarations: what it was checked against.
        chats: builders of the chat adapters to use, instead of those that are declared and configured.
        clouds: the clouds to use, instead of those that are declared and configured.
        clock: the time.
        grace: how long work under way gets when the bot stops.
        sleep: lets time pass, wherever the bot waits for something that is not an event.
    """

    def __init__(
        self,
        settings: SlipwaySettings,
        declarations: Declarations,
        *,
        chats: Sequence[ChatBuilder] | None = None,
        clouds: Clouds | None = None,
        clock: Clock = system_clock,
        grace: timedelta = GRACE,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._declarations = declarations
        self._chats = chats or tuple(
            ChatBuilder(chat.platform, chat.build) for chat in declarations.enabled_chats(settings)
        )
        self._clouds = clouds if clouds is not None else declarations.open_clouds(settings, os.environ)
        self._clock = clock
        self._grace = grace
        self._sleep = sleep
        self._closing = False

    async def run(self, stop: asyncio.Event, opened: asyncio.Future[RunningBot] | None = None) -> None:
        """Work until ``stop`` is set (or a chat ends for good), then stop cleanly.

        Raises:
            StateError: the state folder cannot be used.
            ChatError: a chat platform cannot be used, and waiting does not help.
        """
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            stack.enter_context(StateLock(self._settings.state_dir))
            stack.push_async_callback(self._clouds.close)
            await asyncio.to_thread(check, self._settings.state_dir)
            database = Database(self._settings.state_dir / DATABASE)
            stack.push_async_callback(database.close)
            await database.open()
            workflows = WorkflowEngine(self._settings.state_dir)
            bot = wire(
                Parts(
                    self._settings,
                    self._declarations,
                    self._chats,
                    self._clouds,
                    database,
                    workflows,
                    self._clock,
                    self._sleep,
                )
            )
            for chat in bot.chats.values():
                stack.push_async_callback(chat.close)
            stack.push_async_callback(bot.messages.close)
            stack.push_async_callback(workflows.close, self._grace)
            for chat in bot.chats.values():
                await chat.prepare()
            await bot.messages.open()  # first: what goes on now is said behind what waits already
            await workflows.launch()
            await bot.begin()
            jobs = JobScheduler(Together(bot.schedules, bot.audit_heads), bot.upkeep.sweep, self._clock)
            await jobs.start()
            stack.push_async_callback(jobs.stop)
            if opened is not None:
                opened.set_result(bot)
            await self._listen(bot, jobs, stop, began)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[RunningBot]:
        """Work while the block runs, once every chat can be used; then stop cleanly.

        Raises:
            StateError, ChatError: as :meth:`run`, at the block's begin or at its end.
        """
        stop = asyncio.Event()
        opened: asyncio.Future[RunningBot] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(self.run(stop, opened), name="bot")
        try:
            either: set[asyncio.Future[Any]] = {running, opened}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if opened.done():
                yield opened.result()
        finally:
            stop.set()
            await running

    async def _listen(self, bot: RunningBot, jobs: JobScheduler, stop: asyncio.Event, began: float) -> None:
        """Let every chat listen until the bot is to stop, or none of them can any more."""
        heartbeat = Heartbeat(self._settings.state_dir, bot.chats, self._clock)
        was_ready = False

        async def ready() -> None:
            nonlocal was_ready
            was_ready = True
            log.info("ready", seconds=round(time.monotonic() - began, 2))

        tasks = {
            asyncio.create_task(chat.run(self._while_open(bot)), name=f"{platform} chat"): chat
            for platform, chat in bot.chats.items()
        }
        essential = {task for task, chat in tasks.items() if not self._is_auxiliary(chat)} or set(tasks)
        stopping = asyncio.create_task(stop.wait(), name="stop")
        beating = asyncio.create_task(heartbeat.run(ready), name="heartbeat")
        everything = [*tasks, stopping, beating]
        try:
            while True:
                done, _ = await asyncio.wait(
                    {stopping, beating, *essential}, return_when=asyncio.FIRST_COMPLETED
                )
                essential -= done
                # At the start, a chat that cannot be used is a mistake to mend; later, the others are needed.
                if not (was_ready and essential and all(map(_gave_up, done))):
                    break
                for task in done:
                    everything.remove(task)
                    log.error(
                        "a chat has failed for good, and the others go on",
                        what=task.get_name(),
                        problem=str(task.exception()),
                    )
        finally:
            # First begin nothing new, then let work under way end, with chats still there to say so; only
            # then stop listening.
            self._closing = True
            await jobs.stop()
            await bot.workflows.close(self._grace)
            await bot.messages.close()
            for task in everything:
                task.cancel()
            results = await asyncio.gather(*everything, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _is_auxiliary(self, chat: Chat) -> bool:
        return self._declarations.chat(chat.platform).auxiliary

    def _while_open(self, bot: RunningBot) -> Accept:
        async def accept(event: AnyEvent) -> bool:
            if self._closing:  # not taken in, so not acknowledged: the platform gives it to the next start
                await asyncio.Event().wait()
            return await bot.dispatcher.accept(event)

        return accept


def _gave_up(task: asyncio.Task[Any]) -> bool:
    """Whether this is a chat that cannot be used any more."""
    return not task.cancelled() and isinstance(task.exception(), ChatError)
