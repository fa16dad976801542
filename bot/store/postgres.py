"""PostgreSQL: the database as a server's, which several processes can reach."""

from __future__ import annotations

import select
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from slipway.bot.core.errors import StateError
from slipway.bot.core.storage_errors import StorageFailure, StoragePlace, storage_failure
from slipway.bot.core.text import storable

if TYPE_CHECKING:
    import psycopg
    from pydantic import SecretStr

WRITERS = int.from_bytes(b"slipway1")
"""The advisory lock of transactions that write; a number of Slipway's own, as such locks have no names."""

LOCK_TIMEOUT_MS = 30_000
"""How long a statement waits for another's lock, as with SQLite."""

IDLE_TIMEOUT_MS = 30_000
"""How long a transaction may do nothing before the server ends it: one of a process that stands still must not keep
all others from writing."""

OLDEST_SERVER = 13
"""The oldest PostgreSQL that is tried for; its makers end their support of 13 in November 2025."""

_LIBPQ = {
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}
"""After at most half a minute a server that is gone is known to be, also where nothing says so: libpq's parameters,
unless the URL gives others. Source: https://www.postgresql.org/docs/current/libpq-connect.html"""

_SESSION = (
    f"SET lock_timeout = {LOCK_TIMEOUT_MS}; SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}; "
    "SET timezone = 'UTC'"
)

_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BEGIN_WRITING = f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({WRITERS})"

_UNDONE = frozenset({"40001", "40P01"})
"""A transaction that cannot be serialized, and one in a deadlock. Source: appendix A of its documentation."""

_PERMISSION = "42501"

TryOut = Callable[[Any], None]
"""Gets each new connection, of either engine, as its driver has it; raises where it may not be used."""


@dataclass(frozen=True)
class PostgresAccess:
    """How connections to a PostgreSQL are made.

    Attributes:
        url: as libpq reads it, without the password.
        password: None where none is needed, or libpq finds it by itself (PGPASSFILE).
        application_name: what the server calls this process's sessions.
        try_out: looks at each new connection before it is used.
    """

    url: str
    password: SecretStr | None = None
    application_name: str = "slipway"
    try_out: TryOut = lambda _connection: None

    @property
    def name(self) -> str:
        """The database, for sentences: without user, password and parameters."""
        known = self._parameters()
        host, port = known.get("host") or known.get("hostaddr") or "this machine", known.get("port")
        return f"the database {known.get('dbname', 'slipway')} on {host}{f':{port}' if port else ''}"

    def connect(self) -> psycopg.Connection:
        """One connection.

        Raises:
            psycopg.Error: there is none to be had.
        """
        import psycopg

        return psycopg.connect(self.url, autocommit=True, **self._further())

    def engine(self) -> sa.Engine:
        """An engine for threads."""
        engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=self._connect_by_hand,
            hide_parameters=True,
            use_native_hstore=False,
        )
        self._listen(engine)
        return engine

    def async_engine(self, set_up: Callable[[Any, object], None]) -> AsyncEngine:
        """An engine for the loop; ``set_up`` gets each new connection."""

        async def connect() -> Any:
            import psycopg

            connection = await psycopg.AsyncConnection.connect(self.url, autocommit=True, **self._further())
            keep_any_text(connection)
            return connection

        engine = create_async_engine(
            "postgresql+psycopg://", async_creator=connect, hide_parameters=True, use_native_hstore=False
        )
        self._listen(engine.sync_engine)
        sa.event.listen(engine.sync_engine, "connect", set_up)
        return engine

    def probe(self) -> StorageFailure | None:
        """Why the database cannot be written now, asked by a connection of its own; None where it can."""
        import psycopg

        try:
            with closing(self.connect()) as connection:
                self.try_out(connection)
                row = connection.execute("SELECT current_setting('transaction_read_only')").fetchone()
        except psycopg.Error as error:
            return storage_failure(error) or StorageFailure(_first_line(error), StoragePlace.DATABASE)
        read_only = row is not None and row[0] == "on"
        return StorageFailure("it is read-only", StoragePlace.DATABASE) if read_only else None

    def _connect_by_hand(self) -> Any:
        import psycopg

        connection = psycopg.connect(self.url, **self._further())
        keep_any_text(connection)
        connection.execute(_SESSION)
        connection.commit()
        return connection

    def _listen(self, engine: sa.Engine) -> None:
        sa.event.listen(engine, "connect", lambda connection, _record: self.try_out(connection))
        sa.event.listen(engine, "checkout", _see_that_it_lives)

    def _parameters(self) -> Mapping[str, Any]:
        from psycopg.conninfo import conninfo_to_dict

        return conninfo_to_dict(self.url)

    def _further(self) -> dict[str, Any]:
        """What the URL does not say."""
        further: dict[str, Any] = {
            name: value for name, value in _LIBPQ.items() if name not in self._parameters()
        }
        further["application_name"] = self.application_name
        if self.password is not None:
            further["password"] = self.password.get_secret_value()
        return further


