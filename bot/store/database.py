"""The database: opening it, bringing its schema up to date, and holding the state folder alone."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from slipway.bot.core.concurrency import uninterrupted
from slipway.bot.core.errors import StateError, StorageError
from slipway.bot.core.private_folders import make_private
from slipway.bot.core.storage_errors import StorageFailure, storage_failure
from slipway.bot.store.sqlite import DATABASE as DATABASE
from slipway.bot.store.sqlite import SqliteBackend
from slipway.bot.store.storage import Storage, not_writable
from slipway.bot.store.write_queue import Attempt, WriteQueue

HEAD = "0028"
"""The newest migration. Known here so that a start with nothing to migrate need not load Alembic."""

MIGRATIONS = Path(__file__).parent / "migrations"

MOST_REPEATS = 5
"""So often a transaction is done anew that the server undid for the sake of another."""

UNSETTLED_SECONDS = 0.1
"""Between two questions whether a server has committed: its session ends once it sees that the connection is gone."""

T = TypeVar("T")


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
            failure = storage_failure(error) or StorageFailure(str(error.strerror))
            raise not_writable(self._path.parent, failure) from error
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


class Backend(Protocol):
    """What :class:`Database` has to know of the kind of database that it works on."""

    @property
    def name(self) -> str:
        """Which database it is, for sentences about it."""

    @property
    def short_name(self) -> str:
        """The same in few words."""

    def engine(self) -> AsyncEngine:
        """An engine whose connections begin no transaction by themselves."""

    def begin(self, connection: sa.Connection, *, writes: bool) -> None:
        """Begin a transaction: one that reads sees one state of the database throughout, and one that writes is the
        only one that does, whichever process it is in."""

    def look(self) -> None:
        """See, before a connection is made, whether one can be.

        Raises:
            StateError: none can.
        """

    async def check(self, connection: AsyncConnection, revision: str | None) -> None:
        """See, by the first connection, whether Slipway can work here.

        Args:
            connection: to look with.
            revision: of the schema; None where Slipway's tables are not there.

        Raises:
            StateError: it cannot.
        """

    async def ticket(self, connection: AsyncConnection) -> str | None:
        """What to ask :meth:`committed` by; None where a commit that failed has stored nothing for sure."""

    async def committed(self, connection: AsyncConnection, ticket: str) -> bool | None:
        """Whether a transaction was committed whose commit had no answer; None while that is not settled."""

    def unusable(self, why: object) -> StateError:
        """What whoever opens it is told where it cannot be used."""

    def not_opened(self, error: sa.exc.DBAPIError) -> StateError:
        """The same for an error of the driver's."""

    def worth_repeating(self, error: sa.exc.DBAPIError) -> bool:
        """Whether a transaction was undone for the sake of another, and may be done anew."""


