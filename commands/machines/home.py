"""A person's machines, on their own page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from slipway.bot.chat.model import Card, Field, Tone
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.operations.declarations import HomeSection
from slipway.bot.operations.services import Services
from slipway.bot.people import Person
from slipway.bot.subjects.machines.listing import Found, found_by_account
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.machines.instances import image_in_words, machine_shortcuts, until_in_words

MOST_MACHINES = 8
"""Cards of machines, of four blocks each: with what waits and what the clock does next, they fit into Slack's 100."""

_NEVER = datetime.max.replace(tzinfo=UTC)


async def machines_section(services: Services, person: Person) -> tuple[Card, ...]:
    """This person's machines of all accounts, those whose time is up first, each with what can be done with it.

    An account that cannot be read is told of; the machines of the others are shown all the same.
    """
    if not services.clouds.all(MACHINES) or not services.people.may(person, "instances", changes=False):
        return ()
    machines = services.get(MachineServices)
    found, failures = await found_by_account(machines.clouds, machines.leases)
    troubles = tuple(_unread(services, account, error.words) for account, error in failures.items())
    mine = sorted(
        (each for each in found if each.owner == person.id),
        key=lambda each: (each.until or _NEVER, each.launched_at, each.instance.id),
    )
    if not mine:
        return troubles or (Card(title="You have no machines"),)
    head = Card(title=f"Your machines: {len(mine)}")
    images = await machines.image_names(mine[:MOST_MACHINES])
    cards = tuple(_card(services, person, each, images) for each in mine[:MOST_MACHINES])
    return (*troubles, head, *cards, *_others(mine[MOST_MACHINES:]))


def _unread(services: Services, account: str, why: str) -> Card:
    title = services.clouds.get(MACHINES, account).title
    return Card(tone=Tone.FAILED, title=f"Your machines in {title} could not be looked up", text=why)


def _card(services: Services, person: Person, found: Found, images: Mapping[str, str]) -> Card:
    may, due = services.people.may, found.due(services.clock())
    shortcuts = tuple(
        each
        for each in machine_shortcuts(found, services)
        if may(person, each.command.partition(" ")[0], changes=True)
    )
    return Card(
        tone=Tone.WARNING if due else Tone.INFO,
        title=f"{found.instance.id} is {found.instance.state.value}",
        fields=tuple(
            Field(label=label, value=value) for label, value in _facts(services, found, images) if value
        ),
        shortcuts=shortcuts,
    )


def _facts(services: Services, found: Found, images: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    instance = found.instance
    yield "Until", until_in_words(found, services)
    yield "Address", instance.address
    yield "Image", image_in_words(found, images)
    cloud = services.clouds.get(MACHINES, instance.cloud).title
    yield "Machine", f"{instance.instance_type} on {cloud} in {instance.region}"


def _others(rest: list[Found]) -> Iterator[Card]:
    if rest:
        yield Card(title=f"{len(rest)} more machines", text="`instances` in a channel lists all of them.")


PARTS = (HomeSection(machines_section),)
