"""Work that is done again as a whole after a crash: one row from its begin until its end, and none for its steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import unrecorded_run


@dataclass(frozen=True)
class UnrecordedRun:
    """What is to be done, under which id, with what."""

    id: str
    name: str
    payload: dict[str, Json]


class UnrecordedRuns:
    """Keeps which of them have not ended, and for as long as events come again, which have.

    Args:
        database: where.
        clock: the present, for how long they are kept.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, run: UnrecordedRun) -> bool:
        """Keep one; when this returns it is committed. False where there is or was one of this id."""
        row = {
            "id": run.id,
            "name": run.name,
            "payload": json.dumps(run.payload),
            "begun_at": self._clock(),
        }

        async def work(connection: AsyncConnection) -> bool:
            inserted = await connection.execute(insert(unrecorded_run).values(row).on_conflict_do_nothing())
            return bool(inserted.rowcount)

        return await self._database.write(work)

    async def has(self, id_: str) -> bool:
        """Whether there is or was one of this id."""
        query = sa.select(unrecorded_run.c.id).where(unrecorded_run.c.id == id_)
        async with self._database.reading() as connection:
            return await connection.scalar(query) is not None

    async def end(self, id_: str) -> None:
        """Note that one has ended. What it was about is not needed any more."""
        ended = {"ended_at": self._clock(), "payload": "{}"}
        await self._database.execute(
            sa.update(unrecorded_run).where(unrecorded_run.c.id == id_).values(ended)
        )

    async def left(self) -> tuple[UnrecordedRun, ...]:
        """Those that have not ended, the oldest first."""
        columns = (unrecorded_run.c.id, unrecorded_run.c.name, unrecorded_run.c.payload)
        query = sa.select(*columns).where(unrecorded_run.c.ended_at.is_(None))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.order_by(unrecorded_run.c.begun_at))).all()
        return tuple(UnrecordedRun(row.id, row.name, json.loads(row.payload)) for row in rows)

    async def prune(self, before: datetime, most: int) -> int:
        """Forget those that were begun before a time and have ended, at most so many; how many were forgotten."""
        over = (unrecorded_run.c.begun_at < before, unrecorded_run.c.ended_at.is_not(None))
        query = sa.select(unrecorded_run.c.id).where(*over).limit(most)
        async with self._database.reading() as connection:
            ids = tuple((await connection.execute(query)).scalars())
        if ids:
            await self._database.execute(unrecorded_run.delete().where(unrecorded_run.c.id.in_(ids)))
        return len(ids)
