"""A person's machines, on their own page."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Shortcut, Table, Tone
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.errors import CloudError
from slipway.bot.operations.declarations import HomeSection
from slipway.bot.operations.services import Services
from slipway.bot.people import Person
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.tags import owner_of
from slipway.commands.machines.instances import instance_row


async def machines_section(services: Services, person: Person) -> tuple[Card, ...]:
    """This person's machines, each with a way to end it."""
    if not services.clouds.all(MACHINES) or not services.people.may(person, "instances", changes=False):
        return ()
    try:
        found = await services.get(MachineServices).instances()
    except CloudError as error:
        return (Card(tone=Tone.FAILED, title="Your machines could not be looked up", text=error.words),)
    mine = sorted((each for each in found if owner_of(each) == person.id), key=lambda each: each.launched_at)
    if not mine:
        return (Card(title="You have no machines"),)
    columns = ("ID", "Of", "State", "Type", "Address", "Until")
    rows = tuple(instance_row(each, services) for each in mine)
    shortcuts = tuple(Shortcut(label=f"Terminate {each.id}", command=f"terminate {each.id}") for each in mine)
    return (Card(title="Your machines", tables=(Table(columns=columns, rows=rows),), shortcuts=shortcuts),)


PARTS = (HomeSection(machines_section),)
