"""What is latest now, read from the galleries."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.image_ids import ImageId, NamesImages, NamesPublicly
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.publishing.document import LatestImage, Stream
from slipway.bot.subjects.images.versions import latest_by_region, promoted_by_region

Key = tuple[str, str]
"""A cloud, and the folded name of a definition there."""


class Reading:
    """Reads what is latest.

    Args:
        clouds: have the galleries.
        catalogue: lists versions.
    """

    def __init__(self, clouds: Clouds, catalogue: Catalogue) -> None:
        self._clouds = clouds
        self._catalogue = catalogue

    async def definitions(self) -> dict[Key, tuple[DefinitionRef, str]]:
        """Every definition of every gallery, with its architecture in the cloud's own word.

        Raises:
            CloudError: one cannot be read, or lists none, which no working gallery does.
        """
        galleries = self._clouds.all(IMAGE_VERSIONS)
        listed = await side_by_side({cloud: each.definitions() for cloud, each in galleries.items()})
        for cloud, found in listed.items():
            if not found:
                sentence = "It lists no image definition at all."
                raise CloudError(CloudErrorKind.UNEXPECTED_ANSWER, cloud=cloud, sentence=sentence)
        return {
            (cloud, each.name.casefold()): (DefinitionRef(cloud, each.name), each.architecture)
            for cloud, found in listed.items()
            for each in found
            if not each.problem
        }

    async def streams(
        self, definitions: Mapping[Key, tuple[DefinitionRef, str]], wanted: Collection[Key]
    ) -> dict[Key, tuple[Stream, bool]]:
        """What is latest of these definitions; with whether copies are still under way, so that it will change.

        Raises:
            CloudError: one cannot be read.
        """
        return await side_by_side({key: self._stream(*definitions[key]) for key in wanted})

    async def _stream(self, definition: DefinitionRef, architecture: str) -> tuple[Stream, bool]:
        listed = await self._catalogue.versions(definition)
        versions = (await self._catalogue.with_copies({definition: listed}))[definition]
        latest = latest_by_region(versions)
        gallery: object = self._clouds.get(IMAGE_VERSIONS, definition.cloud)
        ids: dict[str, Mapping[str, ImageId]] = {}
        if isinstance(gallery, NamesImages):
            chosen = {str(each.number): each for each in latest.values()}
            ids = await side_by_side({name: gallery.image_ids(each) for name, each in chosen.items()})
        named = {region: ids.get(str(each.number), {}).get(region) for region, each in latest.items()}
        images = tuple(
            LatestImage(
                region,
                str(each.number),
                found.id if (found := named[region]) else None,
                gallery.public_ids(each) if isinstance(gallery, NamesPublicly) else (),
            )
            for region, each in latest.items()
        )
        told = {found.architecture for found in named.values() if found is not None and found.architecture}
        architecture = architecture or min(told, default="")
        settling = {region: each.number for region, each in promoted_by_region(versions).items()} != {
            region: each.number for region, each in latest.items()
        }
        return Stream(definition.name, definition.cloud, architecture, images), settling
