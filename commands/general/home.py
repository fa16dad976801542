"""What one person may want to see at a glance, as cards: for Slack's App Home, and whatever has such a place.

A feature adds its section here, in :data:`SECTIONS`, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slipway.bot.chat.model import Card, Field, Platform, Shortcut, Table, Tone
from slipway.bot.core.errors import CloudError
from slipway.bot.core.times import format_time
from slipway.bot.machines.tags import owner_of
from slipway.bot.operations.cards import operation_card
from slipway.bot.operations.model import OperationState
from slipway.bot.people import Person
from slipway.commands.dispatch.context import Services
from slipway.commands.machines.instances import instance_row

Section = Callable[[Services, Person], Awaitable[tuple[Card, ...]]]


MOST_PENDING = 5
"""Cards of operations; more would leave no room for the other sections (Slack: 100 blocks)."""


async def pending_section(services: Services, person: Person) -> tuple[Card, ...]:
    """What waits for an approval, with buttons; of much, what came first."""
    if not services.people.may(person, "pending", changes=False):
        return ()
    waiting = await services.operations.in_states((OperationState.PROPOSED,))
    if not waiting:
        return (Card(tone=Tone.DONE, title="Nothing waits for an approval"),)
    cards = tuple(operation_card(operation, services.view) for operation in waiting[:MOST_PENDING])
    if len(waiting) == len(cards):
        return cards
    title = f"{len(waiting) - len(cards)} more wait for an approval"
    return (*cards, Card(tone=Tone.WAITING, title=title, text="`pending` lists all of them."))


async def machines_section(services: Services, person: Person) -> tuple[Card, ...]:
    """This person's machines, each with a way to end it."""
    if services.ec2 is None or not services.people.may(person, "instances", changes=False):
        return ()
    try:
        found = await services.machines.instances()
    except CloudError as error:
        return (Card(tone=Tone.FAILED, title="Your machines could not be looked up", text=error.sentence),)
    mine = sorted((each for each in found if owner_of(each) == person.id), key=lambda each: each.launched_at)
    if not mine:
        return (Card(title="You have no machines"),)
    columns = ("ID", "Of", "State", "Type", "Address", "Until")
    rows = tuple(instance_row(each, services) for each in mine)
    shortcuts = tuple(Shortcut(label=f"Terminate {each.id}", command=f"terminate {each.id}") for each in mine)
    return (Card(title="Your machines", tables=(Table(columns=columns, rows=rows),), shortcuts=shortcuts),)


async def schedules_section(services: Services, person: Person) -> tuple[Card, ...]:
    """When each schedule runs next, and what it says then."""
    upcoming = services.upcoming()
    if not upcoming or not services.people.may(person, "status", changes=False):
        return ()
    commands = {entry.name: entry.command for entry in services.settings.schedule}
    fields = tuple(
        Field(label=name, value=f"{format_time(moment, services.view.zone)}: `{commands[name]}`")
        for name, moment in upcoming
    )
    return (Card(title="Next scheduled runs", fields=fields),)


SECTIONS: tuple[Section, ...] = (pending_section, machines_section, schedules_section)


async def home(services: Services, platform: Platform, account: str) -> tuple[Card, ...]:
    """Every section, for whoever has this account; a stranger is told how to become known."""
    person = services.people.by_account(platform, account)
    if person is None:
        text = f"Whoever runs Slipway can add `{platform}:{account}` to a person in slipway.toml."
        return (Card(title="I do not know you", text=text),)
    cards: list[Card] = []
    for section in SECTIONS:
        cards += await section(services, person)
    return tuple(cards)
