"""The bot, started and stopped."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from slipway.bot.chat.model import Accept, AnyEvent, Chat
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.concurrency import uninterrupted
from slipway.bot.core.errors import ChatError, SlipwayError
from slipway.bot.core.storage_errors import StoragePlace, storage_failure
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.uptime import ReadUptime, system_uptime
from slipway.bot.core.waiting import Sleep, first_of
from slipway.bot.declared import Declarations
from slipway.bot.health.heartbeat import Heartbeat
from slipway.bot.health.notice_memory import NoticeMemory
from slipway.bot.health.readiness import Readiness
from slipway.bot.health.storage_notice import StorageNotice
from slipway.bot.intake.local import LocalSocket
from slipway.bot.operations.persistence.under_way import oldest_step
from slipway.bot.store.database import DATABASE as DATABASE
from slipway.bot.store.database import Database, StateLock
from slipway.bot.store.installation import check
from slipway.bot.store.postgres import PostgresBackend
from slipway.bot.store.settings import DATABASE_TABLE
from slipway.bot.store.storage import Storage, StorageState, not_writable
from slipway.bot.web.hosting import WebHost
from slipway.bot.wiring import ChatBuilder, Parts, RunningBot, wire
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.bot.workflows.stores import PostgresWorkflows
from slipway.scheduler.job_scheduler import HOUSEKEEPING_EVERY, STOP_GRACE, JobScheduler, Together

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
        uptime: how long the machine has been up.
        upkeep_every: how often machines and what is stored are looked after.
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
        uptime: ReadUptime = system_uptime,
        upkeep_every: timedelta = HOUSEKEEPING_EVERY,
    ) -> None:
        self._upkeep_every = upkeep_every
        self._settings = settings
        self._declarations = declarations
        self._chats = chats or tuple(
            ChatBuilder(chat.platform, chat.build) for chat in declarations.enabled_chats(settings)
        )
        self._clouds = (
            clouds if clouds is not None else declarations.open_clouds(settings, os.environ, clock, sleep)
        )
        self._clock = clock
        self._grace = grace
        self._sleep = sleep
        self._uptime = uptime
        self._closing = False
        table = settings.optional(DATABASE_TABLE)
        self._server = None if table is None else table.access
        self._storage = Storage(settings.state_dir, database=None if table is None else table.access.probe)
        self._web = WebHost(
            settings, declarations.public_listen(settings), declarations.public_routes(settings)
        )

    async def run(self, stop: asyncio.Event, opened: asyncio.Future[RunningBot] | None = None) -> None:
        """Work until ``stop`` is set (or a chat ends for good), then stop cleanly.

        Raises:
            StateError: the state folder cannot be used.
            ChatError: a chat platform cannot be used, and waiting does not help.
        """
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            stack.enter_context(StateLock(self._settings.state_dir, "give this one a state_dir of its own"))
            stack.push_async_callback(self._clouds.close)
            started = await self._start_unless(stop, stack)
            if started is None:
                log.info("stopped before it was ready")
                return
            bot, jobs, local = started
            if opened is not None:
                opened.set_result(bot)
            await self._listen(bot, jobs, local, stop, began)

    async def _start_unless(
        self, stop: asyncio.Event, stack: AsyncExitStack
    ) -> tuple[RunningBot, JobScheduler, LocalSocket] | None:
        """Start everything, and have the stack stop it; None where the bot is to stop before all is there.

        Raises:
            StateError: the state folder cannot be used, or not be written: later that is waited for, but who starts
                the bot is there to hear of it.
        """
        starting = asyncio.create_task(self._start(stack), name="start")
        waiting = (starting, stop.wait(), self._storage.fails())
        try:
            await first_of(*waiting)  # what is not done of it is cut off
            if starting.done() and not starting.cancelled():
                return starting.result()
        except Exception as error:
            failure = self._storage.failure
            if failure is None and not isinstance(error, SlipwayError):
                failure = storage_failure(error)
            if failure is None:
                raise
            raise not_writable(self._settings.state_dir, failure) from error
        failure = self._storage.failure
        if failure is not None and not stop.is_set():
            raise not_writable(self._settings.state_dir, failure)
        return None

    async def _start(self, stack: AsyncExitStack) -> tuple[RunningBot, JobScheduler, LocalSocket]:
        folder, server = self._settings.state_dir, self._server
        if server is None:  # files can be lost one by one
            await asyncio.to_thread(check, folder)
        database = Database(
            folder / DATABASE if server is None else PostgresBackend(server), storage=self._storage
        )
        stack.push_async_callback(database.close)
        await uninterrupted(database.open())
        workflows = WorkflowEngine(
            folder, self._storage, None if server is None else PostgresWorkflows(server)
        )
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
                self._uptime,
                self._web.public,
            )
        )
        clockwork = Together(bot.schedules, bot.audit_heads)
        jobs = JobScheduler(
            clockwork, bot.upkeep.sweep, self._clock, self._storage.failed, self._upkeep_every
        )
        stack.push_async_callback(self._web.close)
        await self._web.open(self._readiness(bot, jobs))
        for chat in bot.chats.values():
            stack.push_async_callback(chat.close)
        stack.push_async_callback(bot.messages.close)
        stack.push_async_callback(workflows.close, self._grace)
        for chat in bot.chats.values():
            await chat.prepare()
        await bot.messages.open()  # first: what goes on now is said behind what waits already
        await workflows.launch()
        await bot.begin()
        stack.push_async_callback(bot.watches.close)
        stack.push_async_callback(bot.problems.close)
        stack.push_async_callback(self._stop_jobs, jobs)
        await jobs.start()
        room = self._declarations.operations_room(self._settings)
        local = LocalSocket(self._settings, bot.services, bot.dispatcher.ask, room, self._clock, self._sleep)
        stack.push_async_callback(local.close)
        await local.open()
        return bot, jobs, local

    def _readiness(self, bot: RunningBot, jobs: JobScheduler) -> Readiness:
        return Readiness(
            bot.chats,
            partial(oldest_step, bot.database),
            self._clock,
            trouble=lambda: self._storage.problem,
            clock_work=jobs.since_success,
        )

    async def _stop_jobs(self, jobs: JobScheduler) -> None:
        failing = self._storage.state is StorageState.FAILING
        await jobs.stop(timedelta(0) if failing else STOP_GRACE)  # what waits for a full disk never ends

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

    async def _listen(
        self, bot: RunningBot, jobs: JobScheduler, local: LocalSocket, stop: asyncio.Event, began: float
    ) -> None:
        """Let every chat listen until the bot is to stop, or none of them can any more."""
        heartbeat = Heartbeat(
            self._settings.state_dir,
            bot.chats,
            self._clock,
            trouble=lambda: self._storage.problem,
            contacts=self._clouds.contacts,
            look=self._readiness(bot, jobs).look,
            hindrances=lambda: (*bot.messages.hindrances(), *bot.schedules.warnings()),
        )
        notice = self._storage_notice(bot)
        was_ready = False

        async def ready() -> None:
            nonlocal was_ready
            was_ready = True
            log.info("ready", seconds=round(time.monotonic() - began, 2))

        tasks = {
            asyncio.create_task(self._hear(chat, self._while_open(bot)), name=f"{platform} chat"): chat
            for platform, chat in bot.chats.items()
        }
        essential = {task for task, chat in tasks.items() if not self._is_auxiliary(chat)} or set(tasks)
        stopping = asyncio.create_task(stop.wait(), name="stop")
        beating = asyncio.create_task(heartbeat.run(ready), name="heartbeat")
        watching = asyncio.create_task(notice.run(self._storage.watch), name="storage")
        everything = [*tasks, stopping, beating, watching]
        try:
            while True:
                done, _ = await asyncio.wait(
                    {stopping, beating, watching, *essential}, return_when=asyncio.FIRST_COMPLETED
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
            await local.close()
            await self._stop_jobs(jobs)
            await bot.watches.close()
            await bot.problems.close()
            await bot.workflows.close(self._grace)
            await bot.messages.close()
            watching.cancel()
            await asyncio.wait({watching})
            await notice.stopped()
            for task in everything:
                task.cancel()
            results = await asyncio.gather(*everything, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _hear(self, chat: Chat, accept: Accept) -> None:
        """Let a chat listen; where it ends because it could not store something, again once that can be stored."""
        while True:
            try:
                return await chat.run(accept)
            except Exception as error:
                failure = storage_failure(error)
                if failure is None:
                    raise
                log.warning("a chat could not store something", platform=chat.platform, problem=failure.why)
                self._storage.failed(failure)
                await self._storage.writable()

    def _storage_notice(self, bot: RunningBot) -> StorageNotice:
        memory = NoticeMemory(self._settings.state_dir)
        place = StoragePlace.FOLDER if self._server is None else StoragePlace.DATABASE
        return StorageNotice(
            bot.chats,
            self._declarations.notice_rooms(self._settings),
            self._clock,
            self._settings.zone,
            memory,
            place=place,
        )

    def _is_auxiliary(self, chat: Chat) -> bool:
        return self._declarations.chat(chat.platform).auxiliary

    def _while_open(self, bot: RunningBot) -> Accept:
        async def accept(event: AnyEvent) -> bool:
            if self._closing:  # not taken in, so not acknowledged: the platform gives it to the next start
                await asyncio.Event().wait()
            await self._storage.roomy()  # what could not be kept is not taken in, so the platform keeps it
            return await bot.dispatcher.accept(event)

        return accept


def _gave_up(task: asyncio.Task[Any]) -> bool:
    """Whether this is a chat that cannot be used any more."""
    return not task.cancelled() and isinstance(task.exception(), ChatError)
