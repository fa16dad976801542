"""Reports at a press, on a person's own page."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Consequence, Shortcut
from slipway.bot.operations.declarations import HomeSection
from slipway.bot.operations.services import Services
from slipway.bot.people import Person

_OFFERED = {"Daily digest": "digest", "This week": "report weekly", "Last month": "report monthly"}


async def reports_section(services: Services, person: Person) -> tuple[Card, ...]:
    """Buttons: a report asks every cloud, and so is made when somebody wants it."""
    shortcuts = tuple(
        Shortcut(label=label, command=line, consequence=Consequence.NOTHING)
        for label, line in _OFFERED.items()
        if services.people.may(person, line.partition(" ")[0], changes=False)
    )
    return (Card(title="Reports", shortcuts=shortcuts),) if shortcuts else ()


PARTS = (HomeSection(reports_section),)
