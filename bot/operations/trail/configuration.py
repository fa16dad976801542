"""What the trail says of the configuration at each start and reload: its digest, and who holds which role by it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from slipway import __version__
from slipway.bot.config.digest import digest_of
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.model import Json
from slipway.bot.operations.audit import AuditEntry, AuditKey, append
from slipway.bot.store.database import Database

STARTED, RELOADED = "configured", "reloaded"
"""What entries call a start with a configuration, and a reload."""


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


def _sorted(names: Iterable[str]) -> Json:
    return [*sorted(names)]


async def note_configuration(database: Database, entry: AuditEntry) -> None:
    """Add the entry to the trail."""
    await database.write(lambda connection: append(connection, entry))
