"""Which step was begun first of those that have not ended: for whoever watches the bot."""

from __future__ import annotations

import sqlalchemy as sa

from slipway.bot.health.readiness import UnderWay
from slipway.bot.operations.audit import StepPhase
from slipway.bot.operations.model import OperationState
from slipway.bot.store.database import Database
from slipway.bot.store.tables import audit, operation


async def oldest_step(database: Database) -> UnderWay | None:
    """The step under way that was begun first; None where none is. A running operation is at its newest one."""
    begun = sa.func.max(audit.c.at).label("begun")
    query = (
        sa.select(operation.c.id, begun)
        .join(audit, audit.c.operation_id == operation.c.id)
        .where(operation.c.state == OperationState.RUNNING)
        .where(audit.c.action.like(f"step-%:{StepPhase.BEGUN}"))
        .group_by(operation.c.id)
        .order_by(begun)
        .limit(1)
    )
    async with database.reading() as connection:
        row = (await connection.execute(query)).first()
    return None if row is None else UnderWay(row.id, row.begun)
