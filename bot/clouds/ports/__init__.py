"""What Slipway needs of a cloud. An adapter fulfils a port and knows nothing above it.

Every method may raise :class:`slipway.bot.core.errors.CloudError`. Every call has a timeout and a bounded number of
retries inside the adapter; a listing is complete (all pages) or an error, never a part.
"""

from __future__ import annotations

from typing import Protocol

from slipway.bot.clouds.model import (
    Definition,
    ImageVersion,
    Instance,
    LaunchSpec,
    MachineImage,
    Template,
    VersionNumber,
)


class Gallery(Protocol):
    """A gallery of image definitions and their versions (Azure Compute Gallery)."""

    async def definitions(self) -> tuple[Definition, ...]:
        """All image definitions, by name."""
        ...

    async def versions(self, definition: str) -> tuple[ImageVersion, ...]:
        """All versions of one definition, in any order; costs one call a page and none a version."""
        ...

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """One version as it is now; CloudError NOT_FOUND where there is none."""
        ...

    async def set_excluded(self, definition: str, number: VersionNumber, *, excluded: bool) -> None:
        """Set the exclude-from-latest flag of a version, and of every region that has a flag of its own.

        Reads, modifies and writes the whole publishing profile, and waits until the cloud has finished.
        """
        ...

    async def delete_version(self, definition: str, number: VersionNumber) -> None:
        """Delete one version and wait until it is gone; one that is gone already is no error."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Machines(Protocol):
    """Where machines are launched (EC2 in one region)."""

    @property
    def region(self) -> str:
        """The region all ids belong to."""
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
