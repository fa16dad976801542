"""Speaking no faster than Slack bears: one message a second a channel, and only the newest edit of each.

Source: docs.slack.dev/apis/web-api/rate-limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.times import Clock
from bot.waiting import Sleep

INTERVAL = timedelta(seconds=1)


@dataclass
class _Lane:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last: datetime | None = None


class Lanes:
    """One sender a channel: messages leave in the order in which they came, a second apart."""

    def __init__(self, clock: Clock, sleep: Sleep, interval: timedelta = INTERVAL) -> None:
        self._clock = clock
        self._sleep = sleep
        self._interval = interval
        self._lanes: dict[str, _Lane] = {}

    @asynccontextmanager
    async def turn(self, channel: str) -> AsyncIterator[None]:
        """Wait until this channel bears a message, and hold its lane."""
        lane = self._lanes.setdefault(channel, _Lane())
        async with lane.lock:
            if lane.last is not None:
                # A clock that was set back must not make anybody wait for longer.
                wait = min(lane.last + self._interval - self._clock(), self._interval)
                if wait > timedelta():
                    await self._sleep(wait.total_seconds())
            try:
                yield
            finally:
                lane.last = self._clock()


class Latest:
    """Edits of messages, of which only the newest matters.

    One edit of a message is sent at a time. One that still waits is replaced by a newer one, and both callers
    hear how that went.
    """

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, _Edit] = {}

    async def edit(self, message: str, send: Callable[[], Awaitable[None]]) -> None:
        """Make an edit by ``send``, or see a newer one made in its place.

        Raises:
            ChatError: as ``send``.
        """
        waiting = self._waiting.get(message)
        if waiting is not None:
            waiting.send = send
            await asyncio.shield(waiting.done)
            return
        mine = self._waiting[message] = _Edit(send, asyncio.get_running_loop().create_future())
        lock = self._locks.setdefault(message, asyncio.Lock())
        try:
            async with lock:
                del self._waiting[message]
                await mine.send()
        except Exception as error:
            mine.done.set_exception(error)
            mine.done.exception()  # those who wait have it, if there are any
            raise
        else:
            mine.done.set_result(None)
        finally:
            mine.done.cancel()  # nothing happens if it is done; else its caller was cancelled
            if self._waiting.get(message) is mine:
                del self._waiting[message]
            if message not in self._waiting and not lock.locked():
                self._locks.pop(message, None)


class _Edit:
    def __init__(self, send: Callable[[], Awaitable[None]], done: asyncio.Future[None]) -> None:
        self.send = send
        self.done = done
