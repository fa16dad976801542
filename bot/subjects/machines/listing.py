"""What all accounts have, put together."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Instance, MachineImage
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.core.concurrency import side_by_side


async def all_instances(clouds: Clouds) -> tuple[Instance, ...]:
    """All machines of this deployment that are not gone, account by account.

    Raises:
        UserError: no cloud for machines is configured.
        CloudError: an account cannot be read.
    """
    found = await side_by_side({name: machines.instances() for name, machines in _accounts(clouds).items()})
    return tuple(instance for instances in found.values() for instance in instances)


async def all_images(clouds: Clouds) -> tuple[MachineImage, ...]:
    """All images of the configured owners, account by account.

    Raises:
        UserError: no cloud for machines is configured.
        CloudError: an account cannot be read.
    """
    found = await side_by_side({name: machines.images() for name, machines in _accounts(clouds).items()})
    return tuple(image for images in found.values() for image in images)


def _accounts(clouds: Clouds) -> Mapping[str, Machines]:
    """The accounts by name; where none is configured, the one that says so when asked."""
    return clouds.all(MACHINES) or {"": clouds.only(MACHINES)}
