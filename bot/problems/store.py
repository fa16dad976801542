"""The list of problems, in the database. Each look is brought in by one transaction, so that however many processes
look, each problem is there once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.operation_ids import FEWEST
from slipway.bot.problems.model import (
    Acknowledgement,
    Ending,
    Entry,
    EntryState,
    Found,
    Look,
    random_problem_id,
)
from slipway.bot.problems.reconciling import RETURNS_SOON, Change, ChangeKind, reconcile, retire
from slipway.bot.store.database import Database
from slipway.bot.store.tables import problem

_OPEN = problem.c.closed_at.is_(None)


class ProblemStore:
    """Keeps the list.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_problems(self) -> tuple[Entry, ...]:
        """All that is wrong, for `!problems` and for reports: what was so for longest first."""
        found = await self._select(problem.c.state == EntryState.OPEN.value)
        return tuple(sorted(found, key=lambda each: (each.since, each.id)))

    async def came_and_went(self, begin: datetime, end: datetime) -> tuple[int, int]:
        """How many problems came, and how many were over, from a moment on and before another."""
        shown = problem.c.state != EntryState.NEW.value
        within = [
            sa.select(sa.func.count()).where(shown, column >= begin, column < end)
            for column in (problem.c.opened_at, problem.c.closed_at)
        ]
        async with self._database.reading() as connection:
            came, went = [int(await connection.scalar(query) or 0) for query in within]
        return came, went

    async def over(self, source: str, begin: datetime, end: datetime) -> tuple[Entry, ...]:
        """The problems of a source that were over from a moment on and before another, the oldest first."""
        found = await self._select(
            problem.c.source == source,
            problem.c.state == EntryState.CLOSED.value,
            problem.c.closed_at >= begin,
            problem.c.closed_at < end,
        )
        return tuple(sorted(found, key=lambda each: (each.since, each.id)))

    async def find(self, problem_id: str) -> Entry | None:
        """One of these, or one that is closed; None where there never was any, or it was forgotten."""
        found = await self._select(
            problem.c.id == problem_id, problem.c.state.in_((EntryState.OPEN.value, EntryState.CLOSED.value))
        )
        return found[0] if found else None

    async def take_in(
        self, source: str, look: Look, now: datetime, patience: timedelta, *, tells: bool = True
    ) -> tuple[Change, ...]:
        """Bring in what a source saw; what that changed. ``tells``: whether a room is to be told of it."""

        async def changes(connection: AsyncConnection, taken: set[str]) -> tuple[Change, ...]:
            previous = await _previous(connection, source, now)
            return reconcile(previous, look, now, _maker(source, now, taken), patience)

        async def work(connection: AsyncConnection) -> tuple[Change, ...]:
            taken = set((await connection.execute(sa.select(problem.c.id))).scalars())
            return await _keep(connection, await changes(connection, taken), tells=tells)

        async with self._database.reading() as connection:  # most looks change nothing
            if not await changes(connection, set()):
                return ()
        return await self._database.write(work)

    async def retire(self, sources: Collection[str], now: datetime) -> tuple[Change, ...]:
        """Close what belongs to a source that is none of these."""

        async def work(connection: AsyncConnection) -> tuple[Change, ...]:
            query = sa.select(problem).where(problem.c.source.not_in(sources), _OPEN)
            gone = tuple(map(_read, (await connection.execute(query)).mappings()))
            return await _keep(connection, retire(gone, now), tells=False)

        async with self._database.reading() as connection:  # hardly ever there is any
            query = sa.select(sa.func.count()).where(problem.c.source.not_in(sources), _OPEN)
            if not await connection.scalar(query):
                return ()
        return await self._database.write(work)

    async def acknowledge(self, problem_id: str, given: Acknowledgement) -> bool:
        """Note that somebody knows of a problem, instead of whoever did before; false where it is over by now."""

        async def work(connection: AsyncConnection) -> bool:
            query = sa.select(problem).where(
                problem.c.id == problem_id, problem.c.state == EntryState.OPEN.value
            )
            row = (await connection.execute(query)).mappings().first()
            if row is None:
                return False
            await _update(connection, _read(row).changed(acknowledged=given, remind=False))
            return True

        return await self._database.write(work)

    async def untold(self) -> tuple[tuple[Entry, ...], ...]:
        """The messages whose problems have changed since they were told, each with all its problems."""
        changed = (
            sa.select(problem.c.notice)
            .where(problem.c.notice != "", problem.c.told_revision < problem.c.revision)
            .distinct()
        )
        found = await self._select(problem.c.notice.in_(changed))
        by_notice: dict[str, list[Entry]] = {}
        for each in sorted(found, key=lambda each: (each.opened_at, each.found.key)):
            by_notice.setdefault(each.notice, []).append(each)
        return tuple(map(tuple, by_notice.values()))

    async def told(self, entries: Sequence[Entry]) -> None:
        """Note that these were told as they are here; what changed meanwhile is told again."""

        async def work(connection: AsyncConnection) -> None:
            for each in entries:
                await connection.execute(
                    problem.update()
                    .where(problem.c.id == each.id, problem.c.told_revision < each.revision)
                    .values(told_revision=each.revision)
                )

        await self._database.write(work)

    async def reminded(self, entry: Entry) -> None:
        """Note that it was told that the acknowledgement of this problem has lapsed."""
        same = (problem.c.id == entry.id, problem.c.revision == entry.revision)
        await self._database.execute(problem.update().where(*same).values(remind=False))

    async def forget(self, before: datetime) -> None:
        """Forget what was over before a time."""
        await self._database.execute(problem.delete().where(problem.c.closed_at < before))

    async def _select(self, *where: sa.ColumnElement[bool]) -> tuple[Entry, ...]:
        async with self._database.reading() as connection:
            rows = (await connection.execute(sa.select(problem).where(*where))).mappings()
            return tuple(map(_read, rows))


