"""Sending no faster than the homeserver's rate limits allow.

While nothing is refused, everything is sent at once and side by side. From the first 429 on, what is to be
sent stands in one queue, answers before edits, each sent when the homeserver says that it may be; when the
queue is empty, all is as before.
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

from slipway.bot.chat.matrix.transport.errors import HomeserverError
from slipway.bot.core.waiting import Sleep

MAX_TRIES = 8
"""How often one event is offered, once its turn has come, before its sender gets the error."""

MAX_WAIT = 60.0
"""Seconds that a homeserver may ask for between two tries: more is not waited for."""

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
                asked = error.retry_after if self._note_refusal(error.retry_after) else None
        if asked is None:
            await self._wait_for_turn(priority)
        try:
            if asked is not None:
                await self._wait(asked)
            return await self._retry(call)
        finally:
            self._release_next()

    async def wait_until_clear(self, priority: Priority) -> None:
        """Wait until an event of this priority would be sent at once. Nothing is held; others may come between."""
        if self._limited:
            await self._wait_for_turn(priority)
            self._release_next()

    @property
    def scarce(self) -> bool:
        """Whether the homeserver has limited lately how much is said."""
        return self._limited or self.edit_interval > self._configured

    async def try_once(self, call: Callable[[], Awaitable[T]]) -> T:
        """Send what need not be sent now: once, without waiting for anything.

        Raises:
            HomeserverError: it was refused.
            ChatError: as ``call``.
        """
        try:
            return await self._send_once(call)
        except HomeserverError as error:
            if error.rate_limited:
                self._make_edits_rarer(error.retry_after)
            raise

    def _make_edits_rarer(self, asked: float) -> None:
        """Let edits leave half of what the homeserver takes to other messages, as far as it says what it takes:
        one event in as many seconds as it asks to wait, at the most. Where it does not, they get rarer each time."""
        self._sent_since_refusal = 0
        wanted = timedelta(seconds=2 * asked) if asked > 0 else 2 * self.edit_interval
        self.edit_interval = min(
            max(wanted, self.edit_interval, timedelta(seconds=1)), max(MAX_EDIT_INTERVAL, self._configured)
        )

    def _note_refusal(self, asked: float) -> bool:
        """Take note of a refusal; whether this is the first one, whose sender then holds the turn."""
        first, self._limited = not self._limited, True
        if first:  # what was under way beside it is refused for the same reason
            self._make_edits_rarer(asked)
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
                asked = error.retry_after
                if asked > 0:
                    self._make_edits_rarer(asked)
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
