"""Foreign changes, in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import image_foreign_change as table
from slipway.bot.subjects.images.adopting.authorship import Authorship
from slipway.bot.subjects.images.adopting.model import ForeignChange, Stage
from slipway.bot.subjects.images.adopting.requests import ChangeId
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.watching.change import Change


class ForeignChangeStore:
    """Keeps foreign changes.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, changes: Sequence[ForeignChange]) -> None:
        """Keep changes; those that are kept already stay as they are."""

        async def work(connection: AsyncConnection) -> None:
            for each in changes:
                await connection.execute(insert(table).values(_row(each)).on_conflict_do_nothing())

        await self._database.write(work)

    async def open_ones(self) -> tuple[ForeignChange, ...]:
        """All that nobody has adopted and that are not over, in the order in which they were seen."""
        return await self._select(table.c.stage == Stage.OPEN.value)

    async def every(self) -> tuple[ForeignChange, ...]:
        """All that are kept, in the order in which they were seen."""
        return await self._select()

    async def find(self, change: ChangeId) -> ForeignChange | None:
        """One of them; None where there never was any, or it was forgotten."""
        found = await self._select(_is(change))
        return found[0] if found else None

    async def notice(self, change: ForeignChange) -> tuple[ForeignChange, ...]:
        """All that the same notice told, in its order."""
        same = (table.c.cloud == change.cloud, table.c.definition == change.definition.casefold())
        return await self._select(*same, table.c.notice == change.notice)

    async def last_notice(self, definition: DefinitionRef) -> int:
        """The number of the last notice about a definition of which something is kept; 0 for none."""
        same = (table.c.cloud == definition.cloud, table.c.definition == definition.name.casefold())
        async with self._database.reading() as connection:
            found = await connection.scalar(sa.select(sa.func.max(table.c.notice)).where(*same))
        return int(found or 0)

    async def adopt(self, change: ChangeId, person: str, reason: str, at: datetime, key: str) -> bool:
        """Note that a change is right by somebody's word; false where it is not open any more."""
        values = {"person": person, "reason": reason, "key": key}
        return await self._end(_is(change), Stage.ADOPTED, at, values) > 0

    async def over(self, changes: Collection[ForeignChange], at: datetime) -> None:
        """Note that versions are not as these changes left them any more."""
        for each in changes:
            await self._end(_is(_id(each)), Stage.OVER, at, {})

    async def _end(self, which: sa.ColumnElement[bool], to: Stage, at: datetime, more: dict[str, str]) -> int:
        async def work(connection: AsyncConnection) -> int:
            ended = {"stage": to.value, "ended_at": at, "revision": table.c.revision + 1, **more}
            statement = table.update().where(which, table.c.stage == Stage.OPEN.value).values(ended)
            return (await connection.execute(statement)).rowcount

        return await self._database.write(work)

    async def to_ask(self, now: datetime, limit: int) -> tuple[ForeignChange, ...]:
        """Those whose author is to be asked for now, those that wait for longest first."""
        found = await self._select(table.c.ask_at <= now)
        return tuple(sorted(found, key=lambda each: each.ask_at or now)[:limit])

    async def know(self, change: ForeignChange, authorship: Authorship, ask_at: datetime | None) -> None:
        """Note what is known of who made a change, and when it is asked again; its notice shows the rest."""
        shown = authorship.known is not change.authorship.known
        values = {
            "authorship": authorship.model_dump_json(),
            "ask_at": ask_at,
            "revision": table.c.revision + int(shown),
        }
        await self._database.execute(table.update().where(_is(_id(change))).values(values))

    async def untold(self) -> tuple[ForeignChange, ...]:
        """Those that have changed since their notice showed them."""
        return await self._select(table.c.told_revision < table.c.revision)

    async def told(self, changes: Sequence[ForeignChange]) -> None:
        """Note that a notice shows these as they are here; what changed meanwhile is shown again."""

        async def work(connection: AsyncConnection) -> None:
            for each in changes:
                older = table.c.told_revision < each.revision
                statement = table.update().where(_is(_id(each)), older)
                await connection.execute(statement.values(told_revision=each.revision))

        await self._database.write(work)

    async def forget(self, before: datetime) -> None:
        """Forget what was adopted or over before a time: the operation that adopted it is remembered."""
        old = (table.c.ended_at < before, table.c.told_revision == table.c.revision)
        async with self._database.reading() as connection:  # hardly ever there is any
            if await connection.scalar(sa.select(table.c.notice).where(*old).limit(1)) is None:
                return
        await self._database.execute(table.delete().where(*old))

    async def _select(self, *where: sa.ColumnElement[bool]) -> tuple[ForeignChange, ...]:
        order = (table.c.seen_at, table.c.cloud, table.c.definition, table.c.notice, table.c.number)
        async with self._database.reading() as connection:
            rows = (await connection.execute(sa.select(table).where(*where).order_by(*order))).mappings()
            return tuple(map(_read, rows))


def _id(change: ForeignChange) -> ChangeId:
    return ChangeId(
        cloud=change.cloud, definition=change.definition, notice=change.notice, number=change.number
    )


def _is(change: ChangeId) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.cloud == change.cloud,
        table.c.definition == change.definition.casefold(),
        table.c.notice == change.notice,
        table.c.number == change.number,
    )


def _row(change: ForeignChange) -> dict[str, object]:
    return {
        "cloud": change.cloud,
        "definition": change.definition.casefold(),
        "notice": change.notice,
        "number": change.number,
        "shown": change.definition,
        "qualified": change.qualified,
        "change": change.change.model_dump_json(),
        "seen_at": change.seen_at,
        "since": change.since,
        "authorship": change.authorship.model_dump_json(),
        "ask_at": change.ask_at,
        "stage": change.stage.value,
        "ended_at": change.ended_at,
        "person": change.person,
        "reason": change.reason,
        "key": change.key,
        "revision": change.revision,
        "told_revision": change.told_revision,
    }


def _read(row: sa.RowMapping) -> ForeignChange:
    return ForeignChange(
        cloud=row["cloud"],
        definition=row["shown"],
        qualified=row["qualified"],
        notice=row["notice"],
        number=row["number"],
        change=Change.model_validate_json(row["change"]),
        seen_at=row["seen_at"],
        since=row["since"],
        authorship=Authorship.model_validate_json(row["authorship"] or "{}"),
        ask_at=row["ask_at"],
        stage=Stage(row["stage"]),
        ended_at=row["ended_at"],
        person=row["person"],
        reason=row["reason"],
        key=row["key"],
        revision=row["revision"],
        told_revision=row["told_revision"],
    )