async def _previous(connection: AsyncConnection, source: str, now: datetime) -> tuple[Entry, ...]:
    lately = sa.or_(_OPEN, problem.c.closed_at > now - RETURNS_SOON)
    query = sa.select(problem).where(problem.c.source == source, lately)
    return tuple(map(_read, (await connection.execute(query)).mappings()))


def _maker(source: str, now: datetime, taken: set[str]) -> Callable[[Found], Entry]:
    """Makes entries with ids that are free."""

    def new(found: Found) -> Entry:
        attempt = 0
        while (candidate := random_problem_id(FEWEST + attempt // 4)) in taken:
            attempt += 1
        taken.add(candidate)
        return Entry(candidate, source, found, EntryState.NEW, now, notice="")

    return new


async def _keep(connection: AsyncConnection, changes: Sequence[Change], *, tells: bool) -> tuple[Change, ...]:
    """Store changes. What is to be told from now on is told together, in one message."""
    opened = next((each.entry.id for each in changes if each.kind is ChangeKind.OPENED), "")
    kept = []
    for change in changes:
        if change.kind is ChangeKind.OPENED and tells:
            change = replace(change, entry=replace(change.entry, notice=f"problem:{opened}"))  # noqa: PLW2901
        kept.append(change)
        if change.kind is ChangeKind.FORGOTTEN:
            await connection.execute(problem.delete().where(problem.c.id == change.entry.id))
        else:
            await _update(connection, change.entry)
    return tuple(kept)


async def _update(connection: AsyncConnection, entry: Entry) -> None:
    values = _row(entry)
    found = await connection.execute(problem.update().where(problem.c.id == entry.id).values(values))
    if not found.rowcount:
        await connection.execute(problem.insert().values(id=entry.id, **values))


def _row(entry: Entry) -> dict[str, object]:
    given = entry.acknowledged
    return {
        "source": entry.source,
        "key": entry.found.key,
        "state": entry.state.value,
        "found": entry.found.model_dump_json(),
        "opened_at": entry.opened_at,
        "notice": entry.notice,
        "closed_at": entry.closed_at,
        "ending": entry.ending.value if entry.ending else None,
        "acknowledged_by": given.by if given else "",
        "acknowledged_at": given.at if given else None,
        "acknowledged_until": given.until if given else None,
        "acknowledged_reason": given.reason if given else "",
        "acknowledged_key": given.key if given else "",
        "lapsed": given.lapsed if given else False,
        "remind": entry.remind,
        "revision": entry.revision,
        "told_revision": entry.told_revision,
    }


def _read(row: sa.RowMapping) -> Entry:
    given = None
    if row["acknowledged_by"]:
        given = Acknowledgement(
            by=row["acknowledged_by"],
            at=row["acknowledged_at"],
            until=row["acknowledged_until"],
            reason=row["acknowledged_reason"],
            key=row["acknowledged_key"],
            lapsed=row["lapsed"],
        )
    return Entry(
        id=row["id"],
        source=row["source"],
        found=Found.model_validate_json(row["found"]),
        state=EntryState(row["state"]),
        opened_at=row["opened_at"],
        notice=row["notice"],
        closed_at=row["closed_at"],
        ending=Ending(row["ending"]) if row["ending"] else None,
        acknowledged=given,
        remind=row["remind"],
        revision=row["revision"],
        told_revision=row["told_revision"],
    )
