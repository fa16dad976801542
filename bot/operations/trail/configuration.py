"""What the trail says of the configuration at each start and reload: its digest, and who holds which role by it.

And of the user groups of platforms that give roles, as their members change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import uuid4

from slipway import __version__
from slipway.bot.config.digest import digest_of
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.operations.audit import AuditEntry, AuditKey, append
from slipway.bot.people import People
from slipway.bot.store.database import Database

STARTED, RELOADED = "configured", "reloaded"
"""What entries call a start with a configuration, and a reload."""

BY_GROUPS = "roles by groups"
"""What entries call that user groups give other roles than before."""


def configuration_entry(
    settings: SlipwaySettings, at: datetime, *, action: str = STARTED, actor: str = "slipway"
) -> AuditEntry:
    """The entry for a configuration that is taken in.

    Args:
        settings: what counts from now on.
        at: when.
        action: one of the words above.
        actor: who asked for it.
    """
    roles: dict[str, Json] = {name: _sorted(role.may) for name, role in sorted(settings.roles.items())}
    people: dict[str, Json] = {person.id: _sorted(person.roles) for person in settings.person}
    schedules: dict[str, Json] = {entry.name: _sorted(entry.roles) for entry in settings.schedule}
    detail: tuple[tuple[str, Json], ...] = (
        ("configuration", digest_of(settings)),
        ("version", __version__),
        ("people", people),
        ("roles", roles),
        ("schedules", schedules),
    )
    return AuditEntry(AuditKey.of_configuration(at, uuid4().hex), at, actor, action, detail=detail)


class GroupRoles:
    """Notes which roles user groups give, whenever that changed: the entry of a start or a reload knows only those
    that slipway.toml gives by name.

    Args:
        people: who holds which role now.
        database: has the trail.
        clock: the present.
    """

    def __init__(self, people: People, database: Database, clock: Clock) -> None:
        self._people = people
        self._database = database
        self._clock = clock
        self._noted: Mapping[str, tuple[str, ...]] = {}

    async def sweep(self) -> None:
        """Note them, if they are others than were noted last in this process."""
        now = self._people.roles_by_groups
        if now == self._noted:
            return
        at = self._clock()
        held: dict[str, Json] = {person: [*roles] for person, roles in sorted(now.items())}
        key = AuditKey.of_configuration(at, uuid4().hex)
        entry = AuditEntry(key, at, "slipway", BY_GROUPS, detail=(("people", held),))
        await note_configuration(self._database, entry)
        self._noted = now


def _sorted(names: Iterable[str]) -> Json:
    return [*sorted(names)]


async def note_configuration(database: Database, entry: AuditEntry) -> None:
    """Add the entry to the trail."""
    await database.write(lambda connection: append(connection, entry))
