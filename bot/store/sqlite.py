"""SQLite: the database as a file in the state folder, which one process works on at a time."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from slipway.bot.core.errors import StateError
from slipway.bot.store.sqlite_driver import DRIVER

DATABASE = "slipway.db"
"""The file in the state folder."""

WAY_ON = (
    "Put slipway.db and workflows.db back from one backup, or move the file away, with its -wal and -shm, and go on "
    "without it: `slipway state accept`. See “Lost files” in docs/operating.md."
)
"""For whoever has a file in the state folder that is no database."""

BUSY_TIMEOUT_MS = 30_000


class SqliteBackend:
    """One SQLite file.

    Transactions are begun by hand: the driver would begin one only at the first write, and then fail if another
    wrote meanwhile. One that writes takes the file's lock at its beginning, so there is one at a time.

    Args:
        path: the file.
        read_only: whether it is only looked at: no word in it is changed then, and it is neither made nor migrated,
            so that it may be another process's, of whatever version.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._read_only = read_only

    @property
    def name(self) -> str:
        """The file, for sentences about it."""
        return str(self._path)

    @property
    def short_name(self) -> str:
        """The same without its folder."""
        return self._path.name

    def engine(self) -> AsyncEngine:
        """An engine on the file. Errors' words must not hold what somebody wrote, so they hold no parameters."""
        url = sa.URL.create("sqlite+aiosqlite", database=str(self._path))
        if self._read_only:
            query = {"uri": "true", "mode": "rw"}  # a file that is not there is not made
            url = sa.URL.create("sqlite+aiosqlite", database=self._path.absolute().as_uri(), query=query)
        engine = create_async_engine(url, hide_parameters=True, module=DRIVER)
        connect = _reading_only if self._read_only else _manual_transactions
        sa.event.listen(engine.sync_engine, "connect", connect)
        return engine

    def begin(self, connection: sa.Connection, *, writes: bool) -> None:
        """Begin a transaction."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    def look(self) -> None:
        """Whether there is a file to open. A connection that cannot be made leaves a thread of the driver's behind,
        which speaks to an event loop that may be closed by then.

        Raises:
            StateError: there is none, and none can be made.
        """
        try:
            with self._path.open("rb"):
                pass
        except FileNotFoundError as error:
            if self._read_only or not os.access(self._path.parent, os.W_OK):
                raise self.unusable("unable to open database file") from error
        except OSError as error:
            raise self.unusable(f"unable to open database file ({error.strerror})") from error

    async def check(self, connection: AsyncConnection, revision: str | None) -> None:
        """Nothing: a file that SQLite reads can be used."""

    async def ticket(self, connection: AsyncConnection) -> str | None:
        """None: a commit that failed stored nothing."""
        return None

    async def committed(self, connection: AsyncConnection, ticket: str) -> bool | None:
        """Never asked."""
        return False

    def unusable(self, why: object) -> StateError:
        """What whoever opens it is told where it cannot be used."""
        return StateError(f"{self._path} cannot be used as Slipway's database: {why}")

    def not_opened(self, error: sa.exc.DBAPIError) -> StateError:
        """The same for an error of the driver's."""
        return self.unusable(f"{error.orig}{way_on_after(error.orig)}")

    def worth_repeating(self, error: sa.exc.DBAPIError) -> bool:
        """Never: transactions wait for one another, and none is undone for the sake of another."""
        return False


def way_on_after(error: BaseException | None) -> str:
    """How to go on after an error of SQLite's that says that a file is no database, or a damaged one; else empty."""
    if (
        type(error) is not sqlite3.DatabaseError
    ):  # those derived from it are of other kinds: locked, not to be opened
        return ""
    return f". {WAY_ON}"


def set_pragmas(connection: Any, _record: object) -> None:
    """Make a SQLite connection safe here: write-ahead log, full syncs, patience with another writer.

    ``synchronous=FULL`` because an event is acknowledged once committed: a power cut must not undo that.
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _manual_transactions(connection: Any, record: object) -> None:
    connection.isolation_level = None
    set_pragmas(connection, record)


def _reading_only(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()
