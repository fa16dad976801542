"""What replicas tell each other beside what people say: that a room changed, or whom one of them is to answer.

Each replica reads what the others tell from the moment on at which it began; what was told before is of no use to
it. No secret is ever told so: it would stand in the database.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.model import Json
from slipway.bot.core.waiting import Backoff, Sleep
from slipway.bot.replicas.lease import NOTICE_CHANNEL
from slipway.bot.replicas.reading import read_on
from slipway.bot.replicas.tables import notice
from slipway.bot.store.database import Database

LOOK_SECONDS = 60.0
"""How often it is looked without being told: a connection that broke is told of, too."""

KEPT = "1 hour"
"""For how long a notice stays, in the database's words: far longer than a replica may be away and still be one."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Notice:
    """Something that one replica tells all others.

    Attributes:
        kind: for whom of each it is.
        content: what.
    """

    kind: str
    content: Json


Take = Callable[[Json], Awaitable[None]]


class Notices:
    """Tells the other replicas something, and reads what they tell.

    Args:
        database: where it is kept.
        replica: the id of this one.
        news: is set when there is something new.
        sleep: lets time pass.
    """

    def __init__(
        self, database: Database, replica: str, news: asyncio.Event, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._database = database
        self._replica = replica
        self._news = news
        self._sleep = sleep
        self._read_to: int | None = None
        self._reading = asyncio.Lock()
        self._later: asyncio.Queue[Notice] = asyncio.Queue()
        self._takes: Mapping[str, Take] = {}

    async def tell(self, kind: str, content: Json) -> None:
        """Tell the others; when this returns it is committed."""
        row = {
            "replica": self._replica,
            "kind": kind,
            "content": json.dumps(content),
            "told_at": sa.func.clock_timestamp(),
        }
        old = sa.text(f"told_at < clock_timestamp() - interval '{KEPT}'")

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(sa.delete(notice).where(old))
            await connection.execute(sa.insert(notice).values(row))
            await connection.execute(sa.select(sa.func.pg_notify(NOTICE_CHANNEL, "")))

        await self._database.write(work)

    def tell_soon(self, kind: str, content: Json) -> None:
        """Tell the others as soon as that can be stored, for whoever cannot wait."""
        self._later.put_nowait(Notice(kind, content))

    def taken_by(self, takes: Mapping[str, Take]) -> None:
        """Have each kind taken in by these, before anything is read; other kinds are another version's."""
        self._takes = takes

    async def run(self) -> None:
        """Take in what the others tell, and tell what is to be told soon, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_again_and_again(), name="notices of other replicas")
            tasks.create_task(self._tell_later(), name="notices for other replicas")

    async def read(self) -> None:
        """Take in what the others have told up to now."""
        async with self._reading:
            async with self._database.reading() as connection:
                if self._read_to is None:
                    newest = await connection.scalar(sa.select(sa.func.max(notice.c.number)))
                    self._read_to = newest or 0
                    return
                query = sa.select(notice).where(notice.c.number > self._read_to).order_by(notice.c.number)
                rows = (await connection.execute(query)).all()
            for row in rows:
                self._read_to = row.number
                if row.replica != self._replica:
                    await self._taken(row)

    async def _taken(self, row: Any) -> None:
        take = self._takes.get(row.kind)
        if take is None:
            return
        try:
            await take(json.loads(row.content))
        except Exception:
            # A boundary: what is wrong with one notice keeps nobody from the next.
            log.exception("what another replica told could not be taken in", kind=row.kind)

    async def _read_again_and_again(self) -> None:
        def failed(error: Exception) -> None:
            log.warning("what other replicas told could not be read", problem=type(error).__name__)

        await read_on(self.read, self._news, self._sleep, LOOK_SECONDS, failed)

    async def _tell_later(self) -> None:
        backoff = Backoff()
        while True:
            told = await self._later.get()
            while True:
                try:
                    await self.tell(told.kind, told.content)
                    break
                except Exception as error:  # noqa: BLE001 - a boundary: it is tried until it is told
                    log.warning("other replicas could not be told", problem=type(error).__name__)
                    await self._sleep(backoff.next())
            backoff.reset()
