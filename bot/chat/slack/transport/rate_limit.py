"""Speaking no faster than Slack bears: one message a second a channel, and only the newest edit of each.

Source: docs.slack.dev/apis/web-api/rate-limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep

INTERVAL = timedelta(seconds=1)

EDITS_APART = timedelta(seconds=1.2)
"""chat.update bears 50 calls a minute, for all messages together (tier 3) …"""

EDITS_AT_ONCE = 10
"""… and some at once."""

SETTLING = 30.0
"""Seconds after which an edit without an answer has been made, or never will be."""

SendEdit = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)


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


class Budget:
    """So many calls in a time, of all callers together, some of them at once (the generic cell rate algorithm).

    Args:
        clock: the time.
        sleep: waits for one's turn.
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

    async def turn(self) -> None:
        """Wait until one more call is borne."""
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


class Latest:
    """Edits of messages, of which only the newest matters.

    One edit of a message is sent at a time, to its end: whoever asked for it may be cancelled, and Slack would
    still make it, after a newer one. An edit that waits is replaced by a newer one, and whoever asked for
    either hears how that went.

    Args:
        sleep: waits until an edit of doubtful outcome cannot happen any more.
        budget: how many edits there may be, of all messages together.
    """

    def __init__(self, sleep: Sleep, budget: Budget) -> None:
        self._sleep = sleep
        self._budget = budget
        self._lines: dict[str, _Line] = {}
        self._doubtful: set[str] = set()  # messages of which an edit may still happen

    async def edit(self, message: str, send: SendEdit) -> None:
        """Make an edit by ``send``, or see a newer one made in its place.

        Raises:
            ChatError: as ``send``.
        """
        line = self._lines.setdefault(message, _Line())
        edit = line.waiting = _Edit(send) if line.waiting is None else line.waiting
        edit.send = send
        line.asked.set()
        if line.task is None:
            line.task = asyncio.create_task(self._work(message, line), name=f"edits of {message}")
        await asyncio.shield(edit.done)

    async def close(self) -> None:
        """Stop whatever is still under way."""
        tasks = [line.task for line in self._lines.values() if line.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, message: str, line: _Line) -> None:
        """Make one edit after the other until none waits."""
        edit: _Edit | None = None
        try:
            while line.waiting is not None:
                await self._budget.turn()  # what is newest then is made
                edit = line.take()
                await self._make(message, edit, line)
        finally:
            del self._lines[message]
            for left in (edit, line.waiting):
                if left is not None and not left.done.done():
                    left.fail(ChatError("Could not change a message: the chat was closed.", passing=False))

    async def _make(self, message: str, edit: _Edit, line: _Line) -> None:
        try:
            await edit.send()
        except ChatError as error:
            if error.doubtful:  # it may be made all the same, and later than the one that follows
                self._doubtful.add(message)
            elif not error.passing:
                self._doubtful.discard(message)
            edit.fail(error)
        except Exception as error:  # noqa: BLE001 - for whoever waits
            edit.fail(error)
        else:
            edit.done.set_result(None)
            if message in self._doubtful:
                await self._once_more(message, edit, line)

    async def _once_more(self, message: str, edit: _Edit, line: _Line) -> None:
        """Make the newest edit again when the doubtful one before it has been made, or never will be."""
        waits = (asyncio.ensure_future(self._sleep(SETTLING)), asyncio.ensure_future(line.asked.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        await self._budget.turn()
        if line.waiting is not None:
            return
        self._doubtful.discard(message)
        try:
            await edit.send()
        except ChatError as error:
            log.warning("an edit could not be made sure of", problem=str(error))


class _Edit:
    def __init__(self, send: SendEdit) -> None:
        self.send = send
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, error: Exception) -> None:
        self.done.set_exception(error)
        self.done.exception()  # those who wait have it, if there are any


@dataclass
class _Line:
    """The edits of one message."""

    task: asyncio.Task[None] | None = None
    waiting: _Edit | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # set while one waits

    def take(self) -> _Edit:
        """The edit that waits, which no newer one can replace any more."""
        assert self.waiting is not None  # noqa: S101 - for the type checker; the caller looked
        edit, self.waiting = self.waiting, None
        self.asked.clear()
        return edit
