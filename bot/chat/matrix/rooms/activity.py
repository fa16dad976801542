"""Typing and read receipts: small signs that the bot is at it. Never in the way of an answer, and never urgent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.core.errors import ChatError

TYPING_AFTER = 0.5
"""Seconds until an answer that is not there yet is announced by typing; a quicker one needs no announcing."""

TYPING_FOR = 30.0
"""Seconds for which typing is shown at most."""

RECEIPT_AFTER = 1.0
"""Seconds in which receipts of a room gather; only the last one is sent."""

log = structlog.get_logger(__name__)


class Presence:
    """Shows people that the bot has read them and is working.

    Args:
        connection: the line to the homeserver.
        typing_after: seconds until typing is shown.
        receipt_after: seconds in which a room's receipts gather.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        typing_after: float = TYPING_AFTER,
        receipt_after: float = RECEIPT_AFTER,
    ) -> None:
        self._connection = connection
        self._typing_after = typing_after
        self._receipt_after = receipt_after
        self._working: dict[str, asyncio.Event] = {}  # rooms that wait for an answer; set when it is there
        self._read: dict[str, tuple[str, str]] = {}  # a room's last handled event, and its thread
        self._tasks: set[asyncio.Task[None]] = set()

    def handled(self, room: str, event_id: str, thread: str | None) -> None:
        """Something was taken in that will be answered."""
        if room not in self._working:
            self._working[room] = asyncio.Event()
            self._begin(self._type(room, self._working[room]), f"typing in {room}")
        if room not in self._read:
            self._begin(self._mark(room), f"receipt in {room}")
        self._read[room] = (event_id, thread or "main")

    def answered(self, room: str) -> None:
        """The bot spoke in a room."""
        answered = self._working.pop(room, None)
        if answered is not None:
            answered.set()

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._working.clear()
        self._read.clear()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _type(self, room: str, answered: asyncio.Event) -> None:
        if await _comes(answered, self._typing_after):
            return
        await self._quietly(self._show_typing(room, typing=True))
        await _comes(answered, TYPING_FOR)
        await self._quietly(self._show_typing(room, typing=False))
        if self._working.get(room) is answered:
            del self._working[room]

    async def _show_typing(self, room: str, *, typing: bool) -> None:
        milliseconds = int(TYPING_FOR * 1000)
        await self._connection.request(
            "show that the bot is typing",
            lambda client: client.room_typing(room, typing, timeout=milliseconds),
        )

    async def _mark(self, room: str) -> None:
        await asyncio.sleep(self._receipt_after)
        event_id, thread = self._read.pop(room)
        await self._quietly(
            self._connection.request(
                "mark a message as read",
                lambda client: client.update_receipt_marker(room, event_id, thread_id=thread),
            )
        )

    async def _quietly(self, call: Coroutine[Any, Any, Any]) -> None:
        try:
            await call
        except ChatError as error:
            log.info("a courtesy was not taken", problem=str(error))


async def _comes(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event is set within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
