"""A look at the server and at the replicas from outside, whether any of them runs or not. Changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from slipway.bot.core.errors import StateError
from slipway.bot.replicas import lease, session
from slipway.bot.replicas.connections import parameters_of
from slipway.bot.replicas.model import Lease, Peer
from slipway.bot.store.postgres import PostgresAccess, PostgresBackend

if TYPE_CHECKING:
    from psycopg import AsyncConnection

LOOK_SECONDS = 20.0
"""For all questions together, once the connection is there."""

_SERVER = """
    SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),
        pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool, current_user,
        has_database_privilege(current_database(), 'CREATE')
            AND coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        clock_timestamp()"""

_TABLES = """
    SELECT schemaname || '.' || tablename, pg_has_role(tableowner, 'USAGE'), schemaname = current_schema()
    FROM pg_tables WHERE schemaname IN (current_schema(), 'dbos', 'slipway_replicas') ORDER BY 1"""


@dataclass(frozen=True)
class ServerSeen:
    """What was seen of a server.

    Attributes:
        version: of PostgreSQL, such as 15.
        encoding: of the database.
        read_only: whether nothing can be written there.
        user: as whom it was looked at.
        may_make: whether that one may make tables and schemas.
        not_owned: tables of Slipway's that belong to somebody else.
        free: connections that are left.
        now: by its clock.
        revision: of the schema; None where Slipway's tables are not there.
        tables: how many there are beside those of replicas and workflows.
        lease: of the leader; None where no replica was ever started.
        peers: every replica of the last day.
    """

    version: int
    encoding: str
    read_only: bool
    user: str
    may_make: bool
    not_owned: tuple[str, ...]
    free: int
    now: datetime
    revision: str | None
    tables: tuple[str, ...]
    lease: Lease | None
    peers: tuple[Peer, ...]


async def look_at_server(access: PostgresAccess) -> ServerSeen:
    """Ask a server.

    Raises:
        StateError: it cannot be asked.
    """
    import psycopg

    backend = PostgresBackend(access)
    try:
        connection = await session.connect(parameters_of(access), "slipway doctor")
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await _asked(connection)
        finally:
            await session.close(connection)
    except psycopg.Error as error:
        raise backend.unusable(" ".join(str(error).split()).rstrip(".")) from error
    except TimeoutError as error:
        raise backend.unusable(f"it did not answer within {LOOK_SECONDS:.0f} seconds") from error


async def _asked(connection: AsyncConnection[Any]) -> ServerSeen:
    row = await (await connection.execute(_SERVER)).fetchone()
    if row is None:
        raise StateError("The database answered nothing.")
    version, encoding, read_only, user, may_make, free, now = row
    tables = await (await connection.execute(_TABLES)).fetchall()
    there = {name for name, owned, _ in tables if owned}  # what is another's may not be readable
    not_owned = tuple(name for name, owned, _ in tables if not owned)
    versioned = not any(name.endswith(".alembic_version") for name in not_owned)
    replicas = {"slipway_replicas.leader", "slipway_replicas.replica"} <= there
    return ServerSeen(
        version,
        encoding,
        read_only,
        user,
        may_make,
        not_owned,
        free,
        now,
        await lease.schema_of(connection) if versioned else None,
        tuple(name.partition(".")[2] for name, _, own in tables if own),
        await lease.present(connection) if replicas else None,
        await lease.peers(connection) if replicas else (),
    )
