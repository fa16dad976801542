"""The PostgreSQL of an episode with replicas: a database of its own, which each reaches by a wire of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from contextlib import closing, suppress
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tests.reliability.leadership import Hindrance
from tests.support.cut_connection import Wire
from tests.support.processes.postgres import OwnPostgres


class EpisodeDatabase:
    """A database, and what goes wrong with it.

    Args:
        server: the server, for this run alone.
        name: of the database.
        replicas: how many reach it.
    """

    def __init__(self, server: OwnPostgres, name: str, replicas: int) -> None:
        self._server = server
        self._name = name
        self._wires = [Wire(server.port) for _ in range(replicas)]
        self._away: set[asyncio.Task[None]] = set()
        self._cut_off: set[int] = set()
        self._down = False
        self._over = asyncio.Event()
        self.hindrances: list[Hindrance] = []

    @property
    def url(self) -> str:
        """As the configuration of every replica has it; the port, by which wires differ, is in the environment."""
        return f"postgresql://postgres@127.0.0.1/{self._name}"

    def environment(self, replica: int | None) -> Mapping[str, str]:
        """What leads a replica, by its number from 1, to its wire; of None, straight to the server."""
        return {"PGPORT": str(self._server.port if replica is None else self._wires[replica - 1].port)}

    async def open(self) -> None:
        """Make it."""
        await asyncio.to_thread(self._do, "CREATE DATABASE {} TEMPLATE template0")
        for each in self._wires:
            each.mend()

    async def close(self) -> None:
        """Remove it."""
        await self.calm()
        for each in self._wires:
            each.close()
        with suppress(psycopg.OperationalError):  # the server goes with the run anyway
            await asyncio.to_thread(self._do, "DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def restart(self, seconds: float, *, crash: bool) -> bool:
        """Stop the server, and start it again after so many seconds; False where it is stopped already."""
        if self._down:
            return False
        self._down = True
        self._begin(self._restart(seconds, crash=crash))
        return True

    def cut(self, replica: int, seconds: float, *, silent: bool) -> bool:
        """Cut a replica's wire for so many seconds, or let nothing pass; False where that is so already."""
        if replica in self._cut_off:
            return False
        self._cut_off.add(replica)
        self._begin(self._cut(replica, seconds, silent=silent))
        return True

    async def calm(self) -> None:
        """Let nothing go wrong any more."""
        self._over.set()
        await asyncio.gather(*self._away)
        self._over = asyncio.Event()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._away.add(task)
        task.add_done_callback(self._away.discard)

    async def _restart(self, seconds: float, *, crash: bool) -> None:
        began = time.monotonic()
        await asyncio.to_thread(self._server.stop, "immediate" if crash else "fast")
        await self._wait(seconds)
        await asyncio.to_thread(self._server.start)
        self._down = False
        self.hindrances.append(Hindrance(began, time.monotonic(), None))

    async def _cut(self, replica: int, seconds: float, *, silent: bool) -> None:
        began, wire = time.monotonic(), self._wires[replica - 1]
        await asyncio.to_thread(wire.hold if silent else wire.cut)
        await self._wait(seconds)
        await asyncio.to_thread(wire.release if silent else wire.mend)
        self._cut_off.discard(replica)
        self.hindrances.append(Hindrance(began, time.monotonic(), replica))

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    def _do(self, statement: LiteralString) -> None:
        with closing(psycopg.connect(self._server.url, autocommit=True)) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(self._name)))
