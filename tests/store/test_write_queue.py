"""What is written at the same time is committed together, and what fails of it fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.store.database import Backend, Database
from slipway.bot.store.tables import chat_memory

WHOSE: ContextVar[str] = ContextVar("whose")


@pytest.fixture
async def database(where: Path | Backend) -> AsyncIterator[Database]:
    found = Database(where)
    yield found
    await found.close()


async def names(database: Database) -> set[str]:
    async with database.reading() as connection:
        found = await connection.execute(sa.select(chat_memory.c.name).where(chat_memory.c.name.like("n%")))
        return set(found.scalars())


async def keep(database: Database, name: str, *, fails: bool = False) -> str:
    async def work(connection: AsyncConnection) -> str:
        await connection.execute(sa.insert(chat_memory).values(platform="console", name=name, value=""))
        if fails:
            raise LookupError(name)
        return name

    return await database.write(work)


def commits(database: Database) -> list[int]:
    made: list[int] = []
    sa.event.listen(database._engine.sync_engine, "commit", lambda _: made.append(1))
    return made


async def test_what_waits_for_its_turn_is_committed_at_once(database: Database) -> None:
    made = commits(database)
    wanted = [f"n{number}" for number in range(20)]
    assert await asyncio.gather(*(keep(database, name) for name in wanted)) == wanted
    assert await names(database) == set(wanted)
    assert len(made) <= 2


async def test_what_fails_of_it_takes_nothing_else_along(database: Database) -> None:
    tries = [keep(database, f"n{number}", fails=number == 3) for number in range(6)]
    found = await asyncio.gather(*tries, keep(database, "n5"), return_exceptions=True)
    assert [type(each).__name__ for each in found[3:4] + found[6:]] == ["LookupError", "IntegrityError"]
    assert await names(database) == {"n0", "n1", "n2", "n4", "n5"}
    assert await keep(database, "n6") == "n6"


async def test_who_is_cancelled_while_it_waits_keeps_nobody_else_from_it(database: Database) -> None:
    async with database.writing():
        waiting = [asyncio.create_task(keep(database, f"n{number}")) for number in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(each, asyncio.CancelledError) for each in found] == [True, False, False]
    assert {"n1", "n2"} <= await names(database)


async def test_each_is_done_as_for_whoever_asked(database: Database) -> None:
    async def ask(name: str) -> str:
        WHOSE.set(name)

        async def work(connection: AsyncConnection) -> str:
            return WHOSE.get()

        return await database.write(work)

    wanted = ["alice", "bob", "carol"]
    assert await asyncio.gather(*map(ask, wanted)) == wanted
