"""What is wrong, on a person's own page."""

from __future__ import annotations

from slipway.bot.chat.model import Card
from slipway.bot.operations.declarations import HomeSection
from slipway.bot.operations.services import Services
from slipway.bot.people import Person
from slipway.bot.problems.cards import list_card

MOST_SHOWN = 10


async def problems_section(services: Services, person: Person) -> tuple[Card, ...]:
    """What nobody sees to; nothing where all is well, or where somebody sees to each."""
    if not services.people.may(person, "problems", changes=False):
        return ()
    now = services.clock()
    entries = [each for each in await services.problems.open_problems() if each.standing(now) is None]
    if not entries:
        return ()
    return (list_card(entries[:MOST_SHOWN], services.problem_view, now),)


PARTS = (HomeSection(problems_section, asks=True),)
