"""The bot, started and stopped."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.current import CurrentSettings
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.concurrency import uninterrupted
from slipway.bot.core.errors import SlipwayError
from slipway.bot.core.fencing import NO_FENCE
from slipway.bot.core.storage_errors import storage_failure
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.uptime import ReadUptime, system_uptime
from slipway.bot.core.waiting import Sleep, first_of
from slipway.bot.declared import Declarations
from slipway.bot.health.readiness import Readiness, Role
from slipway.bot.hearing import Hearing
from slipway.bot.intake.control import ControlSocket
from slipway.bot.intake.reloading import Load, Reloader
from slipway.bot.logs import everywhere
from slipway.bot.operations.between_replicas import takes
from slipway.bot.operations.persistence.under_way import oldest_step
from slipway.bot.place import Place, alone, among_replicas
from slipway.bot.replicas.fence import LeaseFence
from slipway.bot.replicas.identity import configuration_of, identity_of
from slipway.bot.replicas.membership import Ending, Membership
from slipway.bot.replicas.model import LeaseTiming, short
from slipway.bot.replicas.wording import reload_remarks
from slipway.bot.store.database import DATABASE as DATABASE
from slipway.bot.store.database import HEAD, Database, StateLock
from slipway.bot.store.installation import check
from slipway.bot.store.postgres import PostgresAccess
from slipway.bot.store.settings import DATABASE_TABLE
from slipway.bot.store.state_files import executor_id
from slipway.bot.store.storage import Storage, not_writable
from slipway.bot.store.unrecorded import UnrecordedRuns
from slipway.bot.web.hosting import Shown, WebHost
from slipway.bot.wiring.parts import ChatBuilder, Parts, RunningBot
from slipway.bot.wiring.wire import wire
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.bot.working import Working
from slipway.scheduler.job_scheduler import HOUSEKEEPING_EVERY

GRACE = timedelta(seconds=20)
"""How long work under way gets to end on SIGTERM; what takes longer goes on at the next start."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Started:
    """What was started, and what is to be done once this process is the one that works."""

    bot: RunningBot
    hearing: Hearing
    keeping: asyncio.Task[None] | None
    take_up: Callable[[], Coroutine[Any, Any, None]]


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
        timing: how long the lease of a replica holds.
        leave_at_once: ends the process where another replica works by now: nothing may be said or stored any more.
            Without one, what is under way is cut off, and the bot stops.
        load: reads the configuration again, for a reload; None where it came from no file.
        hangup: set by a signal that asks for that.
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
        timing: LeaseTiming | None = None,
        leave_at_once: Callable[[], None] = lambda: None,
        load: Load | None = None,
        hangup: asyncio.Event | None = None,
    ) -> None:
        self._load = load
        self._hangup = hangup
        self._upkeep_every = upkeep_every
        self._settings = settings
        self._declarations = declarations
        self._chats = chats or tuple(
            ChatBuilder(chat.platform, chat.build) for chat in declarations.enabled_chats(settings)
        )
        self._timing = timing
        table = settings.optional(DATABASE_TABLE)
        self._server = None if table is None else table.access
        self._fence = LeaseFence()
        self._leave_at_once = leave_at_once
        self._web = WebHost(
            settings,
            declarations.public_listen(settings),
            declarations.public_routes(settings),
            declarations.label_values(settings),
        )
        fence = self._fence if self._server is not None else NO_FENCE
        self._clouds = (
            clouds
            if clouds is not None
            else declarations.open_clouds(settings, os.environ, clock, sleep, fence, self._web.meter)
        )
        self._clock = clock
        self._grace = grace
        self._sleep = sleep
        self._uptime = uptime
        self._storage = Storage(settings.state_dir, database=None if table is None else table.access.probe)

    async def run(
        self, stop: asyncio.Event, opened: asyncio.Future[RunningBot] | None = None
    ) -> Ending | None:
        """Hear and work until ``stop`` is set (or a chat ends for good), then stop cleanly.

        Returns:
            Why it ended without being asked to; None where it was.

        Raises:
            StateError: the state folder or the database cannot be used.
            ChatError: a chat platform cannot be used, and waiting does not help.
        """
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            stack.enter_context(StateLock(self._settings.state_dir, "give this one a state_dir of its own"))
            if self._server is not None:
                stack.enter_context(everywhere(replica=short(executor_id(self._settings.state_dir))))
            stack.push_async_callback(self._clouds.close)
            started = await self._start_unless(stop, stack)
            if started is None:
                log.info("stopped before it was ready")
                return None if stop.is_set() else Ending.LOST  # what else cuts a start off is a lost lease
            if opened is not None:
                opened.set_result(started.bot)
            return await started.hearing.until(
                stop,
                began=began,
                grace=self._grace,
                keeping=started.keeping,
                take_up=started.take_up(),
                leave_at_once=self._leave_at_once,
            )

    async def _start_unless(self, stop: asyncio.Event, stack: AsyncExitStack) -> _Started | None:
        """Start everything, and have the stack stop it; None where the bot is to stop before all is there.

        Raises:
            StateError: the state folder or the database cannot be used, or not be written: later that is waited for,
                but who starts the bot is there to hear of it.
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

    async def _start(self, stack: AsyncExitStack) -> _Started:
        """Put everything together; where this process is the one that works, have it work."""
        place = await self._alone(stack) if self._server is None else await self._among(stack, self._server)
        bot = wire(
            Parts(
                CurrentSettings(self._settings),
                self._declarations,
                self._chats,
                self._clouds,
                place.database,
                place.workflows,
                self._clock,
                self._sleep,
                self._uptime,
                self._web.public,
                place.membership,
                place.shared.intake if place.shared is not None else None,
                place.shared.notices if place.shared is not None else None,
                place.replica,
                self._web.meter,
            )
        )
        if place.shared is not None:
            place.shared.notices.taken_by(takes(bot.chats, bot.rooms))
        working = Working(
            bot,
            self._settings,
            self._declarations,
            self._storage,
            place.shared,
            self._clock,
            self._sleep,
            self._upkeep_every,
        )
        reloader = Reloader(
            self._load,
            bot.current,
            apply=bot.apply,
            after=working.look_at_schedules,
            database=bot.database,
            clock=self._clock,
            works=lambda: working.begun,
            others=partial(_reconfigured, place.membership),
        )
        readiness = Readiness(
            bot.chats,
            partial(oldest_step, place.database),
            self._clock,
            trouble=lambda: self._storage.problem,
            clock_work=working.since_success,
            role=partial(_role, place.membership),
            replica=short(place.replica),
        )
        stack.push_async_callback(self._web.close)
        registry = self._declarations.registry
        await self._web.open(Shown(readiness, bot.services, bot.messages, bot.database, registry))
        for chat in bot.chats.values():
            stack.push_async_callback(chat.close)
        stack.push_async_callback(working.end, self._grace)
        for chat in bot.chats.values():
            await chat.prepare()
        if place.membership.works:
            await working.begin()
        hearing = Hearing(
            bot,
            working,
            self._settings,
            self._declarations,
            self._storage,
            place.membership,
            self._clouds.contacts,
            self._clock,
            readiness,
            ControlSocket(self._settings.state_dir, reloader, self._hangup),
            place.shared.notices if place.shared is not None else None,
        )
        return _Started(bot, hearing, place.keeping, partial(self._take_up, place, working))

    async def _take_up(self, place: Place, working: Working) -> None:
        """Wait until this process is the one that works, and have it work."""
        await place.membership.leading()
        if not working.begun:
            await place.open_as_leader()
            await working.begin()
            log.info("this replica works now")

    async def _alone(self, stack: AsyncExitStack) -> Place:
        """On files in the state folder, which one process has at a time."""
        folder = self._settings.state_dir
        await asyncio.to_thread(check, folder)  # files can be lost one by one
        database = Database(folder / DATABASE, storage=self._storage)
        stack.push_async_callback(database.close)
        await uninterrupted(database.open())
        unrecorded = UnrecordedRuns(database, self._clock)
        return alone(database, WorkflowEngine(folder, self._storage, unrecorded=unrecorded))

    async def _among(self, stack: AsyncExitStack, server: PostgresAccess) -> Place:
        """On a server, where others may hear, too."""
        me = identity_of(executor_id(self._settings.state_dir), HEAD, self._settings)
        folder = self._settings.state_dir
        place = among_replicas(me, server, self._fence, folder, self._storage, self._timing, self._clock)
        stack.push_async_callback(place.leave)
        await place.join()
        return place

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


async def _reconfigured(membership: Membership, settings: SlipwaySettings) -> tuple[str, ...]:
    """Have the other replicas know that another configuration counts here, and say what they have."""
    await membership.reconfigured(configuration_of(settings))
    return reload_remarks(membership.facts)


def _role(membership: Membership) -> Role:
    if membership.facts is None:
        return Role.ALONE
    return Role.LEADER if membership.works else Role.FOLLOWER
