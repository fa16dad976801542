"""SQLite's driver with one trip to a connection's thread a statement.

SQLAlchemy goes there and back four times for what reads: to make a cursor, execute, fetch all rows, and close
the cursor. Each trip wakes two threads, which takes longer than most statements here do. So one function does all
four; nothing that a statement does or answers is otherwise.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """A statement's result: all of it is here once it was executed, and nothing is open."""

    __slots__ = ("_description", "_lastrowid", "_rowcount")

    def __init__(self, adapt_connection: Any) -> None:
        """As SQLAlchemy's own, which would have a cursor made at once."""
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows: deque[Any] = deque()
        self._description: Any = None
        self._rowcount = -1
        self._lastrowid: int | None = None

    @property
    def description(self) -> Any:
        return self._description

    @property
    def rowcount(self) -> int:
        return self._rowcount

    @property
    def lastrowid(self) -> Any:
        return self._lastrowid

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        self._rows.clear()

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._done("execute", operation, () if parameters is None else parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._done("executemany", operation, seq_of_parameters)

    async def _done(self, method: str, operation: str, parameters: Any) -> None:
        connection: Any = self._connection

        def work() -> tuple[Any, int, int | None, Sequence[Any]]:
            cursor: sqlite3.Cursor = connection._conn.cursor()
            try:
                getattr(cursor, method)(operation, parameters)
                rows = cursor.fetchall() if cursor.description else ()
                return cursor.description, cursor.rowcount, cursor.lastrowid, rows
            finally:
                cursor.close()

        async with self._adapt_connection._execute_mutex:
            # aiosqlite's own way to its thread; what it gives others of it is a trip for each part.
            self._description, self._rowcount, self._lastrowid, rows = await connection._execute(work)
        self._rows = deque(rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _Cursor


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arg: Any, **kw: Any) -> _Connection:
        """As SQLAlchemy's own does, with connections of this module."""
        connection: Any = super().connect(*arg, **kw)
        return _Connection(self, connection._connection)


DRIVER = _Driver(aiosqlite, sqlite3)
"""To be given to SQLAlchemy as an engine's ``module``."""
