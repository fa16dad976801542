"""What all accounts have, put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Instance, MachineImage
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.tags import owner_of, until_of

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases


@dataclass(frozen=True)
class Found:
    """One machine of this deployment: what the cloud has, and what is stored of it, if anything."""

    instance: Instance
    machine: Machine | None

    @property
    def owner(self) -> str:
        """Whose it is: what is stored decides, and its tags where nothing is."""
        return self.machine.owner if self.machine is not None else owner_of(self.instance)

    @property
    def until(self) -> datetime | None:
        """When its time is up, decided as :attr:`owner`; None where nobody set one."""
        if self.machine is None:
            return until_of(self.instance)
        return min(self.machine.lease_ends_at, self.machine.cap_ends_at)

    @property
    def launched_at(self) -> datetime:
        """Since when it is there."""
        return self.machine.launched_at if self.machine is not None else self.instance.launched_at

    def due(self, now: datetime) -> bool:
        """Whether its time is up."""
        until = self.until
        return until is not None and until <= now


async def all_instances(clouds: Clouds) -> tuple[Instance, ...]:
    """All machines of this deployment that are not gone, account by account.

    Raises:
        UserError: no cloud for machines is configured.
        CloudError: an account cannot be read.
    """
    found = await side_by_side(
        {name: machines.instances() for name, machines in clouds.each(MACHINES).items()}
    )
    return tuple(instance for instances in found.values() for instance in instances)


async def found_machines(clouds: Clouds, leases: Leases) -> tuple[Found, ...]:
    """All machines of this deployment that are not gone, each with what is stored of it.

    Raises:
        UserError: no cloud for machines is configured.
        CloudError: an account cannot be read.
    """
    instances = await all_instances(clouds)
    stored = {(each.cloud, each.instance_id): each for each in await leases.living()}
    return tuple(Found(each, stored.get((each.cloud, each.id))) for each in instances)


async def all_images(clouds: Clouds) -> tuple[MachineImage, ...]:
    """All images of the configured owners, account by account.

    Raises:
        UserError: no cloud for machines is configured.
        CloudError: an account cannot be read.
    """
    found = await side_by_side({name: machines.images() for name, machines in clouds.each(MACHINES).items()})
    return tuple(image for images in found.values() for image in images)
