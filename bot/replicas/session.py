"""A replica's own connection to the database: for its lease, and to be told of news."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from slipway.bot.replicas.lease import INBOX_CHANNEL, LEASE_CHANNEL, NOTICE_CHANNEL

if TYPE_CHECKING:
    from psycopg import AsyncConnection

CONNECT_SECONDS = 5

_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
"""Of the TCP connection, in seconds: whoever is gone without a word is noticed at either end."""

_SERVER = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"


async def connect(parameters: Mapping[str, Any], name: str) -> AsyncConnection[Any]:
    """Open the connection, and listen.

    Args:
        parameters: of libpq, such as ``host`` and ``dbname``.
        name: what the connection is called in the database's own list.

    Raises:
        psycopg.Error: the database does not let us in, or is not there.
    """
    import psycopg

    options = " ".join(filter(None, (str(parameters.get("options", "")), _SERVER)))
    given = {"connect_timeout": CONNECT_SECONDS, **_KEEPALIVE, **parameters}
    connection = await psycopg.AsyncConnection.connect(
        **{**given, "options": options, "application_name": name}, autocommit=True
    )
    try:
        for channel in (LEASE_CHANNEL, INBOX_CHANNEL, NOTICE_CHANNEL):
            await connection.execute(f"LISTEN {channel}".encode())
    except BaseException:
        await close(connection)
        raise
    return connection


async def news(connection: AsyncConnection[Any], seconds: float) -> frozenset[str]:
    """Wait for so long, or until there is news; the channels on which there was some."""
    heard = set()
    async for each in connection.notifies(timeout=seconds, stop_after=1):
        heard.add(each.channel)
    return frozenset(heard)


async def close(connection: AsyncConnection[Any]) -> None:
    """Let go of it, whatever its state."""
    with suppress(Exception):  # one that is broken cannot be closed any better
        async with asyncio.timeout(1.0):
            await connection.close()
