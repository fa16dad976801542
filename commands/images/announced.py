"""What `!images` says of versions that a clean-up has announced to go."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.times import format_time
from slipway.bot.subjects.images.announcing.model import Announcements
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.services import ImageServices
from slipway.commands.dispatch.context import CommandContext

_SHOWN = 3
"""So many are told of a definition, those that go first; the others are counted."""


async def announced_notes(
    call: CommandContext, definition: DefinitionRef, shown: Sequence[ImageVersion]
) -> list[str]:
    """Which of these versions are announced to go, until when each stays, and what keeps it; nothing where nothing is
    announced any more by what is configured."""
    services = call.services.get(ImageServices)
    announce = services.retention.announce
    if announce is None:
        return []
    made: Announcements = await services.announcements.read()
    now = call.services.clock()
    stays = sorted(
        (found.stays_until(announce), version.number)
        for version in shown
        if (found := made.of(definition, version, now)) is not None
    )
    notes = []
    for until, number in stays[:_SHOWN]:
        line = f"hold {definition}/{number} REASON"
        keep = f": `{call.prefix}{line}` keeps it" if call.may(line) else ""
        zone = call.services.cards.zone
        notes.append(f"{number} is announced to go, and stays until {format_time(until, zone)}{keep}.")
    if len(stays) > _SHOWN:
        notes.append(f"{len(stays) - _SHOWN} more are announced to go.")
    return notes
