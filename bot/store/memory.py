"""Small things that chat adapters and the clock must remember over a restart."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from bot.chat.model import Platform
from bot.store.database import Database
from bot.store.tables import chat_memory, schedule_tick


class ChatMemory:
    """Named values of one platform: a sync token, notices already given."""

    def __init__(self, database: Database, platform: Platform) -> None:
        self._database = database
        self._platform = platform

    async def load(self, name: str) -> str | None:
        """The value kept under this name, if there is one."""
        query = sa.select(chat_memory.c.value).where(
            chat_memory.c.platform == self._platform, chat_memory.c.name == name
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar()

    async def save(self, name: str, value: str) -> None:
        """Keep a value under this name, in place of any before."""
        row = {"platform": self._platform, "name": name, "value": value}
        statement = insert(chat_memory).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=["platform", "name"], set_={"value": value}
        )
        async with self._database.writing() as connection:
            await connection.execute(statement)


class TickMemory:
    """The last tick of each schedule that was handled, run or reported as skipped."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self, schedule: str) -> datetime | None:
        """When this schedule last ticked; None if it never did."""
        query = sa.select(schedule_tick.c.last).where(schedule_tick.c.schedule == schedule)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar()

    async def remember(self, schedule: str, tick: datetime) -> None:
        """Note that this schedule ticked; an earlier tick than the one known is not noted."""
        statement = insert(schedule_tick).values(schedule=schedule, last=tick)
        statement = statement.on_conflict_do_update(
            index_elements=["schedule"],
            set_={"last": tick},
            where=schedule_tick.c.last < tick,
        )
        async with self._database.writing() as connection:
            await connection.execute(statement)
