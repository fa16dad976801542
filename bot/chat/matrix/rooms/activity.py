"""Typing notifications and read receipts; they never delay an answer, and their failures do not matter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

import structlog

from slipway.bot.chat.matrix.transport.api import authenticated_requests, request_json
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.core.errors import ChatError

TYPING_AFTER = 0.5
"""Seconds until an answer that is not there yet is announced by typing; a quicker one needs no announcing."""

TYPING_FOR = 30.0
"""Seconds for which typing is shown at most."""

RECEIPT_AFTER = 1.0
"""Seconds in which receipts of a room gather; only the last one is sent."""

log = structlog.get_logger(__name__)


class ActivityNotifier:
    """Shows people that the bot has read them and is working.

    Args:
        connection: makes calls to the homeserver.
        typing_after: seconds until typing is shown.
        receipt_after: seconds in which a room's receipts gather.
        works: whether this process is the one that answers.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        typing_after: float = TYPING_AFTER,
        receipt_after: float = RECEIPT_AFTER,
        works: Callable[[], bool] = lambda: True,
    ) -> None:
        self._works = works
        self._connection = connection
        self._typing_after = typing_after
        self._receipt_after = receipt_after
        self._awaiting_answer: dict[str, asyncio.Event] = {}  # by room; set when the answer is there
        self._read: dict[str, str] = {}  # a room's last accepted event
        self._tasks: set[asyncio.Task[None]] = set()

    def event_accepted(self, room: str, event_id: str) -> None:
        """An event was accepted that will be answered."""
        if not self._works():
            return
        if room not in self._awaiting_answer:
            self._awaiting_answer[room] = asyncio.Event()
            self._start(
                self._show_typing_until_answered(room, self._awaiting_answer[room]), f"typing in {room}"
            )
        if room not in self._read:
            self._start(self._send_receipt(room), f"receipt in {room}")
        self._read[room] = event_id

    def message_sent(self, room: str) -> None:
        """The bot sent a message to a room."""
        answered = self._awaiting_answer.pop(room, None)
        if answered is not None:
            answered.set()

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._awaiting_answer.clear()
        self._read.clear()

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _show_typing_until_answered(self, room: str, answered: asyncio.Event) -> None:
        if await _is_set_within(answered, self._typing_after):
            return
        await self._ignore_errors(self._show_typing(room, typing=True))
        await _is_set_within(answered, TYPING_FOR)
        await self._ignore_errors(self._show_typing(room, typing=False))
        if self._awaiting_answer.get(room) is answered:
            del self._awaiting_answer[room]

    async def _show_typing(self, room: str, *, typing: bool) -> None:
        milliseconds = int(TYPING_FOR * 1000)
        await self._connection.request(
            "show that the bot is typing",
            lambda client: client.room_typing(room, typing, timeout=milliseconds),
        )

    async def _send_receipt(self, room: str) -> None:
        await asyncio.sleep(self._receipt_after)
        event_id = quote(self._read.pop(room), safe="")
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/receipt/m.read/{event_id}"
        what = "mark a message as read"
        await self._ignore_errors(
            self._connection.request(
                what,
                # Of no thread: all threads are read up to there; and of a reaction nothing says in which one it is.
                lambda client: request_json(authenticated_requests(client), what, "POST", path, {}),
            )
        )

    async def _ignore_errors(self, call: Coroutine[Any, Any, Any]) -> None:
        try:
            await call
        except ChatError as error:
            log.info("a typing notification or receipt was not taken", problem=str(error))


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event is set within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
