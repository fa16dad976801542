"""The timeline of a definition as it is now."""

from __future__ import annotations

from datetime import datetime

from slipway.bot.clouds.model import VersionListing
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.holds.model import Holds
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.timeline.facts import Timeline, timeline_of


async def timeline_now(
    definition: DefinitionRef,
    listing: VersionListing,
    images: ImageServices,
    holds: Holds,
    now: datetime,
) -> Timeline:
    """The timeline of a definition.

    Args:
        definition: which.
        listing: all its versions.
        images: tell which of them were rolled back, and which are called bad.
        holds: tell which of them are held.
        now: the present.
    """
    pins = [Pin.of(definition, each) for each in listing]
    back = await images.history.rolled_back(pins)
    known = await images.evidence.standing(pins)
    return timeline_of(
        str(definition),
        listing,
        now,
        rolled_back={pin.version for pin in back},
        held={pin.version for pin in pins if holds.on(pin, now)},
        bad={pin.version for pin in pins if (found := known.get(pin.target)) and found.bad is not None},
    )
