"""The announcements, in the database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from slipway.bot.core.times import Clock
from slipway.bot.core.uptime import Moment, ReadUptime, by_todays_clock, noted_uptime, system_uptime
from slipway.bot.store.database import Database
from slipway.bot.store.tables import image_announcement as table
from slipway.bot.subjects.images.announcing.model import LAPSES, Announcement, Announcements
from slipway.bot.subjects.images.requests import Pin


class AnnouncementStore:
    """Keeps announcements. Those that have lapsed go when something is announced.

    Args:
        database: where they are.
        clock: the present.
        uptime: tells how long ago something was announced, though the clock was set since.
    """

    def __init__(self, database: Database, clock: Clock, uptime: ReadUptime = system_uptime) -> None:
        self._database = database
        self._clock = clock
        self._uptime = uptime

    async def read(self) -> Announcements:
        """The announcements as they are."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(sa.select(table))).mappings()
            return Announcements([self._read(row) for row in rows])

    async def find(self, version: Pin) -> Announcement | None:
        """What is announced of a version's number, whether that counts or not."""
        async with self._database.reading() as connection:
            found = (await connection.execute(sa.select(table).where(_is(version)))).mappings().first()
            return None if found is None else self._read(found)

    async def announce(self, announcement: Announcement) -> None:
        """Keep an announcement, instead of the one of the same number."""
        up = self._uptime()
        values = {
            **asdict(announcement),
            "definition": announcement.definition.casefold(),
            "boot": up.boot,
            "uptime": up.seconds,
        }
        keys = ["cloud", "definition", "version"]
        rest = {name: value for name, value in values.items() if name not in keys}
        async with self._database.writing() as connection:
            await connection.execute(table.delete().where(table.c.at < self._clock() - LAPSES))
            await connection.execute(
                insert(table).values(values).on_conflict_do_update(index_elements=keys, set_=rest)
            )

    async def forget(self, versions: Collection[Pin]) -> None:
        """Forget what was announced of these; what was not is no error."""
        async with self._database.writing() as connection:
            for each in versions:
                await connection.execute(table.delete().where(_is(each)))

    def _read(self, row: sa.RowMapping) -> Announcement:
        """An announcement by the clock as it goes now: one that was made by a clock that was behind, or before the
        clock went ahead, would let what it announced go too early. One that is dated later than it was made is left
        so: it does not count, and people are told anew."""
        fields = {name: value for name, value in row.items() if name not in ("boot", "uptime")}
        found = Announcement(**fields)
        made = Moment(found.at, noted_uptime(row["boot"], row["uptime"]))
        later = by_todays_clock(made, Moment(self._clock(), self._uptime())) - found.at
        if later <= timedelta():
            return found
        return replace(found, at=found.at + later, until=found.until + later)


def _is(version: Pin) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.cloud == version.cloud,
        table.c.definition == version.definition.casefold(),
        table.c.version == version.version,
    )
