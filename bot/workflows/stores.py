"""Where workflows are kept: in a file of SQLite's beside the other one, or in the PostgreSQL that has all else."""

from __future__ import annotations

import importlib
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from slipway.bot.core.errors import StateError
from slipway.bot.store.postgres import PostgresAccess
from slipway.bot.store.sqlite import set_pragmas, way_on_after
from slipway.bot.store.state_files import WORKFLOWS, greatest_workflow_id, take_over

if TYPE_CHECKING:
    import sqlalchemy as sa


class WorkflowStore(Protocol):
    """What :class:`~slipway.bot.workflows.engine.WorkflowEngine` has to know of where DBOS keeps its tables."""

    @property
    def url(self) -> str:
        """By which DBOS tells the kind of database; the engine makes the connections."""

    def engine(self) -> sa.Engine:
        """An engine for DBOS."""

    def take_over(self, executor: str) -> tuple[str, ...]:
        """Let all workflows that have not ended be this executor's; ids of those that were another's."""

    def make_tables(self, engine: sa.Engine) -> None:
        """Called before DBOS is launched, off the loop, on which it would make its tables itself."""

    def prepare(self, engine: sa.Engine) -> None:
        """Called once DBOS has made its tables."""

    def greatest_id(self, prefix: str) -> str | None:
        """The greatest of the workflows' ids that begin so; None where there is none."""

    def let_go(self, context: sa.engine.ExceptionContext) -> None:
        """Before a thread waits until the database can be used again: let others use it."""

    def unusable(self, why: BaseException | None) -> StateError:
        """What whoever starts the bot is told where it cannot be opened, by the driver's error."""


class SqliteWorkflows:
    """``workflows.db`` in the state folder, which is one process's alone."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._path = state_dir / WORKFLOWS

    @property
    def url(self) -> str:
        """The file's."""
        return f"sqlite:///{self._path}"

    def engine(self) -> sa.Engine:
        """An engine on the file."""
        import sqlalchemy as sa

        engine = sa.create_engine(self.url, hide_parameters=True)
        sa.event.listen(engine, "connect", _immediate)
        return engine

    def take_over(self, executor: str) -> tuple[str, ...]:
        """Another's are those of an id that was lost, as the folder is one process's alone."""
        return take_over(self._state_dir, executor)

    def make_tables(self, engine: sa.Engine) -> None:
        """Nothing: a file's are made in no time."""

    def prepare(self, engine: sa.Engine) -> None:
        """Nothing: SQLite compares bytes."""

    def greatest_id(self, prefix: str) -> str | None:
        """The greatest of the workflows' ids that begin so; None where there is none."""
        return greatest_workflow_id(self._state_dir, prefix)

    def let_go(self, context: sa.engine.ExceptionContext) -> None:
        """The lock of the file is not kept."""
        if context.connection is not None:
            context.connection.connection.rollback()
        context.invalidate_pool_on_disconnect = False

    def unusable(self, why: BaseException | None) -> StateError:
        """What whoever starts the bot is told."""
        return StateError(
            f"{self._path} cannot be used as Slipway's workflow database: {why}{way_on_after(why)}"
        )


SCHEMA = "dbos"
"""What DBOS calls the schema of its tables in PostgreSQL."""


class PostgresWorkflows:
    """DBOS's own schema in the database that has the rest.

    Whoever opens it works alone: with several replicas, that is the leader.
    """

    def __init__(self, access: PostgresAccess) -> None:
        self._access = access

    @property
    def url(self) -> str:
        """None of where it really is: DBOS reads no more of it than that it is PostgreSQL's."""
        return "postgresql+psycopg://slipway@localhost/slipway"

    def engine(self) -> sa.Engine:
        """An engine on the database."""
        return self._access.engine()

    def take_over(self, executor: str) -> tuple[str, ...]:
        """Another's are those of a replica that worked before."""
        import psycopg

        update = (
            f"UPDATE {SCHEMA}.workflow_status SET executor_id = %s "  # noqa: S608 - a constant
            "WHERE status IN ('PENDING', 'ENQUEUED') AND executor_id IS DISTINCT FROM %s RETURNING workflow_uuid"
        )
        try:
            with closing(self._access.connect()) as connection:
                if not _exists(connection):
                    return ()
                rows = connection.execute(update.encode(), (executor, executor)).fetchall()
        except psycopg.Error as error:
            raise self.unusable(error) from error
        return tuple(str(row[0]) for row in rows)

    def make_tables(self, engine: sa.Engine) -> None:
        """Over a network that takes seconds, for which a leader's loop must not stand still.

        DBOS has no public way to do that with an engine of ours, so this reaches into it. Where a newer one is built
        otherwise, it makes them itself when it is launched.
        """
        migration = importlib.import_module("dbos._migration")
        names = ("should_migrate", "ensure_dbos_schema", "run_dbos_migrations")
        if not all(hasattr(migration, name) for name in names):
            return
        if migration.should_migrate(engine, SCHEMA, False):
            migration.ensure_dbos_schema(engine, SCHEMA)
            migration.run_dbos_migrations(engine, SCHEMA, False)

    def prepare(self, engine: sa.Engine) -> None:
        """Have ids ordered by their bytes, too, by which the greatest is looked for."""
        import sqlalchemy as sa

        index = f'slipway_workflow_id ON {SCHEMA}.workflow_status (workflow_uuid COLLATE "C")'
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE INDEX IF NOT EXISTS {index}"))

    def greatest_id(self, prefix: str) -> str | None:
        """The greatest of the workflows' ids that begin so; None where there is none."""
        query = (
            f'SELECT max(workflow_uuid COLLATE "C") FROM {SCHEMA}.workflow_status '  # noqa: S608 - a constant
            'WHERE workflow_uuid COLLATE "C" >= %s AND workflow_uuid COLLATE "C" < %s'
        )
        with closing(self._access.connect()) as connection:
            row = connection.execute(query.encode(), (prefix, f"{prefix}\U0010ffff")).fetchone()
        return None if row is None or row[0] is None else str(row[0])

    def let_go(self, context: sa.engine.ExceptionContext) -> None:
        """Nothing: a connection that failed is thrown away."""

    def unusable(self, why: BaseException | None) -> StateError:
        """What whoever starts the bot is told."""
        name = self._access.name
        return StateError(f"{name[:1].upper()}{name[1:]} cannot be used for workflows: {why}")


def _exists(connection: Any) -> bool:
    found = connection.execute(f"SELECT to_regclass('{SCHEMA}.workflow_status')").fetchone()
    return found is not None and found[0] is not None


def _immediate(connection: Any, record: object) -> None:
    set_pragmas(connection, record)
    connection.isolation_level = "IMMEDIATE"
    if sqlite3.sqlite_version_info < _SUBSECONDS_SINCE:
        connection.create_function("unixepoch", 1, _unixepoch)


_SUBSECONDS_SINCE = (3, 42)
"""The SQLite whose ``unixepoch('subsec')`` is a number; before, it is NULL. DBOS uses it under Python 3.12 and
newer, whatever the SQLite: with Debian 12's 3.40 it would not even start. Source: SQLite's release notes."""


def _unixepoch(modifier: str) -> float | None:
    return time.time() if modifier == "subsec" else None
