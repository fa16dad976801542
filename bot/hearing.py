"""What every process does: its chats listen, it writes how it is, and it tells where nothing can be stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

import structlog

from slipway.bot.chat.model import AnyEvent, Chat
from slipway.bot.clouds.contact import CloudContact
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ChatError
from slipway.bot.core.storage_errors import StoragePlace, storage_failure
from slipway.bot.core.times import Clock
from slipway.bot.declared import Declarations
from slipway.bot.health.heartbeat import Heartbeat
from slipway.bot.health.notice_memory import NoticeMemory
from slipway.bot.health.readiness import Readiness
from slipway.bot.health.storage_notice import StorageNotice
from slipway.bot.intake.control import ControlSocket
from slipway.bot.replicas.membership import Ending, Membership
from slipway.bot.replicas.notices import Notices
from slipway.bot.replicas.wording import lines_of
from slipway.bot.store.storage import Storage
from slipway.bot.wiring.parts import RunningBot
from slipway.bot.working import Working

log = structlog.get_logger(__name__)


class Hearing:
    """Lets chats listen, until the bot is to stop.

    Args:
        bot: put together.
        working: its other half.
        settings: its configuration.
        declarations: what that was checked against.
        storage: whether anything can be stored.
        membership: its place among replicas.
        contacts: when each cloud answered last.
        clock: the time.
        readiness: tells how everything is.
        control: hears whoever runs the bot, whether it works or not.
        notices: of other replicas; None where there are none.
    """

    def __init__(
        self,
        bot: RunningBot,
        working: Working,
        settings: SlipwaySettings,
        declarations: Declarations,
        storage: Storage,
        membership: Membership,
        contacts: Mapping[str, CloudContact],
        clock: Clock,
        readiness: Readiness,
        control: ControlSocket,
        notices: Notices | None,
    ) -> None:
        self._notices = notices
        self._control = control
        self._bot = bot
        self._working = working
        self._settings = settings
        self._declarations = declarations
        self._storage = storage
        self._membership = membership
        self._clock = clock
        self._closing = False
        self._was_ready = False
        self._heartbeat = Heartbeat(
            settings.state_dir,
            bot.chats,
            clock,
            trouble=lambda: storage.problem,
            contacts=contacts,
            look=readiness.look,
            hindrances=lambda: (
                *bot.messages.hindrances(),
                *bot.schedules.warnings(),
                *bot.forwarder.warnings(),
                *self._differences(),
            ),
            replicas=lambda: lines_of(membership.facts),
        )

    async def until(
        self,
        stop: asyncio.Event,
        *,
        began: float,
        grace: timedelta,
        keeping: asyncio.Task[None] | None,
        take_up: Coroutine[Any, Any, None],
        leave_at_once: Callable[[], None],
    ) -> Ending | None:
        """Listen until ``stop`` is set, no chat can any more, or another replica is to work; then stop cleanly.

        Args:
            stop: says that the bot is to stop.
            began: when it was started, by the monotonic clock.
            grace: how long work under way gets then.
            keeping: keeps its place among replicas; None where it has none to keep.
            take_up: waits until this process is the one that works, and has it work.
            leave_at_once: called where another replica works by now.

        Returns:
            Why it ended without being asked to.
        """

        async def ready() -> None:
            self._was_ready = True
            log.info("ready", seconds=round(time.monotonic() - began, 2))

        notice = self._storage_notice()
        chats = {
            asyncio.create_task(self._hear(chat), name=f"{platform} chat"): chat
            for platform, chat in self._bot.chats.items()
        }
        essential = {task for task, chat in chats.items() if not self._is_auxiliary(chat)} or set(chats)
        ended = asyncio.create_task(self._membership.ended(), name="membership")
        watching = asyncio.create_task(notice.run(self._storage.watch), name="storage")
        taking_up = asyncio.create_task(take_up, name="take up work")
        others: set[asyncio.Task[Any]] = {
            asyncio.create_task(stop.wait(), name="stop"),
            asyncio.create_task(self._heartbeat.run(ready), name="heartbeat"),
            watching,
            ended,
        }
        if self._notices is not None:
            others.add(asyncio.create_task(self._notices.run(), name="notices"))
        everything: set[asyncio.Task[Any]] = {*chats, *others, taking_up}
        await self._control.open()
        watched = others if keeping is None else {*others, keeping}  # that one goes on while the bot stops
        try:
            for task in await self._until_one_ends(essential, watched, taking_up):
                everything.remove(task)
        finally:
            ending = ended.result() if ended.done() and not ended.cancelled() else None
            if ending is Ending.LOST:
                leave_at_once()
                grace = timedelta(0)
            # First begin nothing new, then let work under way end, with chats still there to say so; only
            # then stop listening.
            self._closing = True
            await self._control.close()
            taking_up.cancel()
            await asyncio.wait({taking_up})
            await self._working.end(grace)
            watching.cancel()
            await asyncio.wait({watching})
            if ending is not Ending.LOST:
                await notice.stopped()
            for task in everything:
                task.cancel()
            results = await asyncio.gather(*everything, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        if keeping is not None and keeping.done() and ending is None:
            keeping.result()
        return ending

    async def _until_one_ends(
        self,
        essential: set[asyncio.Task[None]],
        others: set[asyncio.Task[Any]],
        taking_up: asyncio.Task[None],
    ) -> list[asyncio.Task[Any]]:
        """Wait until the bot has to stop.

        Returns:
            The chats that failed before, and were no reason to.
        """
        waiting: set[asyncio.Task[Any]] = {*essential, *others, taking_up}
        failed: list[asyncio.Task[Any]] = []
        while True:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            waiting -= done
            essential -= done
            if taking_up in done and not taking_up.cancelled() and taking_up.exception() is None:
                done.discard(taking_up)  # it works now
            # At the start, a chat that cannot be used is a mistake to mend; later, the others are needed.
            if done and not (self._was_ready and essential and all(map(_gave_up, done))):
                return failed
            for task in done:
                failed.append(task)
                what, problem = task.get_name(), str(task.exception())
                log.error("a chat has failed for good, and the others go on", what=what, problem=problem)

    async def _hear(self, chat: Chat) -> None:
        """Let a chat listen; where it ends because it could not store something, again once that can be stored."""
        while True:
            try:
                return await chat.run(self._accept)
            except Exception as error:
                failure = storage_failure(error)
                if failure is None:
                    raise
                log.warning("a chat could not store something", platform=chat.platform, problem=failure.why)
                self._storage.failed(failure)
                await self._storage.writable()

    async def _accept(self, event: AnyEvent) -> bool:
        if self._closing and self._membership.facts is None:
            # Not taken in, so not acknowledged: the platform gives it to the next start.
            await asyncio.Event().wait()
        await self._storage.roomy()  # what could not be kept is not taken in, so the platform keeps it
        return await self._bot.dispatcher.accept(event)

    def _storage_notice(self) -> StorageNotice:
        memory = NoticeMemory(self._settings.state_dir)
        return StorageNotice(
            self._bot.chats,
            self._declarations.notice_rooms(self._settings),
            self._clock,
            self._settings.zone,
            memory,
            place=StoragePlace.FOLDER if self._membership.facts is None else StoragePlace.DATABASE,
            may_tell=self._may_tell,
        )

    async def _may_tell(self) -> None:
        """Where there are several replicas, the one that works tells, and only while it certainly is that."""
        await self._membership.leading()
        await self._membership.fence.held()

    def _is_auxiliary(self, chat: Chat) -> bool:
        return self._declarations.chat(chat.platform).auxiliary

    def _differences(self) -> tuple[str, ...]:
        facts = self._membership.facts
        return () if facts is None else facts.warnings


def _gave_up(task: asyncio.Task[Any]) -> bool:
    """Whether this is a chat that cannot be used any more."""
    return not task.cancelled() and isinstance(task.exception(), ChatError)
