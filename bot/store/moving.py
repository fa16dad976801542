"""From SQLite to PostgreSQL: all that stands in a state folder's databases, copied in one transaction."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.errors import StateError
from slipway.bot.store.database import DATABASE, Database
from slipway.bot.store.state_files import WORKFLOWS
from slipway.bot.store.tables import audit_head, metadata

AT_ONCE = 500
"""How many rows are read and written at once."""

WORKFLOW_SCHEMA = "dbos"
"""What DBOS calls the schema of its tables in PostgreSQL."""

_KEPT_BY_DBOS = frozenset({"dbos_migrations", "application_versions", "event_dispatch_kv"})
"""What DBOS writes by itself when it makes its tables."""

Progress = Callable[[int, int], None]
"""Hears how many rows were copied, of how many."""

Prove = Callable[[AsyncConnection], Awaitable[str]]
"""Says what is wrong with the audit trail in a database, as the rest of a sentence; empty where it holds."""


@dataclass(frozen=True)
class Moved:
    """What was copied: how many rows of Slipway's own tables, and how many workflows."""

    rows: int
    workflows: int


async def holds_anything(database: Database) -> str:
    """A table of a PostgreSQL database that has rows already; empty where none has, which a first start leaves."""
    async with database.reading() as connection:
        for table in await _targets(connection):
            if await connection.scalar(sa.select(sa.literal(1)).select_from(table).limit(1)) is not None:
                return table.fullname
    return ""


async def move(folder: Path, target: Database, prove: Prove, progress: Progress) -> Moved:
    """Copy the databases of a state folder into a PostgreSQL database that has all tables and no rows.

    All of it is there when this returns, counted and with a proved audit trail, or nothing of it.

    Args:
        folder: the state folder; no bot works on it.
        target: the database.
        prove: proves the trail of the copy.
        progress: hears how far it is.

    Raises:
        StateError: it cannot be copied as it is; says what.
    """
    source, workflows = Database(folder / DATABASE), Database(folder / WORKFLOWS)
    try:
        await source.open()
        async with source.reading() as own, workflows.reading() as others, target.writing() as there:
            copied = await _copy_all(own, others, there, progress)
            if why := await prove(there):
                raise StateError(f"The audit trail of the copy does not hold: {why}. Nothing was copied.")
    except sa.exc.DBAPIError as error:
        raise StateError(f"It cannot be copied: {error.orig}. Nothing was copied.") from error
    finally:
        await source.close()
        await workflows.close()
    return copied


async def _copy_all(
    own: AsyncConnection, others: AsyncConnection, there: AsyncConnection, progress: Progress
) -> Moved:
    tables = await _targets(there)
    sources = {table.fullname: others if table.schema == WORKFLOW_SCHEMA else own for table in tables}
    known = {id(each): await each.run_sync(_columns) for each in (own, others)}
    wanted = [table for table in tables if table.name in known[id(sources[table.fullname])]]
    sizes = {table.fullname: await _size(sources[table.fullname], table.name) for table in wanted}
    done = 0

    def copied(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, sum(sizes.values()))

    for table in wanted:
        source = sources[table.fullname]
        await _copy(source, there, table, known[id(source)][table.name], copied)
        found = await there.scalar(sa.select(sa.func.count()).select_from(table))
        if found != sizes[table.fullname]:
            raise StateError(
                f"Of {sizes[table.fullname]} rows of {table.name}, {found} were copied. Nothing was copied."
            )
    await _set_counters(there, wanted)
    runs = f"{WORKFLOW_SCHEMA}.workflow_status"
    rows = sum(size for name, size in sizes.items() if not name.startswith(f"{WORKFLOW_SCHEMA}."))
    return Moved(rows, sizes.get(runs, 0))


async def _targets(connection: AsyncConnection) -> tuple[sa.Table, ...]:
    """The tables to copy into, those first that others refer to. The trail's count is kept by its own trigger."""
    others = await connection.run_sync(_reflected)
    own = (table for table in metadata.sorted_tables if table is not audit_head)
    return (*own, *(table for table in others.sorted_tables if table.name not in _KEPT_BY_DBOS))


def _reflected(connection: sa.Connection) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(connection, schema=WORKFLOW_SCHEMA)
    return found


def _columns(connection: sa.Connection) -> dict[str, frozenset[str]]:
    look = sa.inspect(connection)
    return {
        name: frozenset(column["name"] for column in look.get_columns(name))
        for name in look.get_table_names()
    }


async def _size(source: AsyncConnection, table: str) -> int:
    return int(await source.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0)


async def _copy(
    source: AsyncConnection,
    there: AsyncConnection,
    table: sa.Table,
    columns: Iterable[str],
    copied: Callable[[int], None],
) -> None:
    shared = [column for column in table.columns if column.name in columns]
    if lost := [name for name in columns if name not in table.columns]:
        raise StateError(
            f"{table.name} has {lost[0]}, which this Slipway does not know: the folder is of a newer one. "
            "Nothing was copied."
        )
    order = table.primary_key.columns if len(table.primary_key.columns) else shared
    query = sa.select(*(sa.column(column.name, _type_of(column)) for column in shared))
    query = query.select_from(sa.table(table.name)).order_by(*(sa.column(each.name) for each in order))
    held = await source.stream(query)
    async for rows in held.mappings().partitions(AT_ONCE):
        await there.execute(table.insert(), _as_stored(rows, shared))
        copied(len(rows))


def _type_of(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """By which a column is read; DBOS keeps JSON as text in SQLite."""
    return sa.Text() if isinstance(column.type, sa.JSON) else column.type


def _as_stored(rows: Sequence[sa.RowMapping], columns: Sequence[sa.Column[Any]]) -> list[dict[str, Any]]:
    from_text = {column.name for column in columns if isinstance(column.type, sa.JSON)}
    return [
        {
            name: json.loads(value) if name in from_text and isinstance(value, str) else value
            for name, value in row.items()
        }
        for row in rows
    ]


async def _set_counters(connection: AsyncConnection, tables: Iterable[sa.Table]) -> None:
    """Let numbers that PostgreSQL gives by itself go on behind the greatest that was copied."""
    for table in tables:
        column = table.autoincrement_column
        if table.schema is not None or column is None:
            continue
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        greatest = sa.select(sa.func.max(column)).scalar_subquery()
        await connection.execute(sa.select(sa.func.setval(sequence, greatest)).where(greatest.is_not(None)))
