"""Everything the bot says goes through here: each message once by its key, edits only when something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.sqlite import insert

from slipway.bot.chat.model import Card, Chat, Platform, Room
from slipway.bot.core.errors import ChatError
from slipway.bot.core.model import digest
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.store.database import Database
from slipway.bot.store.tables import message

SEND_ATTEMPTS = 5
"""How often a message or an edit is tried while its platform says that a later try may succeed."""

FIRST_PAUSE_SECONDS = 1.0

LONGEST_PAUSE_SECONDS = 900.0
"""The longest that a platform may ask to wait before the next try."""

log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class PostedMessage:
    """A message of the bot that stands in a room."""

    key: str
    room: Room
    thread: str | None
    message_id: str
    shown: str
    edits: int = 0


class Messages:
    """Sends and edits cards on every platform, and remembers which message shows what."""

    def __init__(
        self,
        database: Database,
        chats: Mapping[Platform, Chat],
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._chats = chats
        self._sleep = sleep
        self._sending: dict[Room, set[asyncio.Future[None]]] = {}

    async def say(
        self,
        room: Room,
        card: Card,
        *,
        key: str,
        thread: str | None = None,
        operation_id: str | None = None,
    ) -> str | None:
        """Send a card once for its key, or edit the message that was sent with that key before.

        Returns the platform's message id; None if the platform did not take it, which is logged: what the bot
        does never depends on whether it could say so.
        """
        before = await self._find(key)
        if before is not None:
            if operation_id is not None:  # “Looking into it…” becomes the operation's card
                await self._link(before, operation_id)
            await self._edit(before, card)
            return before.message_id
        chat = self._chats.get(room.platform)
        if chat is None:
            log.error("nobody speaks for this platform", platform=room.platform, key=key)
            return None
        with self._under_way(room):
            message_id = await self._send(chat, room, card, thread, key)
            if message_id is not None:
                await self._remember(PostedMessage(key, room, thread, message_id, digest(card)), operation_id)
        return message_id

    @contextmanager
    def _under_way(self, room: Room) -> Iterator[None]:
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sending.setdefault(room, set()).add(sent)
        try:
            yield
        finally:
            sent.set_result(None)
            self._sending[room].discard(sent)

    async def show(self, operation_id: str, card: Card) -> None:
        """Edit every card of an operation, in whichever rooms they stand, to show this.

        Side by side: a platform that is slow keeps no other one waiting.
        """
        edits = [self._edit(shown, card) for shown in await self._cards(operation_id)]
        for result in await asyncio.gather(*edits, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def card_of(self, operation_id: str, room: Room) -> PostedMessage | None:
        """The first card of an operation in a room; in the room it was asked for, its thread holds the details."""
        return next((shown for shown in await self._cards(operation_id) if shown.room == room), None)

    async def operation_of(self, room: Room, message_id: str) -> str | None:
        """The operation whose card this message is; None for any other message.

        A card can be seen, and pressed, before the platform has said that it was sent; so what is on its way
        into the room is waited for.
        """
        under_way = self._sending.get(room)
        if under_way:
            await asyncio.wait(tuple(under_way))
        query = sa.select(message.c.operation_id).where(
            message.c.platform == room.platform,
            message.c.room == room.id,
            message.c.message_id == message_id,
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar()

    def edit_interval(self, platform: Platform) -> float:
        """Seconds that must lie between two edits of one message on this platform."""
        chat = self._chats.get(platform)
        return chat.edit_interval.total_seconds() if chat else 0.0

    async def _send(self, chat: Chat, room: Room, card: Card, thread: str | None, key: str) -> str | None:
        try:
            return await self._insist(lambda: chat.send(room.id, card, thread=thread, key=key))
        except ChatError as error:
            log.error("a message could not be sent", room=room.id, key=key, why=str(error))
            return None

    async def _edit(self, shown: PostedMessage, card: Card) -> None:
        looks = digest(card)
        chat = self._chats.get(shown.room.platform)
        if looks == shown.shown or chat is None:
            return
        # Counted, as a platform drops an edit whose key it knows, and a card can come to look as it did before.
        key = f"{shown.key}:{shown.edits + 1}:{looks[:16]}"
        try:
            await self._insist(
                lambda: chat.edit(shown.room.id, shown.message_id, card, thread=shown.thread, key=key)
            )
        except ChatError as error:
            log.warning("a message could not be edited", room=shown.room.id, key=key, why=str(error))
            return
        async with self._database.writing() as connection:
            now = message.update().values(shown=looks, edits=message.c.edits + 1)
            await connection.execute(now.where(message.c.key == shown.key))

    async def _insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try again, a few times and ever later, while the platform says that this may help."""
        pause = FIRST_PAUSE_SECONDS
        for _ in range(SEND_ATTEMPTS - 1):
            try:
                return await attempt()
            except ChatError as error:
                if not error.passing:
                    raise
                asked = min(error.retry_after, LONGEST_PAUSE_SECONDS)
            await self._sleep(max(pause, asked))
            pause *= 2
        return await attempt()

    async def _link(self, shown: PostedMessage, operation_id: str) -> None:
        statement = message.update().where(message.c.key == shown.key).values(operation_id=operation_id)
        async with self._database.writing() as connection:
            await connection.execute(statement)

    async def _find(self, key: str) -> PostedMessage | None:
        query = sa.select(message).where(message.c.key == key)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().first()
        return _shown(row) if row else None

    async def _cards(self, operation_id: str) -> tuple[PostedMessage, ...]:
        query = sa.select(message).where(message.c.operation_id == operation_id).order_by(message.c.sent_at)
        async with self._database.reading() as connection:
            return tuple(_shown(row) for row in (await connection.execute(query)).mappings())

    async def _remember(self, shown: PostedMessage, operation_id: str | None) -> None:
        statement = insert(message).values(
            key=shown.key,
            platform=shown.room.platform,
            room=shown.room.id,
            thread=shown.thread,
            message_id=shown.message_id,
            operation_id=operation_id,
            shown=shown.shown,
            sent_at=self._clock(),
        )
        async with self._database.writing() as connection:
            await connection.execute(statement.on_conflict_do_nothing())


def _shown(row: sa.RowMapping) -> PostedMessage:
    return PostedMessage(
        key=row["key"],
        room=Room(platform=Platform(row["platform"]), id=row["room"]),
        thread=row["thread"],
        message_id=row["message_id"],
        shown=row["shown"],
        edits=row["edits"],
    )
