"""Slack's rate limits: one message a second a channel, and so many edits a minute.

Source: docs.slack.dev/apis/web-api/rate-limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep

INTERVAL = timedelta(seconds=1)

EDITS_INTERVAL = timedelta(seconds=1.2)
"""chat.update takes 50 calls a minute, for all messages together (tier 3) …"""

EDITS_BURST = 10
"""… and some at once."""

SETTLE_SECONDS = 30.0
"""Seconds after which an edit without an answer has been made, or never will be."""


@dataclass
class _Channel:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last: datetime | None = None


class ChannelRateLimit:
    """One message at a time in a channel: in the order in which they came, a second apart."""

    def __init__(self, clock: Clock, sleep: Sleep, interval: timedelta = INTERVAL) -> None:
        self._clock = clock
        self._sleep = sleep
        self._interval = interval
        self._channels: dict[str, _Channel] = {}

    @asynccontextmanager
    async def slot(self, channel: str) -> AsyncIterator[None]:
        """Wait until this channel may have a message, and keep others from it until that is sent."""
        state = self._channels.setdefault(channel, _Channel())
        async with state.lock:
            if state.last is not None:
                # A clock that was set back must not make anybody wait for longer.
                wait = min(state.last + self._interval - self._clock(), self._interval)
                if wait > timedelta():
                    await self._sleep(wait.total_seconds())
            try:
                yield
            finally:
                state.last = self._clock()


class CallRateLimit:
    """So many calls in a time, of all callers together, some of them at once (the generic cell rate algorithm).

    Args:
        clock: the time.
        sleep: waits until a call may be made.
        interval: how far apart calls are in the long run.
        burst: how many may be made at once after a pause.
    """

    def __init__(self, clock: Clock, sleep: Sleep, interval: timedelta, burst: int) -> None:
        self._clock = clock
        self._sleep = sleep
        self._interval = interval
        self._burst = burst
        self._next: datetime | None = None
        self._waiting = 0

    async def wait(self) -> None:
        """Wait until one more call may be made."""
        now = self._clock()
        due = now if self._next is None else max(now, self._next)
        # A clock that was set back must not make anybody wait for longer than those before them do.
        due = min(due, now + self._interval * (self._burst + self._waiting))
        self._next = due + self._interval
        wait = due - now - (self._burst - 1) * self._interval
        if wait > timedelta():
            self._waiting += 1
            try:
                await self._sleep(wait.total_seconds())
            finally:
                self._waiting -= 1
