"""What people took back of what they had said of an operation, by its audit entries: votes that are gone."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.model import Choice
from slipway.bot.operations.audit import WITHDRAWN
from slipway.bot.operations.model import Vote
from slipway.bot.store.tables import audit


async def withdrawn_votes(connection: AsyncConnection, operation_id: str) -> tuple[Vote, ...]:
    """The votes that were taken back, each at the time at which that was, in this order."""
    query = (
        sa.select(audit.c.actor, audit.c.at)
        .where(audit.c.operation_id == operation_id, audit.c.action == WITHDRAWN)
        .order_by(audit.c.number)
    )
    rows = (await connection.execute(query)).all()
    return tuple(Vote(person=row.actor, choice=Choice.APPROVE, at=row.at) for row in rows)
