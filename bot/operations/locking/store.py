"""Claims in the database: they outlive the process, and go with the end of their operation, in its transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.times import Clock
from slipway.bot.operations.locking.model import Claim, ahead
from slipway.bot.operations.model import OPEN
from slipway.bot.store.database import Database
from slipway.bot.store.tables import operation, operation_lock


@dataclass(frozen=True)
class Turn:
    """Where a claim stands, and who is before it, the first at the front; nobody where it is held."""

    claim: Claim
    before: tuple[Claim, ...]


class LockStore:
    """Reads and changes claims. Each change is one write transaction, and there is one of these at a time: two
    operations never get one ticket, nor one target.

    Args:
        database: where they are.
        clock: the present.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, operation_id: str, targets: Collection[str]) -> Turn:
        """Claim something for an operation, and take it if it is its turn.

        What the operation claims already keeps its place. A claim of its own on anything else is given up first: who
        waits holds nothing.
        """
        wanted = frozenset(targets)

        async def work(connection: AsyncConnection) -> Turn:
            own = operation_lock.c.operation_id == operation_id
            mine = await _read(connection, own)
            if mine and mine[0].targets == wanted:
                claim = mine[0]
            else:
                await connection.execute(operation_lock.delete().where(own))
                claim = await self._insert(connection, operation_id, wanted)
            before = ahead(claim, await _read(connection, operation_lock.c.target.in_(sorted(wanted))))
            if not before and not claim.held:
                claim = replace(claim, since=self._clock())
                await connection.execute(operation_lock.update().where(own).values(since=claim.since))
            return Turn(claim, before)

        return await self._database.write(work)

    async def _insert(self, connection: AsyncConnection, operation_id: str, targets: frozenset[str]) -> Claim:
        greatest = await connection.scalar(sa.select(sa.func.max(operation_lock.c.ticket)))
        claim = Claim(operation_id, targets, int(greatest or 0) + 1, self._clock())
        row = {"operation_id": operation_id, "ticket": claim.ticket, "asked_at": claim.asked_at}
        rows = [{**row, "target": target} for target in sorted(targets)]
        await connection.execute(operation_lock.insert(), rows)
        return claim

    async def release(self, operation_id: str) -> None:
        """Give up whatever an operation claims; nothing is no error."""
        await self._database.write(lambda connection: let_go(connection, operation_id))

    async def of(self, operation_id: str) -> Claim | None:
        """What an operation claims; None for nothing."""
        async with self._database.reading() as connection:
            found = await _read(connection, operation_lock.c.operation_id == operation_id)
        return found[0] if found else None

    async def on(self, targets: Iterable[str]) -> tuple[Claim, ...]:
        """The claims on any of these, the first at the front; of each, those of these alone."""
        async with self._database.reading() as connection:
            return await _read(connection, operation_lock.c.target.in_(sorted(set(targets))))

    async def all(self) -> tuple[Claim, ...]:
        """Every claim, the first at the front."""
        async with self._database.reading() as connection:
            return await _read(connection, sa.true())

    async def drop_ended(self) -> int:
        """Drop what operations claim that have ended: a net, as that goes with the end. How many rows there were."""
        still_open = sa.select(operation.c.id).where(operation.c.state.in_(OPEN))
        ended = operation_lock.c.operation_id.not_in(still_open)
        async with self._database.reading() as connection:
            left = int(
                await connection.scalar(sa.select(sa.func.count()).select_from(operation_lock).where(ended))
                or 0
            )
        if left:
            await self._database.execute(operation_lock.delete().where(ended))
        return left


async def let_go(connection: AsyncConnection, operation_id: str) -> None:
    """Give up whatever an operation claims, in the caller's write transaction, such as that of its end."""
    await connection.execute(operation_lock.delete().where(operation_lock.c.operation_id == operation_id))


async def _read(connection: AsyncConnection, where: sa.ColumnElement[bool]) -> tuple[Claim, ...]:
    query = sa.select(operation_lock).where(where).order_by(operation_lock.c.ticket)
    found: dict[str, Claim] = {}
    for row in await connection.execute(query):
        there = found.get(row.operation_id)
        targets = frozenset({row.target}) | (there.targets if there else frozenset())
        found[row.operation_id] = Claim(row.operation_id, targets, row.ticket, row.asked_at, row.since)
    return tuple(found.values())
