"""Which versions of images there are to be tested, as whoever tests them asks.

An interface for the subject of images to fulfil, and for every other to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.core.interfaces import Interface


@dataclass(frozen=True, order=True)
class VersionName:
    """One version of one definition in one cloud.

    Attributes:
        cloud: the account that has it, such as ``azure.staging``.
        definition: its definition.
        version: its number, such as ``43.20261101.0``.
    """

    cloud: str
    definition: str
    version: str

    def __str__(self) -> str:
        return f"{self.definition}/{self.version}"


class ImageCandidates(Protocol):
    """Finds versions."""

    async def version_of(self, image: MachineImage) -> VersionName | None:
        """The version that an image is; None where it is none of any gallery.

        Raises:
            CloudError: that cannot be looked up.
        """
        ...

    async def image_id(self, version: VersionName, region: str) -> str | None:
        """What a launch in a region names to get a version; None where that is not known, or it is not there.

        Raises:
            CloudError: that cannot be looked up.
        """
        ...

    async def named(self, text: str) -> tuple[VersionName, ...]:
        """The version that ``DEFINITION/VERSION`` means, or the newest candidate that ``DEFINITION`` has, in each
        cloud that has it; empty where no definition is called so.

        Raises:
            UserError: it means several definitions, or the definition has no such version, or no candidate.
            CloudError: a gallery cannot be read.
        """
        ...

    async def nearest(self, text: str) -> tuple[str, ...]:
        """What somebody may have meant who typed a name that no definition has, best first.

        Raises:
            CloudError: a gallery cannot be read.
        """
        ...

    async def untested(self) -> tuple[VersionName, ...]:
        """Of each definition the newest candidate, where no boot test of it is known to have passed or failed.

        Raises:
            CloudError: a gallery cannot be read.
        """
        ...


class NoImageCandidates:
    """Where no subject knows of versions."""

    async def version_of(self, _image: MachineImage) -> VersionName | None:
        """None."""
        return None

    async def image_id(self, _version: VersionName, _region: str) -> str | None:
        """None."""
        return None

    async def named(self, _text: str) -> tuple[VersionName, ...]:
        """None is called so."""
        return ()

    async def nearest(self, _text: str) -> tuple[str, ...]:
        """None."""
        return ()

    async def untested(self) -> tuple[VersionName, ...]:
        """None."""
        return ()


IMAGE_CANDIDATES: Interface[ImageCandidates] = Interface("versions to test", NoImageCandidates())
