"""What `!images` says of versions that were disabled or deleted, and can be brought back."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.chat.model import Card, Field
from slipway.bot.clouds.model import VersionListing
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.restoring.kept import Kept, KeptVersion
from slipway.bot.subjects.images.restoring.requests import Away
from slipway.bot.subjects.images.services import ImageServices
from slipway.commands.dispatch.context import CommandContext

_SHOWN = 3
"""So many are told of a definition, the newest; the others are counted."""


async def read_kept(
    call: CommandContext, versions: Mapping[DefinitionRef, VersionListing]
) -> dict[DefinitionRef, Kept]:
    """What can be brought back of each of these definitions."""
    reader = call.services.get(ImageServices).restoring.kept
    return await side_by_side({each: reader.of(each, held) for each, held in versions.items()})


def with_kept(call: CommandContext, card: Card, definition: DefinitionRef, kept: Kept) -> Card:
    """The card of a definition with what can be brought back, and by which line."""
    notes = [f"{each.number} {each.words}{_by(call, definition, each)}." for each in kept.versions[:_SHOWN]]
    if len(kept.versions) > _SHOWN:
        more = kept.versions[_SHOWN:]
        disabled = sum(each.away is Away.DISABLED for each in more)
        counts = [
            f"{count} {word}"
            for count, word in ((disabled, "disabled"), (len(more) - disabled, "deleted"))
            if count
        ]
        notes.append(f"{' and '.join(counts)} before them can be restored, too.")
    notes += _unknown(kept)
    return card.model_copy(update={"notes": (*card.notes, *notes)}) if notes else card


def kept_card(call: CommandContext, definition: DefinitionRef, kept: KeptVersion) -> Card:
    """The card of a version that its cloud does not list any more, and keeps."""
    line = _line(definition, kept)
    notes = (f"Restore it: `{call.prefix}{line}`",) if call.may(line) else ()
    since = () if kept.since is None else (Field(label="Deleted", value=f"{kept.since:%Y-%m-%d %H:%M} UTC"),)
    until = (
        () if kept.until is None else (Field(label="Kept until", value=f"{kept.until:%Y-%m-%d %H:%M} UTC"),)
    )
    return Card(
        title=f"{definition}/{kept.number}: deleted, and can be restored",
        fields=(*since, *until),
        notes=notes,
    )


def one_kept(call: CommandContext, card: Card, definition: DefinitionRef, kept: Kept, number: str) -> Card:
    """The card of one version with how it can be brought back, where it is disabled."""
    found = kept.find(number)
    return card if found is None else with_kept(call, card, definition, Kept((found,)))


def _by(call: CommandContext, definition: DefinitionRef, kept: KeptVersion) -> str:
    line = _line(definition, kept)
    return f": `{call.prefix}{line}`" if call.may(line) else ""


def _line(definition: DefinitionRef, kept: KeptVersion) -> str:
    return f"restore {definition}/{kept.number}"


def _unknown(kept: Kept) -> list[str]:
    if not kept.problem or kept.optional:
        return []
    return [f"What was deleted and can be restored is not known: {kept.problem}"]
