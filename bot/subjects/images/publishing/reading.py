"""What is latest now, read from the galleries."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, ReplicationState, VersionNumber
from slipway.bot.clouds.ports.image_ids import ImageId, NamesImages, NamesPublicly
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, VersionAbsentError
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.model import Json
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.publishing.document import LatestImage, Stream, release_in
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
        self,
        definitions: Mapping[Key, tuple[DefinitionRef, str]],
        wanted: Collection[Key],
        published: Mapping[str, Json] | None = None,
    ) -> dict[Key, tuple[Stream, bool]]:
        """What is latest of these definitions; with whether copies are still under way, so that it will change.

        Args:
            definitions: what there is.
            wanted: which of them.
            published: the document of before.

        Raises:
            CloudError: one cannot be read; or it lists nothing, though what was published is there.
        """
        return await side_by_side({key: self._stream(*definitions[key], published) for key in wanted})

    async def _check_empty(self, definition: DefinitionRef, published: Mapping[str, Json] | None) -> None:
        """Refuse a listing without versions where it is not so that what was latest is gone.

        Raises:
            CloudError: UNEXPECTED_ANSWER then.
        """
        release = release_in(published, definition.name, definition.cloud)
        if release is None:
            return
        gallery = self._clouds.get(IMAGE_VERSIONS, definition.cloud)
        try:
            await gallery.version(definition.name, VersionNumber.parse(release))
        except VersionAbsentError:
            return
        sentence = f"It lists no versions of {definition}, though {release} is there."
        raise CloudError(CloudErrorKind.UNEXPECTED_ANSWER, cloud=definition.cloud, sentence=sentence)

    async def _stream(
        self, definition: DefinitionRef, architecture: str, published: Mapping[str, Json] | None
    ) -> tuple[Stream, bool]:
        listed = await self._catalogue.versions(definition)
        if not (listed.versions or listed.unreadable):
            await self._check_empty(definition, published)
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
        settling = any(
            region not in latest or latest[region].number != each.number
            for region, each in promoted_by_region(versions).items()
            if not _has_failed(each, region)
        )
        return Stream(definition.name, definition.cloud, architecture, images), settling


def _has_failed(version: ImageVersion, region: str) -> bool:
    """Whether the copy in a region failed, so that it does not come by itself: whoever has it made again is seen."""
    return any(
        each.replication is not None and each.replication.state is ReplicationState.FAILED
        for each in version.regions
        if each.name == region
    )
