"""Forgets which message showed what, where that is long over; and what must not be forgotten yet."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from slipway.bot.store.database import Database
from slipway.bot.store.tables import message, operation


async def prune_messages(
    database: Database, before: datetime, open_states: tuple[str, ...], most: int
) -> int:
    """Forget messages that were sent before a time, and are not the card of an operation that is still open.

    Args:
        database: where they are.
        before: the time.
        open_states: the states in which an operation's card is still to be edited.
        most: so many at once, in one short transaction.

    Returns:
        How many were forgotten; ``most`` means that there may be more.
    """
    still_open = sa.select(operation.c.id).where(operation.c.state.in_(open_states))
    over = sa.or_(message.c.operation_id.is_(None), message.c.operation_id.not_in(still_open))
    last = sa.func.coalesce(message.c.sent_at, message.c.dropped_at)  # neither: it waits for its platform
    query = sa.select(message.c.key).where(last < before, message.c.turn.is_(None), over).limit(most)
    async with database.reading() as connection:
        keys = tuple((await connection.execute(query)).scalars())
    if keys:
        await database.execute(message.delete().where(message.c.key.in_(keys)))
    return len(keys)


async def still_needed_since(database: Database, open_states: tuple[str, ...]) -> datetime | None:
    """When the oldest operation was asked for that is still open; None for none. What was heard since then counts: a
    vote is taken back by the event that gave it.

    Args:
        database: where operations are.
        open_states: the states in which they are open.
    """
    query = sa.select(sa.func.min(operation.c.created_at)).where(operation.c.state.in_(open_states))
    async with database.reading() as connection:
        found: datetime | None = await connection.scalar(query)
    return found
