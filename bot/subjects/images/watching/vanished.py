"""Definitions that are not there any more. No operation of Slipway's removes one, so somebody else did."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import ValidationError

from slipway.bot.chat.model import Card, Tone
from slipway.bot.clouds.ports.image_versions import ImageVersions
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.model import Model

MOST_NAMED = 20
"""How many definitions a card names."""


class KnownDefinitions(Model):
    """The definitions of a gallery. Stored: names of fields stay.

    Attributes:
        names: as they were seen last.
        notices: how many times something was to be told.
        untold: which vanished, and were not told yet: it is stored before it is said, and taken away after.
    """

    names: tuple[str, ...] = ()
    notices: int = 0
    untold: tuple[str, ...] = ()


def read_known(kept: str | None) -> KnownDefinitions | None:
    """What was kept; None where there is nothing, or what another Slipway kept."""
    try:
        return None if kept is None else KnownDefinitions.model_validate_json(kept)
    except ValidationError:
        return None


def missing(before: Collection[str], now: Collection[str]) -> tuple[str, ...]:
    """What seems to have vanished. Where nothing is left of what was known, it is another gallery, or none: that says
    nothing of single definitions. Case does not count."""
    there = {name.casefold() for name in now}
    gone = tuple(sorted(name for name in before if name.casefold() not in there))
    return () if len(gone) == len(before) else gone


async def is_gone(gallery: ImageVersions, definition: str) -> bool:
    """Whether the cloud itself says, asked for it alone, that there is no such definition. What the configuration
    names no more was not deleted by that."""
    try:
        await gallery.versions(definition)
    except CloudError as error:
        return error.kind is CloudErrorKind.NOT_FOUND and bool(error.code)
    return False


def vanished_card(cloud: str, names: Collection[str], prefix: str) -> Card:
    """What vanished."""
    shown = sorted(names)[:MOST_NAMED]
    more = len(names) - len(shown)
    lines = [f"{name} is not there any more, with all its versions." for name in shown]
    what = f"The definition {shown[0]}" if len(names) == 1 else f"{len(names)} definitions"
    return Card(
        tone=Tone.WARNING,
        title=f"{what} vanished from {cloud}, and no operation of Slipway's did it",
        text="\n".join((*lines, *((f"And {more} more.",) if more else ()))),
        notes=(
            "Slipway removes no definitions, and cannot bring one back: whoever uploads makes it anew.",
            f"See what there is now: `{prefix}images`",
        ),
    )
