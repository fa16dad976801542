"""Emergencies in the database: which operations were let run by one, who was told, and what others say of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from slipway.bot.core.times import Clock
from slipway.bot.operations.emergency.model import Emergency, Review, Verdict
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.store.database import Database
from slipway.bot.store.tables import audit, emergency


class EmergencyStore:
    """Reads and reviews emergencies. One is one from when its operation was let run: what nobody gave the code for
    that it takes is none.

    Args:
        database: where they are.
        operations: what each did.
        clock: the present.
    """

    def __init__(self, database: Database, operations: OperationRepository, clock: Clock) -> None:
        self._database = database
        self._operations = operations
        self._clock = clock

    async def open_ones(self) -> tuple[Emergency, ...]:
        """Those that nobody has reviewed, the oldest first."""
        return await self._read(emergency.c.reviewed_at.is_(None))

    async def recent(self, limit: int) -> tuple[Emergency, ...]:
        """The newest, reviewed or not, the oldest first."""
        newest = sa.select(emergency.c.operation_id).order_by(emergency.c.at.desc()).limit(limit)
        return await self._read(emergency.c.operation_id.in_(newest))

    async def untold(self) -> tuple[Emergency, ...]:
        """Those of which rooms were not told yet."""
        return await self._read(emergency.c.told_at.is_(None))

    async def find(self, operation_id: str) -> Emergency | None:
        """The emergency by which an operation was let run; None where it was by none."""
        found = await self._read(emergency.c.operation_id == operation_id)
        return found[0] if found else None

    async def told(self, operation_id: str) -> None:
        """Note that rooms were told."""
        own = emergency.c.operation_id == operation_id
        await self._database.execute(emergency.update().where(own).values(told_at=self._clock()))

    async def review(self, operation_id: str, review: Review) -> bool:
        """Store what somebody says of one, unless somebody has said something; whether it is theirs."""
        own = (emergency.c.operation_id == operation_id) & emergency.c.reviewed_at.is_(None)
        values = {
            "reviewed_by": review.by,
            "reviewed_at": review.at,
            "verdict": review.verdict,
            "review": review.words,
            "review_key": review.key,
        }
        await self._database.execute(emergency.update().where(own).values(values))
        held = await self.find(operation_id)
        return held is not None and held.review is not None and held.review.key == review.key

    async def _read(self, *where: sa.ColumnElement[bool]) -> tuple[Emergency, ...]:
        approved = emergency.c.operation_id + f":{OperationState.APPROVED}"
        let_run = sa.exists().where(audit.c.key == approved)
        query = sa.select(emergency).where(let_run, *where).order_by(emergency.c.at, emergency.c.operation_id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple([await self._emergency(row) for row in rows])

    async def _emergency(self, row: Any) -> Emergency:
        operation = await self._operations.get(row["operation_id"])
        return Emergency(
            operation_id=operation.id,
            command=operation.plan.command or operation.kind,
            person=operation.requester,
            reason=row["reason"],
            at=row["at"],
            state=operation.state.value,
            told=row["told_at"] is not None,
            review=_review(row),
        )


def _review(row: Any) -> Review | None:
    if row["reviewed_at"] is None:
        return None
    return Review(
        row["reviewed_by"], Verdict(row["verdict"]), row["review"], row["reviewed_at"], row["review_key"]
    )
