"""The section of a person's own page that tells what the clock does next."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Field
from slipway.bot.core.times import format_time
from slipway.bot.operations.declarations import HomeSection
from slipway.bot.operations.services import Services
from slipway.bot.people import Person


async def schedules_section(services: Services, person: Person) -> tuple[Card, ...]:
    """When each schedule runs next, and what it says then."""
    upcoming = services.upcoming()
    if not upcoming or not services.people.may(person, "status", changes=False):
        return ()
    commands = {entry.name: entry.command for entry in services.settings.schedule}
    fields = tuple(
        Field(label=name, value=f"{format_time(moment, services.cards.zone)}: `{commands[name]}`")
        for name, moment in upcoming
    )
    return (Card(title="Next scheduled runs", fields=fields),)


PARTS = (HomeSection(schedules_section),)
