"""Machines: images and templates to launch them from, launching, looking, terminating."""

from __future__ import annotations

from typing import NoReturn, Protocol

from slipway.bot.clouds.capabilities import Capability
from slipway.bot.clouds.model import Instance, LaunchSpec, MachineImage, Template
from slipway.bot.core.errors import UserError


class Machines(Protocol):
    """Where machines are launched: one account in one region."""

    @property
    def title(self) -> str:
        """What people call it in a sentence, such as ``EC2``."""
        ...

    @property
    def region(self) -> str:
        """The region all ids belong to."""
        ...

    def could_be_image_id(self, text: str) -> bool:
        """Whether this is how the cloud writes ids of images, rather than a name; asks nobody."""
        ...

    def could_be_instance_id(self, text: str) -> bool:
        """Whether this, written in small letters, is how the cloud writes ids of machines; asks nobody."""
        ...

    async def images(self) -> tuple[MachineImage, ...]:
        """All images of the configured owners."""
        ...

    async def image(self, image_id: str) -> MachineImage:
        """One image by id; CloudError NOT_FOUND where there is none or its owner is not configured."""
        ...

    async def template(self, name: str, version: int | None = None) -> Template:
        """A launch template by name, at this version or else its default one, resolved to a number."""
        ...

    async def template_names(self) -> tuple[str, ...]:
        """The names of all launch templates in the region, in order."""
        ...

    async def instances(self) -> tuple[Instance, ...]:
        """All machines that carry this deployment's tag and are not gone."""
        ...

    async def instance(self, instance_id: str) -> Instance:
        """One machine by id, gone ones included while the cloud still shows them; NOT_FOUND otherwise."""
        ...

    async def launched_with(self, token: str) -> tuple[Instance, ...]:
        """The machines that the launch with this token made, gone ones included, however long ago it can tell."""
        ...

    async def launch(self, spec: LaunchSpec, token: str) -> tuple[Instance, ...]:
        """Launch machines once for one token (at most 64 ASCII characters), tagged with deployment and token."""
        ...

    async def terminate(self, instance_id: str) -> None:
        """Terminate one machine; one that is going or gone already is no error. Does not wait for its end."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class NotConfiguredMachines:
    """Stands where no cloud for machines is configured, or none of the name that was asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def title(self) -> str:
        """The name that was asked for."""
        return self._name

    @property
    def region(self) -> str:
        """Raises UserError."""
        self._refuse()

    def could_be_image_id(self, text: str) -> bool:
        """No text is an id here."""
        return False

    def could_be_instance_id(self, text: str) -> bool:
        """No text is an id here."""
        return False

    async def images(self) -> tuple[MachineImage, ...]:
        """Raises UserError."""
        self._refuse()

    async def image(self, image_id: str) -> MachineImage:
        """Raises UserError."""
        self._refuse()

    async def template(self, name: str, version: int | None = None) -> Template:
        """Raises UserError."""
        self._refuse()

    async def template_names(self) -> tuple[str, ...]:
        """Raises UserError."""
        self._refuse()

    async def instances(self) -> tuple[Instance, ...]:
        """Raises UserError."""
        self._refuse()

    async def instance(self, instance_id: str) -> Instance:
        """Raises UserError."""
        self._refuse()

    async def launched_with(self, token: str) -> tuple[Instance, ...]:
        """Raises UserError."""
        self._refuse()

    async def launch(self, spec: LaunchSpec, token: str) -> tuple[Instance, ...]:
        """Raises UserError."""
        self._refuse()

    async def terminate(self, instance_id: str) -> None:
        """Raises UserError."""
        self._refuse()

    async def close(self) -> None:
        """Holds nothing to let go of."""

    def _refuse(self) -> NoReturn:
        if self._name:
            raise UserError(
                f"No machines can be launched in {self._name}: slipway.toml has no [{self._name}] table for them."
            )
        raise UserError("This Slipway launches no machines: slipway.toml has no table of a cloud that can.")


MACHINES: Capability[Machines] = Capability("machines", NotConfiguredMachines)
