"""What a gallery may offer besides: the ids by which programs launch its versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from slipway.bot.clouds.model import ImageVersion


@dataclass(frozen=True, slots=True)
class ImageId:
    """What a program names to launch a version, such as an AMI's id; and its architecture in the cloud's own word,
    empty where that is not known."""

    id: str
    architecture: str = ""


@runtime_checkable
class NamesImages(Protocol):
    """A gallery that knows what a program names to launch a version."""

    async def image_ids(self, version: ImageVersion) -> Mapping[str, ImageId]:
        """What a launch in each region names to get this version, by the region's name. A region of which that is not
        known is left out.

        Raises:
            CloudError: it cannot be looked up.
        """
        ...


@runtime_checkable
class NamesPublicly(Protocol):
    """A gallery whose versions have ids by which everybody may launch them, beside those for its own account."""

    def public_ids(self, version: ImageVersion) -> tuple[str, ...]:
        """These ids of a version, as they are configured; none where it is known by no public name."""
        ...
