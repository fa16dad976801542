"""Edits of messages, of which only the newest matters: one at a time a message, the newest last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from slipway.bot.core.errors import ChatError
from slipway.bot.core.waiting import first_of

SendEdit = Callable[[], Awaitable[None]]
"""Makes one edit; what it raises is for whoever asked for it."""

log = structlog.get_logger(__name__)


class LatestEdits:
    """Makes edits of messages; of those of one message that wait, only the newest.

    One edit of a message is made at a time, to its end: whoever asked for it may be cancelled, and the platform
    would still make it, after a newer one. An edit that waits is replaced by a newer one, and whoever asked for
    either is told how that went.

    Args:
        wait_for_turn: awaited before each edit, as the platform's rate limit asks; what is newest then is made.
        settle: waits until an edit whose outcome is in doubt (``ChatError.doubtful``) has been made or never
            will be; the newest is then made once more, lest the doubtful one came last. None where that cannot
            happen.
        closed: the error for whoever still waits when all is closed; None to cancel their waiting.
    """

    def __init__(
        self,
        wait_for_turn: Callable[[], Awaitable[None]],
        *,
        settle: Callable[[], Awaitable[None]] | None = None,
        closed: ChatError | None = None,
    ) -> None:
        self._wait_for_turn = wait_for_turn
        self._settle = settle
        self._closed = closed
        self._queues: dict[str, _Queue] = {}
        self._doubtful: set[str] = set()  # messages of which an edit may still be made

    async def edit(self, message_id: str, send: SendEdit) -> None:
        """Make an edit by ``send``, or see a newer one made in its place.

        Args:
            message_id: names the message, among all rooms.
            send: makes the edit.

        Raises:
            ChatError: as ``send``; or all was closed meanwhile.
        """
        queue = self._queues.setdefault(message_id, _Queue())
        edit = queue.put(send)
        if queue.task is None:
            queue.task = asyncio.create_task(self._work(message_id, queue), name=f"edits of {message_id}")
        await asyncio.shield(edit.done)

    async def close(self) -> None:
        """Stop what is still waiting or under way."""
        tasks = [queue.task for queue in self._queues.values() if queue.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for message_id, queue in tuple(self._queues.items()):
            if queue.task in tasks:  # it was cancelled before it began
                self._drop(message_id, None)

    async def _work(self, message_id: str, queue: _Queue) -> None:
        """Make one edit after the other until none waits."""
        edit: _Edit | None = None
        try:
            while queue.waiting is not None:
                await self._wait_for_turn()
                edit = queue.take()
                await self._make(message_id, edit, queue)
        finally:
            self._drop(message_id, edit)

    def _drop(self, message_id: str, begun: _Edit | None) -> None:
        """Forget a message's queue; whoever still waits for one of its edits hears of it."""
        queue = self._queues.pop(message_id)
        for left in (begun, queue.waiting):
            if left is not None and not left.done.done():
                left.abandon(self._closed)

    async def _make(self, message_id: str, edit: _Edit, queue: _Queue) -> None:
        try:
            await edit.send()
        except ChatError as error:
            if error.doubtful:  # it may be made all the same, and later than the one that follows
                self._doubtful.add(message_id)
            elif not error.passing:
                self._doubtful.discard(message_id)
            edit.fail(error)
        except Exception as error:  # noqa: BLE001 - for whoever waits
            edit.fail(error)
        else:
            edit.done.set_result(None)
            if self._settle is not None and message_id in self._doubtful:
                await self._repeat(message_id, edit, queue, self._settle)

    async def _repeat(
        self, message_id: str, edit: _Edit, queue: _Queue, settle: Callable[[], Awaitable[None]]
    ) -> None:
        """Make the newest edit again when the doubtful one before it has been made, or never will be."""
        await first_of(settle(), queue.newer.wait())
        await self._wait_for_turn()
        if queue.waiting is not None:
            return
        self._doubtful.discard(message_id)
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

    def abandon(self, error: ChatError | None) -> None:
        if error is None:
            self.done.cancel()
        else:
            self.fail(error)


@dataclass
class _Queue:
    """The edits of one message: the one that waits, and the task that makes them."""

    task: asyncio.Task[None] | None = None
    waiting: _Edit | None = None
    newer: asyncio.Event = field(default_factory=asyncio.Event)  # set while one waits

    def put(self, send: SendEdit) -> _Edit:
        """Let an edit wait, in place of one that waits already."""
        if self.waiting is None:
            self.waiting = _Edit(send)
        self.waiting.send = send
        self.newer.set()
        return self.waiting

    def take(self) -> _Edit:
        """The edit that waits, which no newer one can replace any more."""
        assert self.waiting is not None  # noqa: S101 - for the type checker; the caller looked
        edit, self.waiting = self.waiting, None
        self.newer.clear()
        return edit
