"""Which operations somebody can have seen who says something in a room: those whose cards stood there before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from slipway.bot.chat.model import Chat, DatesMessages, Platform, Room
from slipway.bot.core.errors import ChatError, UserError
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.model import OPEN, OperationState
from slipway.bot.store.database import Database
from slipway.bot.store.tables import message, operation

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Said:
    """Where and when somebody said something.

    Attributes:
        room: the room.
        thread: the id of the message that begins the thread, where it was said in one.
        reply_to: the id of the message that it answers, where the platform knows such answers.
        at: when, by the platform's clock.
        newest: the number of the newest operation when the bot took it in; None where nobody noted that.
    """

    room: Room
    thread: str | None
    reply_to: str | None
    at: datetime
    newest: int | None


class NotSeenError(UserError):
    """Somebody answers what was not the operation's card yet when they did.

    Args:
        operation_id: of which it is the card now.
    """

    def __init__(self, operation_id: str) -> None:
        super().__init__(
            f"What you answer did not show {operation_id} yet when you did, so it does not count. Look at it, "
            "and say which.",
            nearest=(operation_id,),
            given="",
            hint=f"op {operation_id}",
        )


@dataclass(frozen=True)
class _Card:
    operation_id: str
    sequence: int
    state: OperationState
    message_id: str
    thread: str | None
    sent_at: datetime
    card_since: datetime | None


class StandingCards:
    """Knows what stands in which room.

    Args:
        database: where messages and operations are.
        chats: they may say when their platforms took a message.
        messages: knows which operation a message is the card of.
    """

    def __init__(self, database: Database, chats: Mapping[Platform, Chat], messages: MessageService) -> None:
        self._database = database
        self._chats = chats
        self._messages = messages

    async def answered(self, said: Said) -> str | None:
        """The operation whose card somebody answers, or in whose thread they speak; None if it is no card's.

        Raises:
            NotSeenError: it was no card's when they spoke, and has become one since.
        """
        for message_id in (said.reply_to, said.thread):
            card = await self._card_at(said.room, message_id) if message_id is not None else None
            if card is None:
                continue
            if (said.newest is not None and card.sequence > said.newest) or not await self._showed(
                said, card
            ):
                raise NotSeenError(card.operation_id)
            return card.operation_id
        return None

    async def check_pressed(self, room: Room, message_id: str, at: datetime) -> None:
        """See that a message was an operation's card already when somebody reacted to it.

        Raises:
            NotSeenError: it has become one since.
        """
        card = await self._card_at(room, message_id)
        if card is not None and not await self._showed(Said(room, None, message_id, at, None), card):
            raise NotSeenError(card.operation_id)

    async def seen(self, said: Said) -> Mapping[str, OperationState]:
        """The open operations whose cards stood where something was said, before that: in its thread, or where none
        stood there, in the room itself. Each with its state now.

        An operation that was proposed after the bot took the words in cannot be meant. Apart from that, the times
        that the platform gives to card and words decide, so that neither a late delivery nor a wrong clock of the
        bot's lets anything count for what was not there to be seen.
        """
        cards = [
            card
            for card in await self._cards(said.room)
            if said.newest is None or card.sequence <= said.newest
        ]
        threads = (None,) if said.thread is None else (said.thread, None)
        for thread in threads:
            here = [card for card in cards if card.thread == thread]
            found = {card.operation_id: card.state for card in here if await self._stood(said, card)}
            if found:
                return found
        return {}

    async def newest(self) -> int:
        """The number of the newest operation; 0 where there is none."""
        async with self._database.reading() as connection:
            return int(await connection.scalar(sa.select(sa.func.max(operation.c.sequence))) or 0)

    async def _card_at(self, room: Room, message_id: str) -> _Card | None:
        if await self._messages.card_at(room, message_id) is None:  # which waits for what is on its way
            return None
        found = await self._select(room, message.c.message_id == message_id)
        return found[0] if found else None

    async def _cards(self, room: Room) -> list[_Card]:
        return await self._select(room, operation.c.state.in_(OPEN), message.c.message_id.is_not(None))

    async def _select(self, room: Room, *where: sa.ColumnElement[bool]) -> list[_Card]:
        query = (
            sa.select(
                operation.c.id,
                operation.c.sequence,
                operation.c.state,
                message.c.message_id,
                message.c.thread,
                message.c.sent_at,
                message.c.card_since,
            )
            .select_from(message.join(operation, message.c.operation_id == operation.c.id))
            .where(message.c.platform == room.platform, message.c.room == room.id, *where)
            .order_by(operation.c.sequence)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [
            _Card(
                row.id,
                row.sequence,
                OperationState(row.state),
                row.message_id,
                row.thread,
                row.sent_at,
                row.card_since,
            )
            for row in rows
        ]

    async def _showed(self, said: Said, card: _Card) -> bool:
        """As :meth:`_stood`, of a message that was answered, and so was there: only what it showed is asked."""
        return card.card_since == card.sent_at or await self._stood(said, card)

    async def _stood(self, said: Said, card: _Card) -> bool:
        """Whether a card was there to be seen when something was said; what cannot be found out is not."""
        if card.card_since is None:
            return False
        # A message may have become the card only later (“Working on it…”): how much later, one clock tells.
        became = max(timedelta(), card.card_since - card.sent_at)
        chat: object = self._chats.get(said.room.platform)
        if not isinstance(chat, DatesMessages):
            return card.sent_at + became <= said.at
        try:
            sent_at = await chat.sent_at(said.room.id, card.message_id)
        except ChatError as error:
            log.warning("the time of a card is not known", room=said.room.id, why=str(error))
            return False
        return sent_at is not None and sent_at + became <= said.at
