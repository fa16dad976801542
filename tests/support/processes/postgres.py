"""A real PostgreSQL for tests: one that runs already, or else one of their own.

``SLIPWAY_TEST_POSTGRES`` names one by a URL of a superuser; else the one on 127.0.0.1:5432 is taken where it lets one
in without a password; else one is started with the system's binaries. A session makes two databases on it and cleans
them for each test, as to make and remove one takes seconds on a busy disk; for the same reason commits there do not
wait for the disk. The one with tables orders text by a language's rules where the server knows such: what compares
bytes has to say so.
"""

from __future__ import annotations

import asyncio
import getpass
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from slipway.bot.store.database import HEAD, Backend, Database
from slipway.bot.store.postgres import PostgresAccess, PostgresBackend
from slipway.bot.store.storage import Storage
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.bot.workflows.stores import PostgresWorkflows
from tests.support.state_folder import prepare

VARIABLE = "SLIPWAY_TEST_POSTGRES"
_LOCAL = "postgresql://{}@127.0.0.1:5432/postgres"
_START_SECONDS = 60
_LIKE_A_LANGUAGE = "LOCALE_PROVIDER icu ICU_LOCALE 'en'"

_EMPTIED = "DROP SCHEMA IF EXISTS dbos, slipway_replicas, public CASCADE; CREATE SCHEMA public"

_CLEANED = """
DROP SCHEMA IF EXISTS slipway_replicas CASCADE;  -- else a leader that a test killed leads until its lease is over
DO $$
DECLARE each record;
BEGIN
  SET LOCAL session_replication_role = replica;  -- the trail's guards let nobody remove anything
  SET LOCAL synchronous_commit = off;
  FOR each IN
    SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'dbos')
    AND tablename NOT IN ('alembic_version', 'audit_head', 'dbos_migrations', 'application_versions')
  LOOP
    EXECUTE format('DELETE FROM %I.%I', each.schemaname, each.tablename);
  END LOOP;
  FOR each IN SELECT schemaname, sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER SEQUENCE %I.%I RESTART', each.schemaname, each.sequencename);
  END LOOP;
  UPDATE audit_head SET entries = 0, head = repeat('0', 64);
END $$
"""


class NoPostgresError(Exception):
    """There is none, and none can be started."""


class Postgres:
    """A server, and the databases that tests made on it.

    Args:
        url: of a database on it, as a superuser.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = itertools.count(1)
        self._prefix = f"slipway_test_{socket.gethostname().split('.')[0]}_{os.getpid()}".lower()
        self._made: list[str] = []
        self._empty = self._ready = ""

    def empty(self) -> str:
        """The URL of a database without anything in it, for one test at a time."""
        if not self._empty:
            self._empty = self._name()
            self._do(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(self._empty)))
        url = self._url_of(self._empty)
        self._do(sql.SQL("ALTER DATABASE {} RESET ALL").format(sql.Identifier(self._empty)))
        self._let_commits_be_quick(self._empty)
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            connection.execute(_EMPTIED)
        return url

    def new(self) -> str:
        """The URL of a database as a first start of Slipway leaves it, for one test at a time."""
        if not self._ready:
            self._ready = self._make_ready()
        url = self._url_of(self._ready)
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            if connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]:
                connection.execute(_CLEANED)
                return url
        self._ready = ""  # a test has migrated it further
        return self.new()

    def close(self) -> None:
        """Remove what was made."""
        for name in reversed(self._made):
            self._do(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _make_ready(self) -> str:
        name = self._name()
        create = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
        try:
            self._do(create + sql.SQL(f" {_LIKE_A_LANGUAGE}"))
        except psycopg.Error:  # one before 15, or built without ICU
            self._do(create)
        self._let_commits_be_quick(name)
        asyncio.run(_first_start(PostgresAccess(self._url_of(name))))
        return name

    def _let_commits_be_quick(self, name: str) -> None:
        self._do(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))

    def _name(self) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        self._made.append(name)
        return name

    def _url_of(self, name: str) -> str:
        before, _, _ = self.url.partition("?")
        return f"{before.rpartition('/')[0]}/{name}"

    def _do(self, statement: sql.Composed) -> None:
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            connection.execute(statement)


async def _first_start(access: PostgresAccess) -> None:
    database = Database(PostgresBackend(access))
    await database.open()
    await database.close()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workflows = WorkflowEngine(folder, Storage(folder), PostgresWorkflows(access))
        await workflows.launch()
        await workflows.close(timedelta())


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """One of whatever kind there is.

    Raises:
        NoPostgresError: there is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        server = Postgres(named)
        try:
            yield server
        finally:
            server.close()
        return
    for user in dict.fromkeys(("postgres", getpass.getuser())):
        if _lets_in(_LOCAL.format(user)):
            server = Postgres(_LOCAL.format(user))
            try:
                yield server
            finally:
                server.close()
            return
    with own_postgres() as server:
        yield server


def _lets_in(url: str) -> bool:
    may = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    with (
        suppress(psycopg.Error),
        closing(psycopg.connect(make_conninfo(url, connect_timeout=3))) as connection,
    ):
        row = connection.execute(may).fetchone()
        return row is not None and bool(row[0])
    return False


class OwnPostgres(Postgres):
    """A server of the tests' own, which may be stopped and started again."""

    def __init__(self, binaries: Path, folder: Path, port: int) -> None:
        super().__init__(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        self.port = port
        self._binaries, self._data = binaries, folder / "data"
        self._user = "postgres" if os.getuid() == 0 else None  # it does not run as root
        if self._user is not None:
            shutil.chown(folder, self._user)

    def _let_commits_be_quick(self, name: str) -> None:
        """They are, without fsync; and what was committed has to outlive a crash of the server."""

    def make(self) -> None:
        """Make its files."""
        self._run(
            "initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "-D", self._data
        )

    def start(self) -> None:
        """Start it; it can be used when this returns."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self._data} -c fsync=off -c max_connections=100"
        log = self._data / "log"
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", log, "-w", "-t", _START_SECONDS, "start")

    def stop(self, how: str = "immediate") -> None:
        """Stop it: ``immediate`` as if it had crashed, ``fast`` as an administrator does."""
        self._run("pg_ctl", "-D", self._data, "-m", how, "-w", "-t", _START_SECONDS, "stop")

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._binaries / program), *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, check=False, user=self._user, cwd="/", timeout=2 * _START_SECONDS
        )
        if done.returncode:
            raise NoPostgresError(f"{program}: {done.stderr.decode(errors='replace').strip()}")


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A server for one test or session alone, on a port of its own.

    Raises:
        NoPostgresError: the system has no PostgreSQL, or it does not start.
    """
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    binaries = next((each for each in places if (each / "pg_ctl").exists()), None)
    if binaries is None:
        raise NoPostgresError("this system has no PostgreSQL")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="slipway-postgres-"))
    try:
        server = OwnPostgres(binaries, folder, port)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server, where there is one or can be."""
    try:
        with running_postgres() as server:
            yield server
    except NoPostgresError as error:
        pytest.skip(f"no PostgreSQL: {error}; name one in {VARIABLE}")


@pytest.fixture(params=["sqlite", "postgresql"])
async def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | Backend:
    """A new database of either kind, with all tables, for :class:`Database`."""
    if request.param == "sqlite":
        await prepare(tmp_path)
        return tmp_path / "slipway.db"
    server: Postgres = request.getfixturevalue("postgres")
    return PostgresBackend(PostgresAccess(await asyncio.to_thread(server.new)))
