"""Messages in the database: those that stand in a room, and those that wait for their platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.model import Card, Platform, Room
from slipway.bot.core.model import canonical_json
from slipway.bot.core.times import Clock
from slipway.bot.messages.model import Dropped, Message
from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import UtcDateTime, message

BATCH = 50
"""How many waiting messages are read at once: a platform can be away for long."""


class Outbox:
    """Reads and keeps messages."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def find(self, *keys: str) -> tuple[Message, ...]:
        """The messages with these keys, as far as there are any."""
        return await self._select(message.c.key.in_(keys))

    async def of_operation(self, operation_id: str, *keys: str) -> tuple[Message, ...]:
        """The cards of an operation, oldest first, and the messages with these keys."""
        return await self._select(sa.or_(message.c.operation_id == operation_id, message.c.key.in_(keys)))

    async def card_at(self, room: Room, message_id: str) -> Message | None:
        """The operation's card that the platform knows by this id."""
        found = await self._select(
            message.c.platform == room.platform,
            message.c.room == room.id,
            message.c.message_id == message_id,
            message.c.operation_id.is_not(None),
        )
        return found[0] if found else None

    async def at(self, room: Room, message_id: str) -> Message | None:
        """Any message that the platform knows by this id."""
        found = await self._select(
            message.c.platform == room.platform,
            message.c.room == room.id,
            message.c.message_id == message_id,
        )
        return found[0] if found else None

    async def rooms_that_wait(self) -> tuple[Room, ...]:
        """The rooms in which something has yet to be shown."""
        query = sa.select(message.c.platform, message.c.room).where(message.c.turn.is_not(None)).distinct()
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(Room(platform=Platform(row.platform), id=row.room) for row in rows)

    async def waiting(self, room: Room) -> tuple[Message, ...]:
        """What has yet to be shown in a room, in its order: the first :data:`BATCH` of it."""
        here = (message.c.platform == room.platform, message.c.room == room.id, message.c.turn.is_not(None))
        query = sa.select(message).where(*here).order_by(message.c.turn).limit(BATCH)
        async with self._database.reading() as connection:
            return tuple(_read(row) for row in (await connection.execute(query)).mappings())

    async def backlog(self, since: datetime) -> tuple[Mapping[str, int], tuple[Dropped, ...]]:
        """How many messages wait, by platform, and what was given up since a moment, by room and reason."""
        waiting = (
            sa.select(message.c.platform, sa.func.count())
            .where(message.c.turn.is_not(None))
            .group_by(message.c.platform)
        )
        which = (message.c.platform, message.c.room, message.c.dropped)
        last = sa.type_coerce(sa.func.max(message.c.dropped_at), UtcDateTime)
        dropped = (
            sa.select(*which, sa.func.count(), last)
            .where(message.c.dropped_at >= since)
            .group_by(*which)
            .order_by(*which)
        )
        async with self._database.reading() as connection:
            counts = {str(row[0]): int(row[1]) for row in (await connection.execute(waiting)).all()}
            rows = (await connection.execute(dropped)).all()
        return counts, tuple(
            Dropped(Room(platform=Platform(platform), id=room), why, int(count), newest)
            for platform, room, why, count, newest in rows
        )

    async def keep(self, messages: Sequence[Message]) -> None:
        """Remember messages as they are now. What waits and has no turn yet is put behind all that waits."""
        if messages:
            await self._database.write(lambda connection: self._keep(connection, messages))

    async def _keep(self, connection: AsyncConnection, messages: Sequence[Message]) -> None:
        turn = await _last(connection, message.c.turn)
        number = await _last(connection, message.c.number)
        for each in messages:
            values = self._values(each)
            if each.card is not None and each.turn is None:
                turn += 1
                values["turn"] = turn
            number += 1
            await connection.execute(
                insert(message)
                .values(number=number, **values)
                .on_conflict_do_update(index_elements=[message.c.key], set_=values)
            )

    def _values(self, each: Message) -> dict[str, Any]:
        return {
            "key": each.key,
            "platform": each.room.platform,
            "room": each.room.id,
            "thread": each.thread,
            "thread_of": each.thread_of,
            "answers": each.answers,
            "operation_id": each.operation_id,
            "message_id": each.message_id,
            "sent_at": each.sent_at,
            "card_since": each.card_since,
            "shown": each.shown,
            "edits": each.edits,
            "incomplete": each.incomplete,
            "card": None if each.card is None else canonical_json(each.card),
            "turn": each.turn if each.card is not None else None,
            "until": each.until,
            "dropped": each.dropped,
            "dropped_at": self._clock() if each.dropped else None,
        }

    async def _select(self, *where: sa.ColumnElement[bool]) -> tuple[Message, ...]:
        query = sa.select(message).where(*where).order_by(message.c.number)
        async with self._database.reading() as connection:
            return tuple(_read(row) for row in (await connection.execute(query)).mappings())


async def _last(connection: AsyncConnection, column: sa.Column[int]) -> int:
    return int(await connection.scalar(sa.select(sa.func.max(column))) or 0)


def _read(row: sa.RowMapping) -> Message:
    return Message(
        key=row["key"],
        room=Room(platform=Platform(row["platform"]), id=row["room"]),
        until=row["until"],
        thread=row["thread"],
        thread_of=row["thread_of"],
        answers=row["answers"],
        operation_id=row["operation_id"],
        message_id=row["message_id"],
        sent_at=row["sent_at"],
        card_since=row["card_since"],
        shown=row["shown"],
        edits=row["edits"],
        incomplete=row["incomplete"],
        card=_card(row["card"]),
        turn=row["turn"],
        dropped=row["dropped"],
    )


def _card(stored: str | None) -> Card | None:
    """A stored card; None where there is none, or where another version of Slipway stored one that is not known."""
    try:
        return None if stored is None else Card.model_validate_json(stored)
    except ValidationError:
        return None
