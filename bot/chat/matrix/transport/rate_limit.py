"""Speaking no faster than the homeserver bears.

While nothing is refused, everything is sent at once and side by side. From the first 429 on, what is to be
said stands in one queue, answers before edits, each sent when the homeserver says that it may be; when the
queue is empty, all is as before. Edits that a newer one overtakes while they wait are not sent at all.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import IntEnum
from typing import TypeVar

import structlog

from slipway.bot.chat.matrix.transport.backoff import Sleep
from slipway.bot.chat.matrix.transport.connection import HomeserverError

MAX_TRIES = 8
"""How often one event is offered, once its turn has come, before its sender gets the error."""

MAX_WAIT = 60.0
"""Seconds that a homeserver may ask for between two tries; more is not believed."""

MAX_EDIT_INTERVAL = timedelta(seconds=60)

_SENT_BEFORE_FASTER = 20
"""How many events must pass without a refusal until edits may be twice as frequent again."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Priority(IntEnum):
    """What goes first in the queue."""

    MESSAGE = 0
    EDIT = 1


class RateLimiter:
    """Sends events as fast as the homeserver takes them.

    Args:
        edit_interval: the shortest time between two edits of one message, as configured.
        sleep: waits as the homeserver asks.
    """

    def __init__(self, edit_interval: timedelta, sleep: Sleep = asyncio.sleep) -> None:
        self._configured = edit_interval
        self._sleep = sleep
        self._limited = False
        self._queue: list[tuple[Priority, int, asyncio.Event]] = []
        self._numbers = itertools.count()
        self._sent_since_refusal = 0
        self.edit_interval = edit_interval

    @property
    def limited(self) -> bool:
        """Whether events stand in a queue now."""
        return self._limited

    async def send(self, call: Callable[[], Awaitable[T]], priority: Priority = Priority.MESSAGE) -> T:
        """Send one event by ``call``, now or when its turn comes.

        Raises:
            HomeserverError: it was refused, for good or too often.
            ChatError: as ``call``.
        """
        asked: float | None = None  # how long the homeserver asked to wait, where it refused this very event
        if not self._limited:
            try:
                return await self._send_once(call)
            except HomeserverError as error:
                if not error.rate_limited:
                    raise
                asked = error.retry_after if self._note_refusal() else None
        if asked is None:
            await self._wait_for_turn(priority)
        try:
            if asked is not None:
                await self._wait(asked)
            return await self._retry(call)
        finally:
            self._release_next()

    async def wait_until_clear(self, priority: Priority) -> None:
        """Wait until an event of this rank would be sent at once. Nothing is held; others may come between."""
        if self._limited:
            await self._wait_for_turn(priority)
            self._release_next()

    def _note_refusal(self) -> bool:
        """Take note of a refusal; whether this is the first one, whose sender then holds the turn."""
        self._sent_since_refusal = 0
        first, self._limited = not self._limited, True
        if first:  # what was under way beside it is refused for the same reason
            self.edit_interval = min(max(2 * self.edit_interval, timedelta(seconds=1)), MAX_EDIT_INTERVAL)
            log.warning(
                "the homeserver limits how much the bot may say",
                edit_interval=self.edit_interval.total_seconds(),
            )
        return first

    async def _send_once(self, call: Callable[[], Awaitable[T]]) -> T:
        answer = await call()
        self._sent_since_refusal += 1
        if self._sent_since_refusal >= _SENT_BEFORE_FASTER:
            self._sent_since_refusal = 0
            self.edit_interval = max(self._configured, self.edit_interval / 2)
        return answer

    async def _retry(self, call: Callable[[], Awaitable[T]]) -> T:
        for _ in range(MAX_TRIES - 1):
            try:
                return await self._send_once(call)
            except HomeserverError as error:
                if not error.rate_limited:
                    raise
                self._sent_since_refusal = 0
                asked = error.retry_after
            await self._wait(asked)
        return await self._send_once(call)

    async def _wait(self, asked: float) -> None:
        await self._sleep(min(max(asked, 0.05), MAX_WAIT))

    async def _wait_for_turn(self, priority: Priority) -> None:
        mine = asyncio.Event()
        heapq.heappush(self._queue, (priority, next(self._numbers), mine))
        try:
            await mine.wait()
        except asyncio.CancelledError:
            if mine.is_set():  # it came just now, and nobody is there to take it
                self._release_next()
            else:
                self._queue = [each for each in self._queue if each[2] is not mine]
                heapq.heapify(self._queue)
            raise

    def _release_next(self) -> None:
        """Give the turn to whoever is first in the queue; without anybody, there is no queue any more."""
        if self._queue:
            heapq.heappop(self._queue)[2].set()
        else:
            self._limited = False


class Latest:
    """Edits of messages, of which only the newest matters.

    One edit of a message is sent at a time. One that still waits is replaced by a newer one, and both callers
    hear how that went. What was begun goes on if its caller is cancelled, so that edits never cross.
    """

    def __init__(self, rate_limiter: RateLimiter) -> None:
        self._rate_limiter = rate_limiter
        self._waiting: dict[str, _Edit] = {}
        self._last: dict[str, asyncio.Task[None]] = {}

    async def edit(self, message_id: str, send: Callable[[], Awaitable[None]]) -> None:
        """Make an edit by ``send``, or see a newer one made in its place.

        Raises:
            ChatError: as ``send``.
        """
        waiting = self._waiting.get(message_id)
        if waiting is not None:
            waiting.send = send
        else:
            waiting = _Edit(send)
            self._waiting[message_id] = waiting
            before = self._last.get(message_id)
            task = asyncio.create_task(self._make(message_id, waiting, before), name=f"edit {message_id}")
            waiting.task = self._last[message_id] = task
            task.add_done_callback(lambda done: self._forget(message_id, done))
        assert waiting.task is not None  # noqa: S101 - for the type checker
        await asyncio.shield(waiting.task)

    async def close(self) -> None:
        """Stop what is still waiting or under way."""
        tasks = tuple(self._last.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, message_id: str, edit: _Edit, before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait([before])
            await self._rate_limiter.wait_until_clear(Priority.EDIT)
        finally:
            self._waiting.pop(message_id, None)
        await edit.send()

    def _forget(self, message_id: str, task: asyncio.Task[None]) -> None:
        if self._last.get(message_id) is task:
            del self._last[message_id]
        if not task.cancelled():
            task.exception()  # its callers have it, if any is left


class _Edit:
    def __init__(self, send: Callable[[], Awaitable[None]]) -> None:
        self.send = send
        self.task: asyncio.Task[None] | None = None
