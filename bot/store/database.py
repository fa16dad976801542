"""The database: opening it, bringing its schema up to date, and holding the state folder alone."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from slipway.bot.core.concurrency import uninterrupted
from slipway.bot.core.errors import StateError, StorageError
from slipway.bot.core.private_folders import make_private
from slipway.bot.core.storage_errors import storage_failure
from slipway.bot.store.storage import Storage, not_writable

DATABASE = "slipway.db"
"""The file in the state folder."""

HEAD = "0027"
"""The newest migration. Known here so that a start with nothing to migrate need not load Alembic."""

WAY_ON = (
    "Put slipway.db and workflows.db back from one backup, or move the file away, with its -wal and -shm, and go on "
    "without it: `slipway state accept`. See “Lost files” in docs/operating.md."
)
"""For whoever has a file in the state folder that is no database."""

BUSY_TIMEOUT_MS = 30_000
MIGRATIONS = Path(__file__).parent / "migrations"

T = TypeVar("T")


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


class StateLock:
    """Holds a state folder for one process, by a lock that the system drops when the process dies.

    Args:
        state_dir: the folder.
        otherwise: what to do beside stopping another process that holds it, as the end of a sentence; empty where the
            work is about this very folder.
    """

    def __init__(self, state_dir: Path, otherwise: str = "") -> None:
        self._path = state_dir / "lock"
        self._otherwise = otherwise and f", or {otherwise}"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the folder.

        Raises:
            StateError: another process holds it, or it cannot be written.
        """
        try:
            make_private(self._path.parent)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"The state folder {self._path.parent} cannot be used: {error.strerror}. "
                "Set state_dir in slipway.toml (for the demo: --state) to a folder that Slipway may write."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StateError(
                f"Another Slipway (process {holder}) already works on {self._path.parent}. "
                f"Stop it first{self._otherwise}."
            ) from error
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except OSError as error:
            os.close(descriptor)
            raise not_writable(self._path.parent, storage_failure(error) or str(error.strerror)) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the folder go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Database:
    """An async SQLAlchemy engine on one SQLite file, with transactions that never deadlock on upgrade.

    Args:
        path: the file.
        read_only: whether it is only looked at: no word in it is changed then, and it is neither made nor migrated,
            so that it may be another process's, of whatever version.
        storage: hears when it cannot be written, and says when it can be again; without one nothing waits for that.
    """

    def __init__(self, path: Path, *, read_only: bool = False, storage: Storage | None = None) -> None:
        self._path = path
        self._read_only = read_only
        self._storage = storage
        url = sa.URL.create("sqlite+aiosqlite", database=str(path))
        if read_only:
            query = {"uri": "true", "mode": "rw"}  # a file that is not there is not made
            url = sa.URL.create("sqlite+aiosqlite", database=path.absolute().as_uri(), query=query)
        # An error's words must not hold what somebody wrote.
        self._engine: AsyncEngine = create_async_engine(url, hide_parameters=True)
        connect = _reading_only if read_only else _manual_transactions
        sa.event.listen(self._engine.sync_engine, "connect", connect)
        sa.event.listen(self._engine.sync_engine, "begin", _begin)
        if storage is not None:
            sa.event.listen(self._engine.sync_engine, "handle_error", self._tell_apart)

    async def open(self) -> None:
        """Create or migrate the schema; where the file is only read, see that the schema is the one known here.

        Raises:
            StateError: the file is no database, or belongs to a newer Slipway; where it is only read, or to an older
                one, or to none.
        """
        await asyncio.to_thread(self._look)
        try:
            async with self._engine.connect() as connection:
                found = await connection.run_sync(_revision)
            if found != HEAD:
                await self._migrate(found)
        except sa.exc.DatabaseError as error:
            raise self._unusable(f"{error.orig}{way_on_after(error.orig)}") from error

    def _look(self) -> None:
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
                raise self._unusable("unable to open database file") from error
        except OSError as error:
            raise self._unusable(f"unable to open database file ({error.strerror})") from error

    def _unusable(self, why: object) -> StateError:
        return StateError(f"{self._path} cannot be used as Slipway's database: {why}")

    async def _migrate(self, found: str | None) -> None:
        schemas = f"(schema {found}; this one knows {HEAD})"
        if found is not None and found > HEAD:
            raise StateError(
                f"{self._path} was written by a newer Slipway {schemas}. "
                "Start that version, or restore a backup made before the upgrade."
            )
        if self._read_only and found is None:
            raise StateError(f"{self._path} holds no table of Slipway's. Start Slipway once: it makes them.")
        if self._read_only:
            raise StateError(
                f"{self._path} was written by an older Slipway {schemas}. "
                "Start Slipway once with this version: it upgrades the database."
            )
        async with self._engine.connect() as connection:
            await connection.run_sync(_upgrade)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; sees one state of the database throughout."""
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A connection inside one write transaction: all of it is committed at the end, or none."""
        async with self._engine.connect() as connection:
            await connection.execution_options(slipway_writes=True)
            async with connection.begin():
                yield connection

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do something in one write transaction, and return what it returns.

        Where the disk is full, or cannot be written for another reason, it waits until it can be, and does all of it
        anew: nothing of it was stored. What has begun ends even where its caller is cancelled, which hears of that
        then; a transaction cut off could leave the file locked.
        """
        while True:
            if self._storage is not None:
                await self._storage.writable()
            try:
                return await uninterrupted(self._written(work))
            except StorageError:
                if self._storage is None:
                    raise

    async def execute(
        self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        """Execute one statement that changes something, for each of some rows if there are any; as :meth:`write`."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement, rows)

        await self.write(work)

    async def _written(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self.writing() as connection:
            return await work(connection)

    def _tell_apart(self, context: sa.engine.ExceptionContext) -> None:
        """Note where an error says that nothing can be written, and raise what it is then."""
        why = storage_failure(context.original_exception)
        if why and self._storage is not None:
            why = self._storage.failed(why)
            raise StorageError(
                f"{self._path.name} cannot be used now: {why}."
            ) from context.original_exception

    async def close(self) -> None:
        """Let go of the file."""
        await self._engine.dispose()


def way_on_after(error: BaseException | None) -> str:
    """How to go on after an error of SQLite's that says that a file is no database, or a damaged one; else empty."""
    if (
        type(error) is not sqlite3.DatabaseError
    ):  # those derived from it are of other kinds: locked, not to be opened
        return ""
    return f". {WAY_ON}"


def _manual_transactions(connection: Any, record: object) -> None:
    # The driver would begin a transaction only at the first write, and then fail if another wrote meanwhile.
    connection.isolation_level = None
    set_pragmas(connection, record)


def _reading_only(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("slipway_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
