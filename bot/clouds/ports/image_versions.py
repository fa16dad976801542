"""Image versions: definitions, the versions published under each, and which of them may be latest."""

from __future__ import annotations

from typing import NoReturn, Protocol

from slipway.bot.clouds.capabilities import Capability
from slipway.bot.clouds.model import Definition, ImageVersion, VersionNumber
from slipway.bot.core.errors import UserError


class ImageVersions(Protocol):
    """Image definitions and their versions, such as a gallery holds them."""

    @property
    def title(self) -> str:
        """What people call it in a sentence, such as ``Azure``."""
        ...

    async def definitions(self) -> tuple[Definition, ...]:
        """All image definitions, by name."""
        ...

    async def versions(self, definition: str) -> tuple[ImageVersion, ...]:
        """All versions of one definition, in any order; costs one call a page and none a version."""
        ...

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """One version as it is now; CloudError NOT_FOUND where there is none."""
        ...

    async def set_promoted(self, definition: str, number: VersionNumber, *, promoted: bool) -> None:
        """Let a version be latest in every region of it, or in none, and wait until the cloud has finished.

        Nothing else of the version changes.
        """
        ...

    async def delete_version(self, definition: str, number: VersionNumber) -> None:
        """Delete one version and wait until it is gone; one that is gone already is no error."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class NotConfiguredImageVersions:
    """Stands where no gallery is configured, or none of the name that was asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def title(self) -> str:
        """The name that was asked for."""
        return self._name

    async def definitions(self) -> tuple[Definition, ...]:
        """Raises UserError."""
        self._refuse()

    async def versions(self, definition: str) -> tuple[ImageVersion, ...]:
        """Raises UserError."""
        self._refuse()

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """Raises UserError."""
        self._refuse()

    async def set_promoted(self, definition: str, number: VersionNumber, *, promoted: bool) -> None:
        """Raises UserError."""
        self._refuse()

    async def delete_version(self, definition: str, number: VersionNumber) -> None:
        """Raises UserError."""
        self._refuse()

    async def close(self) -> None:
        """Holds nothing to let go of."""

    def _refuse(self) -> NoReturn:
        if self._name:
            raise UserError(
                f"There is no image gallery {self._name}: slipway.toml has no [{self._name}] table for one."
            )
        raise UserError(
            "This Slipway has no image gallery: slipway.toml has no table of a cloud that holds one."
        )


IMAGE_VERSIONS: Capability[ImageVersions] = Capability("image versions", NotConfiguredImageVersions)
