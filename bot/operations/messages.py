"""Everything the bot says goes through here: each message once by its key, edits only when something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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

SLOW_EDIT_SECONDS = 5.0

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
    operation_id: str | None = None


@dataclass(frozen=True)
class Report:
    """What is said when an operation has ended; without a thread, in that of its first card in the room."""

    key: str
    room: Room
    thread: str | None
    card: Card


class MessageService:
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
            if operation_id is not None:  # “Working on it…” becomes the operation's card
                await self._link(before, operation_id)
            edited = await self._edited(before, card)
            await self._keep([edited] if edited is not None else [])
            return before.message_id
        with self._under_way(room):
            sent = await self._sent(room, card, thread, key, operation_id)
            await self._keep([sent] if sent is not None else [])
        return sent.message_id if sent is not None else None

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
        shown = await self._cards(operation_id)
        edits = await _all(self._edited(each, card) for each in shown)
        await self._keep([each for each in edits if each is not None])

    async def conclude(self, operation_id: str, card: Card, report: Report | None) -> None:
        """Edit every card of an operation to show how it ended, and say its report, once for its key.

        What was edited and said is remembered together, in the end: to do either again shows nothing twice.
        """
        if report is None:  # it is told nowhere
            await self.show(operation_id, card)
            return
        shown = await self._cards(operation_id, report.key)
        said = next((each for each in shown if each.key == report.key), None)
        cards = [each for each in shown if each.operation_id == operation_id]
        edits = await _all(self._edited(each, card) for each in cards)
        thread = report.thread or next((each.message_id for each in cards if each.room == report.room), None)
        made = [each for each in edits if each is not None]
        if said is None:
            said = await self._sent(report.room, report.card, thread, report.key, None)
        else:
            said = await self._edited(said, report.card)
        await self._keep([*made, *([said] if said is not None else [])])

    async def card_of(self, operation_id: str, room: Room) -> PostedMessage | None:
        """The first card of an operation in a room; in the room it was asked for, its thread holds the details."""
        return next((shown for shown in await self._cards(operation_id) if shown.room == room), None)

    async def card_at(self, room: Room, message_id: str) -> PostedMessage | None:
        """The message of the bot with this id, if it is an operation's card.

        A card can be seen, and pressed, before the platform has said that it was sent; so what is on its way
        into the room is waited for.
        """
        under_way = self._sending.get(room)
        if under_way:
            await asyncio.wait(tuple(under_way))
        query = sa.select(message).where(
            message.c.platform == room.platform,
            message.c.room == room.id,
            message.c.message_id == message_id,
            message.c.operation_id.is_not(None),
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().first()
        return _posted(row) if row else None

    def edit_interval(self, room: Room | None) -> float:
        """Seconds that must lie between two edits of one message in this room; of none, those of a slow one."""
        if room is None:
            return SLOW_EDIT_SECONDS
        chat = self._chats.get(room.platform)
        return chat.edit_interval.total_seconds() if chat else 0.0

    async def _sent(
        self, room: Room, card: Card, thread: str | None, key: str, operation_id: str | None
    ) -> PostedMessage | None:
        """Send a card; None where the platform did not take it, which is logged. To be kept by the caller."""
        chat = self._chats.get(room.platform)
        if chat is None:
            log.error("no chat is there for this platform", platform=room.platform, key=key)
            return None
        try:
            message_id = await self._retry(lambda: chat.send(room.id, card, thread=thread, key=key))
        except ChatError as error:
            log.error("a message could not be sent", room=room.id, key=key, why=str(error))
            return None
        return PostedMessage(key, room, thread, message_id, digest(card), 0, operation_id)

    async def _edited(self, shown: PostedMessage, card: Card) -> PostedMessage | None:
        """Edit a message; None where nothing changed, or the platform did not take it. To be kept by the caller."""
        looks = digest(card)
        chat = self._chats.get(shown.room.platform)
        if looks == shown.shown or chat is None:
            return None
        # Counted, as a platform drops an edit whose key it knows, and a card can come to look as it did before.
        key = f"{shown.key}:{shown.edits + 1}:{looks[:16]}"
        try:
            await self._retry(
                lambda: chat.edit(shown.room.id, shown.message_id, card, thread=shown.thread, key=key)
            )
        except ChatError as error:
            log.warning("a message could not be edited", room=shown.room.id, key=key, why=str(error))
            return None
        return replace(shown, shown=looks, edits=shown.edits + 1)

    async def _retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
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
        return _posted(row) if row else None

    async def _cards(self, operation_id: str, *keys: str) -> tuple[PostedMessage, ...]:
        """The cards of an operation, oldest first, and the messages with these keys."""
        wanted = sa.or_(message.c.operation_id == operation_id, message.c.key.in_(keys))
        query = sa.select(message).where(wanted).order_by(message.c.sent_at)
        async with self._database.reading() as connection:
            return tuple(_posted(row) for row in (await connection.execute(query)).mappings())

    async def _keep(self, posted: Sequence[PostedMessage]) -> None:
        """Remember messages as they are now, sent or edited."""
        if not posted:
            return
        rows = [
            {
                "key": each.key,
                "platform": each.room.platform,
                "room": each.room.id,
                "thread": each.thread,
                "message_id": each.message_id,
                "operation_id": each.operation_id,
                "shown": each.shown,
                "edits": each.edits,
                "sent_at": self._clock(),
            }
            for each in posted
        ]
        looks = (
            message.update()
            .where(message.c.key == sa.bindparam("of"))
            .values(shown=sa.bindparam("looks"), edits=sa.bindparam("count"))
        )
        async with self._database.writing() as connection:
            await connection.execute(insert(message).on_conflict_do_nothing(), rows)
            await connection.execute(
                looks, [{"of": each.key, "looks": each.shown, "count": each.edits} for each in posted]
            )


async def _all(edits: Iterable[Awaitable[T]]) -> list[T]:
    """Side by side: a platform that is slow keeps no other one waiting, and one that fails ends no other."""
    results = await asyncio.gather(*edits, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def _posted(row: sa.RowMapping) -> PostedMessage:
    return PostedMessage(
        key=row["key"],
        room=Room(platform=Platform(row["platform"]), id=row["room"]),
        thread=row["thread"],
        message_id=row["message_id"],
        shown=row["shown"],
        edits=row["edits"],
        operation_id=row["operation_id"],
    )
