"""What everything about machines works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Instance, MachineImage
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.machines.listing import all_images, all_instances
from slipway.bot.subjects.machines.settings import ProfileSettings


@dataclass(frozen=True)
class MachineServices:
    """What planners, executors, commands and home sections about machines are given.

    Attributes:
        clouds: the adapters; profiles and steps name theirs.
        profiles: ``[profiles.NAME]``, in the configuration's order.
        clock: the present.
        polling: how long a change may take to show.
    """

    clouds: Clouds
    profiles: Mapping[str, ProfileSettings]
    clock: Clock
    polling: Polling

    async def instances(self) -> tuple[Instance, ...]:
        """As :func:`slipway.bot.subjects.machines.listing.all_instances`."""
        return await all_instances(self.clouds)

    def could_be_image_id(self, text: str) -> bool:
        """Whether a configured cloud writes ids of images so; asks nobody."""
        return any(each.could_be_image_id(text) for each in self.clouds.all(MACHINES).values())

    def could_be_instance_id(self, text: str) -> bool:
        """Whether a configured cloud writes ids of machines so; asks nobody. Any text may be one where none is
        configured: then that is what has to be said."""
        clouds = self.clouds.all(MACHINES).values()
        return not clouds or any(each.could_be_instance_id(text) for each in clouds)

    async def images(self) -> tuple[MachineImage, ...]:
        """As :func:`slipway.bot.subjects.machines.listing.all_images`."""
        return await all_images(self.clouds)
