"""What ended in a period, for reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa

from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.operations.persistence.rows import OperationRows
from slipway.bot.operations.registry import SubjectRegistry
from slipway.bot.store.database import Database
from slipway.bot.store.tables import operation

MOST_READ = 500
"""Operations that are read whole for one report, the newest."""


class EndedOperations:
    """Reads operations by when they ended.

    Args:
        database: where they are.
        registry: the kinds that are known.
    """

    def __init__(self, database: Database, registry: SubjectRegistry) -> None:
        self._database = database
        self._rows = OperationRows(registry)

    async def counts(self, begin: datetime, end: datetime) -> Mapping[tuple[str, OperationState], int]:
        """How many ended from a moment on and before another, by kind and state. Reads no plan."""
        query = (
            sa.select(operation.c.kind, operation.c.state, sa.func.count())
            .where(operation.c.ended_at >= begin, operation.c.ended_at < end)
            .group_by(operation.c.kind, operation.c.state)
            .order_by(operation.c.kind, operation.c.state)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return {(str(row[0]), OperationState(row[1])): int(row[2]) for row in rows}

    async def between(
        self,
        begin: datetime,
        end: datetime,
        *,
        kinds: Collection[str] | None = None,
        states: Collection[OperationState] | None = None,
    ) -> tuple[Operation, ...]:
        """The newest :data:`MOST_READ` that ended in a period, in the order in which they did.

        Args:
            begin: the first moment.
            end: the first moment after it.
            kinds: of these kinds alone; None for all.
            states: in these states alone; None for all.
        """
        query = sa.select(operation).where(operation.c.ended_at >= begin, operation.c.ended_at < end)
        if kinds is not None:
            query = query.where(operation.c.kind.in_(kinds))
        if states is not None:
            query = query.where(operation.c.state.in_(states))
        async with self._database.reading() as connection:
            newest = query.order_by(operation.c.ended_sequence.desc()).limit(MOST_READ)
            return tuple(reversed(await self._rows.select(connection, newest)))
