"""The holds, in the database; and what of it is known here, for whoever may not wait for an answer."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from slipway.bot.core.times import Clock
from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import image_hold
from slipway.bot.subjects.images.holds.model import NO_HOLDS, Holds, PlacedHold


class HoldStore:
    """Keeps holds. Those that have ended by themselves stay until their place is taken, and hold nothing.

    Args:
        database: where they are.
        clock: the present.
        name: what to call a person by their id.
    """

    def __init__(self, database: Database, clock: Clock, name: Callable[[str], str]) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._known = NO_HOLDS

    @property
    def known(self) -> Holds:
        """The holds as this process read or changed them last: for a look right before a write, which cannot wait.
        Whoever looks so reads them anew before."""
        return self._known

    async def read(self) -> Holds:
        """The holds as they are."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(sa.select(image_hold))).mappings()
            self._known = Holds(map(_read, rows), self._name)
        return self._known

    async def has(self, hold: PlacedHold) -> bool:
        """Whether the hold of this person on this is the one that this very step placed."""
        found = [each for each in (await self.read()).active(self._clock()) if each.subject == hold.subject]
        return any((each.person, each.key) == (hold.person, hold.key) for each in found)

    async def place(self, hold: PlacedHold) -> None:
        """Place a hold, instead of the one that the person has on the same."""
        cloud, definition, version = hold.subject
        values = {
            "shown": hold.definition,
            "reason": hold.reason,
            "since": hold.since,
            "until": hold.until,
            "key": hold.key,
        }
        place = {"cloud": cloud, "definition": definition, "version": version, "person": hold.person}
        await self._database.execute(
            insert(image_hold)
            .values(**place, **values)
            .on_conflict_do_update(index_elements=list(place), set_=values)
        )
        await self.read()

    async def lift(self, person: str, subject: tuple[str, str, str], key: str) -> None:
        """Lift the hold of a person on something, if it is the one of this key; one that is not there is no error."""
        cloud, definition, version = subject
        await self._database.execute(
            image_hold.delete().where(
                image_hold.c.cloud == cloud,
                image_hold.c.definition == definition,
                image_hold.c.version == version,
                image_hold.c.person == person,
                image_hold.c.key == key,
            )
        )
        await self.read()


def _read(row: sa.RowMapping) -> PlacedHold:
    return PlacedHold(
        cloud=row["cloud"],
        definition=row["shown"],
        version=row["version"],
        person=row["person"],
        reason=row["reason"],
        since=row["since"],
        until=row["until"],
        key=row["key"],
    )
