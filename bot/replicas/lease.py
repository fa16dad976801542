"""The statements about the lease, on a psycopg connection of their own.

A lease is taken where nobody holds it, where whoever takes it holds it already, or where its holder gave no sign of
life for the lease's time *by the watcher's own clock*: the watcher saw the same count of renewals all that time,
and takes the lease only if it still is the same. So no clock is compared with another: neither a replica's that is
minutes wrong nor the database's that is set matters. (Kubernetes' leader election does the same.)
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slipway.bot.replicas.model import Lease, Peer, ReplicaIdentity, short
from slipway.bot.replicas.tables import CREATE, NEWEST

if TYPE_CHECKING:
    from psycopg import AsyncConnection

LEASE_CHANNEL = "slipway_lease"
INBOX_CHANNEL = "slipway_inbox"
NOTICE_CHANNEL = "slipway_notice"
"""Of LISTEN and NOTIFY: the lease is free or wanted; something is in the inbox; a replica tells something."""

NAME_PREFIX = "slipway/"
"""Begins the application name of every connection whose work is fenced; the replica's id and its epoch follow."""

_MAKING = 0x51_1B_A4
_ID = 0x51_1D
"""Classes of advisory locks: while tables are made, and by a replica's id. Source: none; they are ours alone."""

_LEASE = "holder, host, version, schema, epoch, renewals, since, wanted_by"

_SEEN = """
    INSERT INTO slipway_replicas.replica (id, host, pid, version, configuration, started_at, seen_at)
    VALUES (%(id)s, %(host)s, %(pid)s, %(version)s, %(configuration)s, clock_timestamp(), clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET host = excluded.host, pid = excluded.pid, version = excluded.version,
        configuration = excluded.configuration, seen_at = excluded.seen_at"""

_LOOK = "WITH seen AS (" + _SEEN + ") SELECT " + _LEASE + " FROM slipway_replicas.leader"  # noqa: S608 - constants

_RENEW = (
    "WITH seen AS ("  # noqa: S608 - constants
    + _SEEN
    + """)
    UPDATE slipway_replicas.leader SET renewals = renewals + 1
    WHERE holder = %(id)s AND epoch = %(epoch)s RETURNING """
    + _LEASE
)

_TAKE = """
    UPDATE slipway_replicas.leader SET holder = %(id)s, host = %(host)s, version = %(version)s,
        schema = %(schema)s, epoch = epoch + 1, renewals = 0, since = clock_timestamp(), wanted_by = ''
    WHERE epoch = %(epoch)s AND renewals = %(renewals)s
    RETURNING holder, host, version, schema, epoch, renewals, since, wanted_by"""


_RELEASE = """
    UPDATE slipway_replicas.leader SET holder = '', renewals = renewals + 1
    WHERE holder = %(id)s AND epoch = %(epoch)s"""

_FORMER = """
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND application_name ~ '^slipway/[^/]+/[0-9]+$'
        AND split_part(application_name, '/', 3)::bigint BETWEEN 1 AND %(epoch)s - 1"""


def application_name(replica: str, epoch: int) -> str:
    """What a fenced connection of a replica is called; 0 is the epoch of one that does not lead."""
    return f"{NAME_PREFIX}{re.sub('[^A-Za-z0-9-]', '', replica)[:36]}/{epoch}"


async def make_tables(connection: AsyncConnection[Any]) -> None:
    """Make what is not there yet; several replicas may do so at once."""
    found = await (await connection.execute("SELECT to_regclass(%s)", (NEWEST,))).fetchone()
    if found is not None and found[0] is not None:
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
        for statement in CREATE:
            await connection.execute(statement)


async def hold_id(connection: AsyncConnection[Any], replica: str) -> bool:
    """Claim a replica's id for as long as this connection lives; False where another connection has it."""
    query = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
    row = await (await connection.execute(query, (_ID, replica))).fetchone()
    return row is not None and bool(row[0])


async def schema_of(connection: AsyncConnection[Any]) -> str | None:
    """The newest migration that was done in this database; None for none."""
    row = await (await connection.execute("SELECT to_regclass('alembic_version')")).fetchone()
    if row is None or row[0] is None:
        return None
    row = await (await connection.execute("SELECT version_num FROM alembic_version")).fetchone()
    return None if row is None else str(row[0])


