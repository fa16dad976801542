"""The announcements, in the database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import timedelta

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.model import SERVICE
from slipway.bot.core.times import Clock
from slipway.bot.core.uptime import Moment, ReadUptime, noted_uptime, system_uptime
from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import chat_memory
from slipway.bot.store.tables import image_announcement as table
from slipway.bot.subjects.images.announcing.clock_jumps import Seen, waited_from
from slipway.bot.subjects.images.announcing.model import LAPSES, Announcement, Announcements
from slipway.bot.subjects.images.requests import Pin

_SEEN = "announcements seen"


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
            rows = (await connection.execute(sa.select(table))).mappings().all()
            seen = await _seen(connection) if rows else None
        return Announcements([self._read(row, seen) for row in rows])

    async def find(self, version: Pin) -> Announcement | None:
        """What is announced of a version's number, whether that counts or not."""
        async with self._database.reading() as connection:
            found = (await connection.execute(sa.select(table).where(_is(version)))).mappings().first()
            seen = None if found is None else await _seen(connection)
        return None if found is None else self._read(found, seen)

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
            await self._settle(connection)
            await connection.execute(table.delete().where(table.c.at < self._clock() - LAPSES))
            await connection.execute(
                insert(table).values(values).on_conflict_do_update(index_elements=keys, set_=rest)
            )

    async def forget(self, versions: Collection[Pin]) -> None:
        """Forget what was announced of these; what was not is no error."""
        async with self._database.writing() as connection:
            for each in versions:
                await connection.execute(table.delete().where(_is(each)))

    async def look(self) -> None:
        """Note what time it is, as long as anything is announced; to be called once a minute."""
        async with self._database.reading() as connection:
            waiting = (await connection.execute(sa.select(table.c.version).limit(1))).first() is not None
            seen = await _seen(connection) if waiting else None
        if waiting and (seen is None or not seen.is_recent(self._now())):
            async with self._database.writing() as connection:
                await self._settle(connection)

    async def _settle(self, connection: AsyncConnection) -> None:
        """Note the present; what was announced before another boot is dated by the clock as it goes now, for good."""
        seen, now = await _seen(connection), self._now()
        if seen is not None and now.uptime is not None and seen.boot != now.uptime.boot:
            for row in (await connection.execute(sa.select(table))).mappings().all():
                found = self._read(row, seen)
                if found.at != row["at"]:
                    keys = (table.c[name] == row[name] for name in ("cloud", "definition", "version"))
                    dates = {"at": found.at, "until": found.until}
                    await connection.execute(table.update().where(*keys).values(dates))
        value = Seen.of(now.at, self._uptime()).model_dump_json()
        await connection.execute(
            insert(chat_memory)
            .values(platform=SERVICE, name=_SEEN, value=value)
            .on_conflict_do_update(index_elements=["platform", "name"], set_={"value": value})
        )

    def _now(self) -> Moment:
        return Moment(self._clock(), self._uptime())

    def _read(self, row: sa.RowMapping, seen: Seen | None) -> Announcement:
        """An announcement by the clock as it goes now: one that was made by a clock that was behind, or before the
        clock went ahead, would let what it announced go too early, also where the clock went right over a boot. One
        that is dated later than it was made is left so: it does not count, and people are told anew."""
        fields = {name: value for name, value in row.items() if name not in ("boot", "uptime")}
        found = Announcement(**fields)
        made = Moment(found.at, noted_uptime(row["boot"], row["uptime"]))
        later = waited_from(made, seen, self._now()) - found.at
        if later <= timedelta():
            return found
        return replace(found, at=found.at + later, until=found.until + later)


async def _seen(connection: AsyncConnection) -> Seen | None:
    """The last moment that was noted; None where none was."""
    query = sa.select(chat_memory.c.value).where(
        chat_memory.c.platform == SERVICE, chat_memory.c.name == _SEEN
    )
    kept = (await connection.execute(query)).scalar()
    try:
        return None if kept is None else Seen.model_validate_json(kept)
    except ValidationError:  # of another version of Slipway
        return None


def _is(version: Pin) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.cloud == version.cloud,
        table.c.definition == version.definition.casefold(),
        table.c.version == version.version,
    )
