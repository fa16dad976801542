"""What replicas that do not lead heard, kept until the leader has taken it in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.model import Json
from slipway.bot.core.waiting import Sleep
from slipway.bot.replicas.lease import INBOX_CHANNEL
from slipway.bot.replicas.reading import read_on
from slipway.bot.replicas.tables import inbox
from slipway.bot.store.database import Database

LOOK_SECONDS = 5.0
"""How often the leader looks without being told."""

BATCH = 100

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Heard:
    """One entry: the workflow that is to be started, under which id, with what."""

    workflow: str
    id: str
    payload: dict[str, Json]


class Inbox:
    """Puts entries in, and takes them out.

    Args:
        database: where they are kept.
        replica: the id of the one that hears.
    """

    def __init__(self, database: Database, replica: str) -> None:
        self._database = database
        self._replica = replica

    async def put(self, heard: Heard) -> None:
        """Keep an entry; when this returns it is committed. One id is kept once."""
        row = {
            "id": heard.id,
            "workflow": heard.workflow,
            "payload": json.dumps(heard.payload, ensure_ascii=False),
            "replica": self._replica,
            "heard_at": sa.func.clock_timestamp(),
        }

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(inbox).values(row).on_conflict_do_nothing())
            await connection.execute(sa.select(sa.func.pg_notify(INBOX_CHANNEL, "")))

        await self._database.write(work)

    async def has(self, id_: str) -> bool:
        """Whether an entry waits under this id."""
        async with self._database.reading() as connection:
            return await connection.scalar(sa.select(inbox.c.number).where(inbox.c.id == id_)) is not None

    async def waiting(self, after: int) -> list[tuple[int, Heard]]:
        """The oldest entries behind a number, with theirs."""
        query = sa.select(inbox).where(inbox.c.number > after).order_by(inbox.c.number).limit(BATCH)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [(row.number, Heard(row.workflow, row.id, json.loads(row.payload))) for row in rows]

    async def remove(self, number: int) -> None:
        """Forget an entry."""
        await self._database.execute(sa.delete(inbox).where(inbox.c.number == number))


class InboxReader:
    """The leader's side: has every entry taken in.

    Args:
        inbox: where they are.
        take: takes one in, so that it is committed; False for one of another version, which is left for that one.
        news: is set when there is something new.
        before: is done before what was found is taken in.
        sleep: lets time pass between two looks.
    """

    def __init__(
        self,
        inbox: Inbox,
        take: Callable[[Heard], Awaitable[bool]],
        news: asyncio.Event,
        before: Callable[[], Awaitable[None]],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._before = before
        self._inbox = inbox
        self._take = take
        self._news = news
        self._sleep = sleep
        self._left: set[int] = set()

    async def run(self) -> None:
        """Take in what is there, and what comes, until cancelled."""

        def failed(error: Exception) -> None:
            log.error("what another replica heard could not be taken in", exc_info=error)

        await read_on(self.read, self._news, self._sleep, LOOK_SECONDS, failed)

    async def read(self) -> None:
        """Take in what is there, in the order in which it was heard."""
        after = -1
        while found := await self._inbox.waiting(after):
            await self._before()
            for number, heard in found:
                after = number
                if await self._take(heard):
                    await self._inbox.remove(number)
                elif number not in self._left:
                    self._left.add(number)
                    log.warning("what a newer replica heard is left for it", workflow=heard.id)
