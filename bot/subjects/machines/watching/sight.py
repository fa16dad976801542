"""What one look of the watch sees in the clouds, and how it tells people."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from slipway.bot.chat.model import Card, Consequence, Shortcut
from slipway.bot.clouds.machine_model import Instance
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.core.errors import CloudError
from slipway.bot.operations.watches import WatchHost
from slipway.bot.subjects.machines.leases.model import Machine, operation_named
from slipway.bot.subjects.machines.services import MachineServices

REMEMBERED = timedelta(days=1)
"""What was said of a machine that is gone for longer stays as it is."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sight:
    """What was seen.

    Attributes:
        now: when.
        instances: all machines of this deployment, by account and id.
        regions: the accounts and their regions whose machines these are all of; an account that could not be read is
            not among them.
        rested: since when each machine rested by what was stored before the look, by account and id.
    """

    now: datetime
    instances: Mapping[tuple[str, str], Instance]
    regions: Mapping[str, frozenset[str]]
    rested: Mapping[tuple[str, str], datetime | None]

    def of(self, machine: Machine) -> Instance | None:
        """A machine as its cloud has it; None where it was not seen."""
        return self.instances.get((machine.cloud, machine.instance_id))

    def missing(self, machine: Machine) -> bool:
        """Whether it was not seen though all machines of its region were."""
        return machine.region in self.regions.get(machine.cloud, frozenset()) and self.of(machine) is None

    def older_than_stored(self, machine: Machine) -> bool:
        """Whether it was stopped or started since the look began, so that what was seen may not be so any more."""
        return self.rested.get((machine.cloud, machine.instance_id)) != machine.stopped_at


async def look_around(services: MachineServices) -> Sight:
    """List every account once. One that cannot be read is logged, and left out."""
    rested = {(each.cloud, each.instance_id): each.stopped_at for each in await services.leases.living()}
    accounts = services.clouds.all(MACHINES)
    found = await asyncio.gather(*(_listed(name, machines) for name, machines in accounts.items()))
    read = {name: instances for name, instances in found if instances is not None}
    return Sight(
        services.clock(),
        {(each.cloud, each.id): each for instances in read.values() for each in instances},
        {name: frozenset(accounts[name].regions) for name in read},
        rested,
    )


async def _listed(name: str, machines: Machines) -> tuple[str, tuple[Instance, ...] | None]:
    try:
        return name, await machines.instances()
    except CloudError as error:
        log.warning("machines could not be looked after", cloud=name, why=error.words)
        return name, None


class Teller:
    """Tells owners of their machines, in the thread of the launch or else to them alone.

    Args:
        host: says it.
    """

    def __init__(self, host: WatchHost) -> None:
        self._host = host

    async def tell(self, key: str, card: Card, owner: str, reservation_id: str | None) -> None:
        """Say something, or edit what was said with that key; nobody misses it: who has no account in the room of the
        launch is spoken to alone."""
        launch = None if reservation_id is None else operation_named(reservation_id)
        spot = await self._host.spot_of(launch) if launch is not None else None
        mentions = self._host.mention(owner, spot.room) if spot is not None else ()
        if spot is not None:
            await self._host.say(key, card.model_copy(update={"mentions": mentions}), spot)
        if not mentions and not await self._host.say_alone(key, card, owner) and spot is None:
            log.warning("nobody could be told of a machine", owner=owner, title=card.title)


@dataclass(frozen=True)
class Offer:
    """Something that whoever is told may do next.

    Attributes:
        right: what it takes.
        words: what it does, before the line in a note.
        line: the line, without its prefix.
        label: of its button; empty for none.
    """

    right: str
    words: str
    line: str
    label: str = ""
    consequence: Consequence = Consequence.ORDINARY


def offering(services: MachineServices, card: Card, person_id: str, *offers: Offer) -> Card:
    """A card with notes and buttons for what somebody may do; nothing is named that they may not."""
    people = services.people
    person = people.by_id(person_id)
    held = [each for each in offers if people.may(person, each.right, changes=True)]
    return card.model_copy(
        update={
            "notes": (*card.notes, *(f"{each.words}: `{services.prefix}{each.line}`" for each in held)),
            "shortcuts": tuple(
                Shortcut(label=each.label, command=each.line, consequence=each.consequence)
                for each in held
                if each.label
            ),
        }
    )


def group_of(machine: Machine) -> str:
    """What is told of together: the machines of one launch, or one that was taken in."""
    return machine.reservation_id or machine.place


def names(machines: Iterable[Machine]) -> str:
    """Ids as words of a line."""
    return " ".join(sorted(each.instance_id for each in machines))