class Database:
    """Transactions on SQLite or PostgreSQL; those that write follow one another.

    Args:
        where: a file of SQLite's, or another kind of database.
        read_only: whether it is only looked at: no word in it is changed then, and it is neither made nor migrated,
            so that it may be another process's, of whatever version. A backend has to be told the same.
        storage: hears when it cannot be written, and says when it can be again; without one nothing waits for that.
    """

    def __init__(
        self, where: Path | Backend, *, read_only: bool = False, storage: Storage | None = None
    ) -> None:
        self._backend: Backend = (
            SqliteBackend(where, read_only=read_only) if isinstance(where, Path) else where
        )
        self._read_only = read_only
        self._storage = storage
        self._engine = self._backend.engine()
        self._queue = WriteQueue(self._transaction, self._backend.ticket)
        sa.event.listen(self._engine.sync_engine, "begin", self._begin)
        if storage is not None:
            sa.event.listen(self._engine.sync_engine, "handle_error", self._tell_apart)

    async def open(self) -> None:
        """Create or migrate the schema; where it is only read, see that the schema is the one known here.

        Raises:
            StateError: it is no database, or belongs to a newer Slipway; where it is only read, or to an older one,
                or to none.
        """
        found = await self.revision()
        if found != HEAD:
            await self._migrate(found)

    async def revision(self) -> str | None:
        """The schema that is there, as the newest migration that was done; None where Slipway has not worked yet.

        Raises:
            StateError: no Slipway of whatever version can work here.
        """
        await asyncio.to_thread(self._backend.look)
        try:
            async with self._engine.connect() as connection:
                found = await connection.run_sync(_revision)
                await self._backend.check(connection, found)
        except sa.exc.DatabaseError as error:
            raise self._backend.not_opened(error) from error
        return found

    async def _migrate(self, found: str | None) -> None:
        name = self._backend.name[:1].upper() + self._backend.name[1:]
        schemas = f"(schema {found}; this one knows {HEAD})"
        if found is not None and found > HEAD:
            raise StateError(
                f"{name} was written by a newer Slipway {schemas}. "
                "Start that version, or restore a backup made before the upgrade."
            )
        if self._read_only and found is None:
            raise StateError(f"{name} holds no table of Slipway's. Start Slipway once: it makes them.")
        if self._read_only:
            raise StateError(
                f"{name} was written by an older Slipway {schemas}. "
                "Start Slipway once with this version: it upgrades the database."
            )
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(slipway_writes=True)
                await connection.run_sync(_upgrade)
        except sa.exc.DatabaseError as error:
            raise self._backend.not_opened(error) from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; sees one state of the database throughout."""
        if not isinstance(self._backend, SqliteBackend):
            async with self._engine.connect() as connection:
                yield connection
            return
        # SQLite's driver leaves a thread behind where its connecting is cut off, which speaks to an event loop that
        # may be closed by then.
        connection = self._engine.connect()
        try:
            await uninterrupted(connection.start())
            yield connection
        finally:
            if connection.sync_connection is not None:
                await uninterrupted(connection.close())

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection inside one write transaction: all of it is committed at the end, or none."""
        return self._queue.alone()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            await connection.execution_options(slipway_writes=True)
            async with connection.begin():
                yield connection

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do something in one write transaction, perhaps with what others write, and return what it returns.

        Where the disk is full, or cannot be written for another reason, it waits until it can be, and does all of it
        anew: nothing of it was stored. What has begun ends even where its caller is cancelled, which hears of that
        then; a transaction cut off could leave the file locked. Of a server that went away while it committed it is
        asked first, when it is back, whether it did.
        """
        repeats = 0
        while True:
            if self._storage is not None:
                await self._storage.writable()
            attempt = Attempt(work)
            try:
                return await uninterrupted(self._queue.write(attempt))
            except StorageError:
                if self._storage is None:
                    raise
                if await self._stored(attempt, self._storage):
                    return attempt.results[0]
            except sa.exc.DBAPIError as error:
                repeats += 1
                if repeats > MOST_REPEATS or not self._backend.worth_repeating(error):
                    raise

    async def _stored(self, attempt: Attempt[T], storage: Storage) -> bool:
        """Whether a transaction was stored all the same that failed at its end."""
        while attempt.results and attempt.ticket is not None:
            await storage.writable()
            try:
                async with self.reading() as connection:
                    found = await self._backend.committed(connection, attempt.ticket)
            except StorageError:
                continue
            if found is not None:
                return found
            await asyncio.sleep(UNSETTLED_SECONDS)
        return False

    async def execute(
        self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        """Execute one statement that changes something, for each of some rows if there are any; as :meth:`write`."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement, rows)

        await self.write(work)

    def _begin(self, connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("slipway_writes", False)
        self._backend.begin(connection, writes=writes)

    def _tell_apart(self, context: sa.engine.ExceptionContext) -> None:
        """Note where an error says that nothing can be written, and raise what it is then."""
        failure = storage_failure(context.original_exception)
        if failure is not None and self._storage is not None:
            failure = self._storage.failed(failure)
            raise StorageError(
                f"{self._backend.short_name} cannot be used now: {failure}."
            ) from context.original_exception

    async def close(self) -> None:
        """Let go of it."""
        await self._engine.dispose()


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
