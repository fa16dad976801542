"""Moments on cards of operations: plans and steps have them by UTC, for what is agreed to is one text."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from slipway.bot.chat.model import Card
from slipway.bot.core.times import moments_in_zone


def by_clocks_of(zone: ZoneInfo, card: Card) -> Card:
    """A card with the moments of its plan and steps in the zone of all its other times."""

    def shown(text: str) -> str:
        return moments_in_zone(text, zone)

    tables = (
        table.model_copy(update={"rows": tuple(tuple(map(shown, row)) for row in table.rows)})
        for table in card.tables
    )
    fields = (each.model_copy(update={"value": shown(each.value)}) for each in card.fields)
    return card.model_copy(
        update={
            "title": shown(card.title),
            "text": shown(card.text),
            "fields": tuple(fields),
            "tables": tuple(tables),
            "notes": tuple(map(shown, card.notes)),
        }
    )
