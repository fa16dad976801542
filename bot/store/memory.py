"""Small things that chat adapters and the clock must remember over a restart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from slipway.bot.chat.model import Platform
from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import chat_memory, schedule_tick


class ChatMemory:
    """Named values of one platform: a sync token, notices already given.

    Args:
        database: where they are kept.
        platform: whose they are.
        replica: the id of the one of several replicas that alone uses them; empty for what all share. Where it has no
            value yet, the shared one is its first: it was kept while there was one process.
    """

    def __init__(self, database: Database, platform: Platform, replica: str = "") -> None:
        self._database = database
        self._platform = platform
        self._suffix = f"@{replica}" if replica else ""

    async def load(self, name: str) -> str | None:
        """The value kept under this name, if there is one."""
        own = await self._load(name + self._suffix)
        return await self._load(name) if own is None and self._suffix else own

    async def _load(self, name: str) -> str | None:
        query = sa.select(chat_memory.c.value).where(
            chat_memory.c.platform == self._platform, chat_memory.c.name == name
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar()

    async def save(self, name: str, value: str) -> None:
        """Keep a value under this name, in place of any before."""
        row = {"platform": self._platform, "name": name + self._suffix, "value": value}
        statement = insert(chat_memory).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=["platform", "name"], set_={"value": value}
        )
        await self._database.execute(statement)


class TickMemory:
    """When each schedule was last looked after: what was due until then was run, or reported as skipped."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self, schedule: str) -> datetime | None:
        """Until when everything is handled; None for a schedule that is not known yet."""
        query = sa.select(schedule_tick.c.last).where(schedule_tick.c.schedule == schedule)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar()

    async def remember(self, schedule: str, until: datetime) -> None:
        """Note that everything until then is handled; an earlier time than the one known is not noted."""
        statement = insert(schedule_tick).values(schedule=schedule, last=until)
        statement = statement.on_conflict_do_update(
            index_elements=["schedule"],
            set_={"last": until},
            where=schedule_tick.c.last < until,
        )
        await self._database.execute(statement)

    async def set_back(self, schedule: str, until: datetime) -> None:
        """Note an earlier time than the one known, where the clock that gave that one was wrong."""
        statement = schedule_tick.update().where(schedule_tick.c.schedule == schedule).values(last=until)
        await self._database.execute(statement)

    async def keep_only(self, schedules: Sequence[str]) -> None:
        """Forget every other schedule of the configuration; the house's own have names that begin with a colon."""
        statement = schedule_tick.delete().where(
            schedule_tick.c.schedule.not_in(schedules), schedule_tick.c.schedule.not_like(":%")
        )
        await self._database.execute(statement)
