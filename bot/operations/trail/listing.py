"""The audit trail as somebody reads it: newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from slipway.bot.store.database import Database
from slipway.bot.store.tables import audit


@dataclass(frozen=True)
class Listed:
    """An entry, with its place in the chain.

    Attributes:
        number: its place, from 1.
        at: when.
        actor: who: a person's id, a schedule's or a service's, or ``slipway``.
        action: what they did.
        operation_id: to which operation; None for none.
        detail: more of it, as JSON.
    """

    number: int
    at: datetime
    actor: str
    action: str
    operation_id: str | None
    detail: str


async def newest_entries(
    database: Database, limit: int, *, before: int | None = None, operation_id: str | None = None
) -> tuple[Listed, ...]:
    """The newest entries, newest first.

    Args:
        database: where the trail is.
        limit: so many at most.
        before: only those with a smaller number; None for all.
        operation_id: only of this operation; None for all.
    """
    names = ("number", "at", "actor", "action", "operation_id", "detail")
    query = sa.select(*(audit.c[name] for name in names)).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.number < before)
    if operation_id is not None:
        query = query.where(audit.c.operation_id == operation_id)
    async with database.reading() as connection:
        return tuple(Listed(*row) for row in (await connection.execute(query)).all())
