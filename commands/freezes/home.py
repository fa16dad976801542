"""What is frozen, on a person's own page."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Tone
from slipway.bot.operations.declarations import HomeSection
from slipway.bot.operations.services import Services
from slipway.bot.people import Person


async def freezes_section(services: Services, person: Person) -> tuple[Card, ...]:
    """What is frozen now; nothing where nothing is."""
    if not services.people.may(person, "status", changes=False):
        return ()
    frozen = await services.freezes.all()
    if not frozen:
        return ()
    lines = "\n".join(f"{services.freezes.words.why(each)}." for each in frozen)
    return (Card(tone=Tone.WARNING, title="Changes are frozen", text=lines),)


PARTS = (HomeSection(freezes_section),)
