"""What people said about freezing, in the database. Nothing of it is removed: what has ended is marked so."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.errors import StorageError
from slipway.bot.operations.audit import AuditEntry, AuditKey, append, is_noted
from slipway.bot.operations.freezing.model import Freeze, FreezeState, Unreadable
from slipway.bot.store.database import Database
from slipway.bot.store.tables import freeze

log = structlog.get_logger(__name__)


class FreezeStore:
    """Reads and changes freezes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: FreezeState = ()

    @property
    def known(self) -> FreezeState:
        """The freezes as this process read them last, for whoever cannot wait."""
        return self._known

    async def read(self) -> FreezeState:
        """The freezes that nobody has ended, also those whose time is over and that were not noted as ended yet.

        Raises:
            StorageError: the database cannot be used now: whoever asks waits, and changes nothing meanwhile.
        """
        query = sa.select(freeze).where(freeze.c.ended_at.is_(None)).order_by(freeze.c.since)
        try:
            async with self._database.reading() as connection:
                rows = (await connection.execute(query)).all()
            self._known = tuple(_freeze(row) for row in rows)
        except StorageError:
            raise
        except Exception as error:
            # Whatever keeps it from being read: who cannot tell that nothing is frozen changes nothing.
            log.exception("whether changes are frozen cannot be read")
            self._known = Unreadable(type(error).__name__)
        return self._known

    async def place(self, placed: Freeze) -> None:
        """Note one; one that is there with its key stays as it is."""

        async def work(connection: AsyncConnection) -> None:
            there = await connection.scalar(sa.select(freeze.c.key).where(freeze.c.key == placed.key))
            if there is None:
                names = ("key", "person", "reason", "since", "until")
                row = {name: getattr(placed, name) for name in names}
                await connection.execute(freeze.insert().values(row))

        await self._database.write(work)
        await self.read()

    async def placed(self, key: str) -> bool:
        """Whether there is one with this key, ended or not."""
        async with self._database.reading() as connection:
            return await connection.scalar(sa.select(freeze.c.key).where(freeze.c.key == key)) is not None

    async def lift(self, person: str, reason: str, at: datetime) -> None:
        """Note that somebody ended all that there are, also what cannot be read of them."""
        values = {"ended_at": at, "ended_by": person, "ended_reason": reason}
        await self._database.execute(freeze.update().where(freeze.c.ended_at.is_(None)).values(values))
        await self.read()

    async def end(self, over: Freeze, entry: AuditEntry) -> None:
        """Note that the time of one is over, with its entry in the audit trail."""

        async def work(connection: AsyncConnection) -> None:
            still = (freeze.c.key == over.key) & freeze.c.ended_at.is_(None)
            statement = freeze.update().where(still).values(ended_at=over.until, ended_by=entry.actor)
            if (await connection.execute(statement)).rowcount:
                await append(connection, entry)

        await self._database.write(work)
        await self.read()

    async def note(self, entry: AuditEntry, behind: AuditKey | None = None) -> None:
        """Add an entry to the audit trail; one whose key is there is not added.

        Args:
            entry: what is noted.
            behind: what must have been noted before, or this is not; None for nothing.
        """

        async def work(connection: AsyncConnection) -> None:
            if behind is None or await is_noted(connection, behind):
                await append(connection, entry)

        await self._database.write(work)

    async def ended_since(self, since: datetime) -> tuple[tuple[Freeze, str, str], ...]:
        """Those that ended since then, each with who ended it and why."""
        query = sa.select(freeze).where(freeze.c.ended_at >= since).order_by(freeze.c.ended_at)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return tuple((_freeze(row), str(row.ended_by), str(row.ended_reason)) for row in rows)


def _freeze(row: sa.Row[tuple[object, ...]]) -> Freeze:
    return Freeze(row.key, row.person, row.reason, row.since, row.until)