def keep_any_text(connection: Any) -> None:
    """Have a connection of the driver's give the server texts that it keeps, whoever wrote them: a NUL in a cloud's
    words must not keep a step from being stored."""
    from psycopg.types.string import StrDumperUnknown

    class Storable(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(storable(obj))

    connection.adapters.register_dumper(str, Storable)


def url_problem(url: str) -> str:
    """What is wrong with a URL, as the rest of a sentence that names its key; empty where libpq takes it."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    example = "write it like postgresql://slipway@db.example.org/slipway"
    if not url.startswith(("postgresql://", "postgres://")):
        return f"it is no URL of a PostgreSQL; {example}"
    try:
        known = conninfo_to_dict(url)
    except psycopg.Error as error:  # its words name a parameter at most
        return f"it cannot be read ({_first_line(error)}); {example}"
    return "" if known.get("dbname") else f"it names no database; {example}"


def holds_secret(url: str) -> bool:
    """Whether a URL that libpq takes names a secret, before its host or among its parameters."""
    from psycopg.conninfo import conninfo_to_dict

    known = conninfo_to_dict(url)
    return any(known.get(name) for name in ("password", "sslpassword"))


class PostgresBackend:
    """One database of a PostgreSQL.

    What is written was thought out for one writer at a time, as SQLite has it: the greatest number plus one, compare
    and set, the audit trail's chain. So each transaction that writes first takes one advisory lock, which the server
    takes back at the transaction's end, also where that comes with the connection's. It runs under READ COMMITTED:
    what a statement sees then is what the former holders of the lock committed. Under REPEATABLE READ it would be
    what was committed before the lock was waited for, and the second of two writers would have to be done anew.
    What is only read is seen as it was at one moment.

    Args:
        access: how connections are made.
        read_only: whether it is only looked at.
    """

    def __init__(self, access: PostgresAccess, *, read_only: bool = False) -> None:
        self._access = access
        self._read_only = read_only

    @property
    def name(self) -> str:
        """The database, for sentences about it."""
        return self._access.name

    @property
    def short_name(self) -> str:
        """The same, in few words."""
        return "The database"

    def engine(self) -> AsyncEngine:
        """An engine on the database."""
        return self._access.async_engine(self._set_up)

    def begin(self, connection: sa.Connection, *, writes: bool) -> None:
        """Begin a transaction; one that writes is the only one of its kind, whoever else works on the database."""
        connection.exec_driver_sql(_BEGIN_WRITING if writes and not self._read_only else _BEGIN_READING)

    def look(self) -> None:
        """Nothing: whether it is there shows at the first connection."""

    async def check(self, connection: AsyncConnection, revision: str | None) -> None:
        """See that Slipway can work here.

        Args:
            connection: to look with.
            revision: of the schema; None where Slipway's tables are not there.

        Raises:
            StateError: the server is too old or of another encoding, the database is read-only or another program's.
        """
        server = await connection.execute(
            sa.text(
                "SELECT current_setting('server_version_num')::int / 10000 AS version, "
                "current_setting('server_encoding') AS encoding, "
                "pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS read_only"
            )
        )
        found = server.one()
        if found.version < OLDEST_SERVER:
            raise self.unusable(f"it is PostgreSQL {found.version}, and {OLDEST_SERVER} or newer is needed")
        if found.encoding != "UTF8":
            raise self.unusable(f"its encoding is {found.encoding}. Make one whose encoding is UTF8")
        if found.read_only and not self._read_only:
            raise self.unusable("it is read-only. Name a server in database.url that can be written")
        if revision is not None and not revision.isdecimal():
            raise self.unusable(
                "it is another program's. Make one for Slipway alone, and name that in database.url"
            )
        if revision is None and (others := await _tables(connection)):
            raise self.unusable(
                f"it holds tables of another program ({', '.join(others[:3])}). Make one for Slipway alone, and name "
                "that in database.url"
            )

    async def ticket(self, connection: AsyncConnection) -> str | None:
        """The transaction's number, by which the server tells afterwards how it ended."""
        return str(await connection.scalar(sa.text("SELECT pg_current_xact_id()")))

    async def committed(self, connection: AsyncConnection, ticket: str) -> bool | None:
        """Whether a transaction was committed or undone; None while that is not settled."""
        query = sa.text("SELECT pg_xact_status(CAST(:ticket AS xid8))")
        status = await connection.scalar(query, {"ticket": ticket})
        return None if status == "in progress" else status == "committed"

    def unusable(self, why: object) -> StateError:
        """What whoever opens it is told where it cannot be used."""
        return StateError(f"{self.name[:1].upper()}{self.name[1:]} cannot be used: {why}.")

    def not_opened(self, error: sa.exc.DBAPIError) -> StateError:
        """The same for an error of the driver's."""
        if getattr(error.orig, "sqlstate", None) == _PERMISSION:
            return self.unusable(
                "its user may not make tables there. Let it own the database: ALTER DATABASE … OWNER TO …"
            )
        return self.unusable(_first_line(error.orig))

    def worth_repeating(self, error: sa.exc.DBAPIError) -> bool:
        """Whether the server undid a transaction for the sake of another, such as another program's."""
        return getattr(error.orig, "sqlstate", None) in _UNDONE

    def _set_up(self, connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(_SESSION)
        cursor.close()


async def _tables(connection: AsyncConnection) -> tuple[str, ...]:
    query = sa.text(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename LIMIT 5"
    )
    return tuple((await connection.execute(query)).scalars())


def _see_that_it_lives(connection: Any, _record: object, _proxy: object) -> None:
    """Before a connection is used again: see that the server has not ended it, as it does when it is restarted.

    A server that ends a connection says so there, where nothing else is said unasked; looking costs no round trip.
    """
    driver = getattr(connection, "driver_connection", connection)
    poll = select.poll()
    if not driver.closed:
        poll.register(driver.fileno(), select.POLLIN)
    if driver.closed or poll.poll(0):
        raise sa.exc.InvalidatePoolError("the server has ended the connection")


def _first_line(error: BaseException | None) -> str:
    """A driver's words, as the rest of a sentence."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__
