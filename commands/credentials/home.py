"""A person's credentials that need them, on their own page."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Tone
from slipway.bot.operations.declarations import HomeSection
from slipway.bot.operations.services import Services
from slipway.bot.people import Person
from slipway.bot.reports.model import ReportView
from slipway.bot.reports.periods import last_day
from slipway.bot.subjects.credentials.sections import ending_table, look_at_credentials
from slipway.bot.subjects.credentials.services import CredentialServices


async def credentials_section(services: Services, person: Person) -> tuple[Card, ...]:
    """What ended or ends soon of what is theirs, by what the watch saw last; nothing where all is well."""
    if not services.people.may(person, "credentials", changes=False):
        return ()
    if not services.get(CredentialServices).inventory.entries:
        return ()
    now, cards = services.clock(), services.cards
    period = last_day(now)
    view = ReportView(now, period, cards.zone, cards.prefix, cards.name)
    found = await look_at_credentials(services, period)
    own = {person.id, *(f"role:{role}" for role in person.roles)}
    mine = [each for each in found.ending if each.owner in own]
    if not mine:
        return ()
    title = f"{len(mine)} of your credentials end{'s' if len(mine) == 1 else ''}, or ended"
    return (Card(tone=Tone.WARNING, title=title, tables=(ending_table(mine, view),)),)


PARTS = (HomeSection(credentials_section, asks=True),)