async def look(connection: AsyncConnection[Any], me: ReplicaIdentity) -> Lease:
    """Give a sign of life, and see who leads."""
    return _lease(await (await connection.execute(_LOOK, _values(me))).fetchone())


async def renew(connection: AsyncConnection[Any], me: ReplicaIdentity, epoch: int) -> Lease | None:
    """Give a sign of life as the leader; None where another one leads by now."""
    row = await (await connection.execute(_RENEW, {**_values(me), "epoch": epoch})).fetchone()
    return None if row is None else _lease(row)


async def take(connection: AsyncConnection[Any], me: ReplicaIdentity, seen: Lease) -> Lease | None:
    """Take the lease, if it still is as it was seen; None where it is not."""
    values = {**_values(me), "epoch": seen.epoch, "renewals": seen.renewals}
    row = await (await connection.execute(_TAKE, values)).fetchone()
    if row is not None:  # those that are gone for so long are told by nobody
        query = "DELETE FROM slipway_replicas.replica WHERE seen_at < clock_timestamp() - interval '1 day'"
        await connection.execute(query)
    return None if row is None else _lease(row)


async def end_former(connection: AsyncConnection[Any], epoch: int, patience: float) -> bool:
    """End every connection of the leaders before this epoch, so that nothing of theirs is committed any more.

    Returns:
        Whether none is left. That takes a moment; ``patience`` is how many seconds it may.
    """
    values = {"epoch": epoch}
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    while True:
        await connection.execute("SELECT pg_terminate_backend(pid) " + _FORMER, values)
        row = await (await connection.execute("SELECT count(*) " + _FORMER, values)).fetchone()
        if row is None or row[0] == 0:
            return True
        if loop.time() > until:
            return False
        await asyncio.sleep(0.05)


async def want(connection: AsyncConnection[Any], replica: str, epoch: int) -> None:
    """Ask whoever holds the lease of this number to give it back."""
    query = "UPDATE slipway_replicas.leader SET wanted_by = %s WHERE epoch = %s AND wanted_by = ''"
    await connection.execute(query, (replica, epoch))
    await connection.execute("SELECT pg_notify(%s, '')", (LEASE_CHANNEL,))


async def release(connection: AsyncConnection[Any], me: ReplicaIdentity, epoch: int) -> None:
    """Give the lease back, if it is ours, and leave the list of replicas."""
    await connection.execute(_RELEASE, {"id": me.id, "epoch": epoch})
    await connection.execute("DELETE FROM slipway_replicas.replica WHERE id = %s", (me.id,))
    await connection.execute("SELECT pg_notify(%s, '')", (LEASE_CHANNEL,))


async def present(connection: AsyncConnection[Any]) -> Lease | None:
    """The lease as it stands, for whoever only looks."""
    query = "SELECT " + _LEASE + " FROM slipway_replicas.leader"  # noqa: S608 - constants
    row = await (await connection.execute(query)).fetchone()
    return None if row is None else _lease(row)


async def peers(connection: AsyncConnection[Any]) -> tuple[Peer, ...]:
    """Every replica that was there in the last day."""
    query = """SELECT id, host, version, configuration, clock_timestamp() - seen_at FROM slipway_replicas.replica
        WHERE seen_at > clock_timestamp() - interval '1 day' ORDER BY started_at, id"""
    rows = await (await connection.execute(query)).fetchall()
    return tuple(
        Peer(row[0], f"{row[1]} ({short(row[0])})", row[2], row[3], max(row[4], timedelta(0))) for row in rows
    )


async def holder_of_id(connection: AsyncConnection[Any], replica: str) -> tuple[str, int] | None:
    """Where the replica with this id ran when it gave its last sign of life: host and process."""
    query = "SELECT host, pid FROM slipway_replicas.replica WHERE id = %s"
    row = await (await connection.execute(query, (replica,))).fetchone()
    return None if row is None else (str(row[0]), int(row[1]))


def _values(me: ReplicaIdentity) -> Mapping[str, Any]:
    return {
        "id": me.id,
        "host": me.host,
        "pid": me.pid,
        "version": me.version,
        "schema": me.schema,
        "configuration": me.configuration,
    }


def _lease(row: Any) -> Lease:
    holder, host, version, schema, epoch, renewals, since, wanted_by = row
    return Lease(holder, host, version, schema, int(epoch), int(renewals), since, wanted_by)
