"""`!images DEFINITION --chart`: the versions by date, as a picture below the card that says the same."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.chat.model import Card
from slipway.bot.chat.pictures import MOST_PICTURES, Picture
from slipway.bot.clouds.model import VersionListing
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.timeline.charts import NoDrawingError
from slipway.bot.subjects.images.timeline.making import timeline_now
from slipway.commands.dispatch.context import CommandContext


async def charted(call: CommandContext, card: Card, versions: Mapping[DefinitionRef, VersionListing]) -> Card:
    """A card about definitions with a picture of each that has versions; where none can be drawn, with a note."""
    services, now = call.services.get(ImageServices), call.services.clock()
    holds = await services.holds.store.read()
    pictures: list[Picture] = []
    for definition, listing in versions.items():
        if not listing:
            continue
        timeline = await timeline_now(definition, listing, services, holds, now)
        try:
            pictures.append(await services.charts.draw(timeline))
        except NoDrawingError as error:
            return card.model_copy(update={"notes": (*card.notes, str(error))})
    return card.model_copy(update={"pictures": tuple(pictures[:MOST_PICTURES])})
