"""A person's machines, on their own page."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Tone
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.errors import CloudError
from slipway.bot.operations.declarations import HomeSection
from slipway.bot.operations.services import Services
from slipway.bot.people import Person
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.machines.instances import instance_table, machine_shortcuts


async def machines_section(services: Services, person: Person) -> tuple[Card, ...]:
    """This person's machines, each with ways to let it live longer and to end it."""
    if not services.clouds.all(MACHINES) or not services.people.may(person, "instances", changes=False):
        return ()
    try:
        found = await services.get(MachineServices).found()
    except CloudError as error:
        return (Card(tone=Tone.FAILED, title="Your machines could not be looked up", text=error.words),)
    mine = sorted((each for each in found if each.owner == person.id), key=lambda each: each.launched_at)
    if not mine:
        return (Card(title="You have no machines"),)
    may = services.people.may
    shortcuts = tuple(
        each for each in machine_shortcuts(mine) if may(person, each.command.partition(" ")[0], changes=True)
    )
    return (Card(title="Your machines", tables=(instance_table(mine, services),), shortcuts=shortcuts),)


PARTS = (HomeSection(machines_section),)
