"""What all accounts have, put together."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Instance, MachineImage
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.concurrency import side_by_side


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


async def all_images(clouds: Clouds) -> tuple[MachineImage, ...]:
    """All images of the configured owners, account by account.

    Raises:
        UserError: no cloud for machines is configured.
        CloudError: an account cannot be read.
    """
    found = await side_by_side({name: machines.images() for name, machines in clouds.each(MACHINES).items()})
    return tuple(image for images in found.values() for image in images)
