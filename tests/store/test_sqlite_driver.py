"""The driver of SQLite: what a statement answers, and what it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
import sqlalchemy as sa

from slipway.bot.store.database import Database
from tests.support.state_folder import prepare

THING = sa.table("thing", sa.column("id"), sa.column("name"))


@contextmanager
def trips(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What a connection's thread is asked to do."""
    seen: list[Any] = []
    real: Any = aiosqlite.Connection._execute

    async def counted(self: Any, function: Any, *args: Any, **more: Any) -> Any:
        seen.append(function)
        return await real(self, function, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(aiosqlite.Connection, "_execute", counted)
        yield seen


async def test_each_statement_takes_one_trip_to_the_connections_thread_and_answers_all_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(tmp_path)
    database = Database(tmp_path / "slipway.db")
    await database.open()
    try:
        async with database.writing() as connection:
            await connection.execute(sa.text("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT)"))
            with trips(monkeypatch) as seen:
                made = await connection.execute(THING.insert().returning(THING.c.id), [{"name": "a"}])
                await connection.execute(THING.insert(), [{"name": "b"}, {"name": "c"}])
                changed = await connection.execute(THING.update().values(name="d"))
                found = await connection.execute(sa.select(THING.c.id, THING.c.name).order_by(THING.c.id))
            assert len(seen) == 4
            assert (made.scalars().all(), changed.rowcount) == ([1], 3)
            assert [dict(row) for row in found.mappings()] == [
                {"id": number, "name": "d"} for number in (1, 2, 3)
            ]
            with pytest.raises(sa.exc.IntegrityError):
                await connection.execute(THING.insert(), [{"id": 1, "name": "e"}])
            assert (await connection.scalar(sa.text("SELECT count(*) FROM thing"))) == 3
    finally:
        await database.close()
