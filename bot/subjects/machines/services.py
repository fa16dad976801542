"""What everything about machines works with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Instance, MachineImage
from slipway.bot.clouds.ports.image_evidence import IMAGE_EVIDENCE
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.interfaces import Interfaces
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.people import People, Person
from slipway.bot.subjects.machines.keys.key_services import KeyServices
from slipway.bot.subjects.machines.launching.executor import LaunchLedger
from slipway.bot.subjects.machines.launching.planner import Requesters
from slipway.bot.subjects.machines.launching.prices import PriceSettings
from slipway.bot.subjects.machines.leases.allowance import Allowance
from slipway.bot.subjects.machines.leases.editor import LeaseEditor
from slipway.bot.subjects.machines.leases.held import Holdings
from slipway.bot.subjects.machines.leases.limits import LimitSettings
from slipway.bot.subjects.machines.leases.settings import LeaseSettings
from slipway.bot.subjects.machines.listing import Found, all_instances, found_machines
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.steps import LaunchMachines
from slipway.bot.subjects.machines.testing.settings import TestingSettings
from slipway.bot.subjects.machines.testing.steps import LaunchForTest

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.persistence.repository import OperationRepository
    from slipway.bot.store.memory import ChatMemory
    from slipway.bot.subjects.machines.leases.repository import Leases


@dataclass(frozen=True)
class MachineServices:
    """What planners, executors, commands and home sections about machines are given.

    Attributes:
        clouds: the adapters; profiles and steps name theirs.
        profiles: ``[profiles.NAME]``, in the configuration's order.
        leases: what is reserved, and until when each machine lives.
        limits: ``[limits]``.
        rules: ``[leases]``.
        operations: what became of launches.
        deployment: the name by which machines are tagged.
        prefix: what commands start with.
        memory: what has no machine to be noted with.
        prices: ``[prices]``.
        people: who there is, and which roles they hold.
        clock: the present.
        polling: how long a change may take to show.
        keys: people's public keys.
        interfaces: what other subjects give.
        testing: ``[testing]``.
    """

    clouds: Clouds
    profiles: Mapping[str, ProfileSettings]
    leases: Leases
    limits: LimitSettings
    rules: LeaseSettings
    operations: OperationRepository
    deployment: str
    prefix: str
    memory: ChatMemory
    prices: PriceSettings
    people: People
    clock: Clock
    polling: Polling
    keys: KeyServices
    interfaces: Interfaces
    testing: TestingSettings

    @property
    def holdings(self) -> Holdings:
        """Finds the machines that somebody names."""
        return Holdings(self.clouds, self.leases, self.people)

    @property
    def editor(self) -> LeaseEditor:
        """Changes leases and the tags that mirror them."""
        return LeaseEditor(self.clouds, self.leases)

    @property
    def allowance(self) -> Allowance:
        """What the limits leave to people."""
        return Allowance(self.leases, self.limits, self.people)

    @property
    def ledger(self) -> LaunchLedger:
        """Where launches are counted and noted."""
        return LaunchLedger(self.leases, self.allowance.check)

    @property
    def requesters(self) -> Requesters:
        """Those who ask for machines."""
        return Requesters(self._person, self.keys.checker.usable, self.allowance.left)

    def _person(self, person: str) -> Person | None:
        return self.people.by_id(person)

    async def evidence(self, image: MachineImage) -> tuple[str, ...]:
        """What is recorded about an image, by whichever subject records that."""
        return await self.interfaces.get(IMAGE_EVIDENCE).of(image)

    async def image_names(self, found: Iterable[Found]) -> Mapping[str, str]:
        """What the images of machines are called, by their ids, as far as the launches that are known say it."""
        known = (each.machine.operation_id for each in found if each.machine is not None)
        names: dict[str, str] = {}
        for operation_id in dict.fromkeys(filter(None, known)):
            operation = await self.operations.find(operation_id)
            steps = operation.plan.steps if operation is not None else ()
            names |= {
                each.image_id: each.image_name
                for each in steps
                if isinstance(each, LaunchMachines | LaunchForTest)
            }
        return names

    async def instances(self) -> tuple[Instance, ...]:
        """As :func:`slipway.bot.subjects.machines.listing.all_instances`."""
        return await all_instances(self.clouds)

    async def found(self) -> tuple[Found, ...]:
        """As :func:`slipway.bot.subjects.machines.listing.found_machines`."""
        return await found_machines(self.clouds, self.leases)

    def could_be_image_id(self, text: str) -> bool:
        """Whether a configured cloud writes ids of images so; asks nobody."""
        return any(each.could_be_image_id(text) for each in self.clouds.all(MACHINES).values())

    def could_be_instance_id(self, text: str) -> bool:
        """Whether a configured cloud writes ids of machines so; asks nobody. Any text may be one where none is
        configured: then that is what has to be said."""
        clouds = self.clouds.all(MACHINES).values()
        return not clouds or any(each.could_be_instance_id(text) for each in clouds)
