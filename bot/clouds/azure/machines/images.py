"""Images of the gallery as machines are launched from them: versions, by definition and number.

A definition's name means what Azure would launch of it in the region now; a plan holds the number that it found.
"""

from __future__ import annotations

import asyncio

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.machines import names
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.model import Definition, ImageVersion, VersionListing, VersionState
from slipway.bot.core.errors import CloudErrorKind

_USUAL_ARCHITECTURE = "x64"
"""Of a definition that names none. Source: “Create an image definition and an image version”."""


class GalleryImages:
    """The gallery's versions as images.

    Args:
        gallery: the account's.
        account: for errors.
        owner: what people call the gallery.
    """

    def __init__(self, gallery: AzureGallery, account: AzureAccount, owner: str) -> None:
        self._gallery = gallery
        self._account = account
        self._owner = owner

    async def latest(self, region: str) -> tuple[MachineImage, ...]:
        """One image for each definition: the version that is latest in the region. Where none is, the newest one,
        which says so and is not launched by the definition's name."""
        definitions = [each for each in await self._gallery.definitions() if not each.problem]
        listings = await asyncio.gather(*(self._gallery.versions(each.name) for each in definitions))
        found = (
            self._latest_of(definition, listing, region)
            for definition, listing in zip(definitions, listings, strict=True)
        )
        return tuple(each for each in found if each is not None)

    async def image(self, image_id: str, region: str) -> MachineImage:
        """One version by its id.

        Raises:
            CloudError: NOT_FOUND where there is none.
        """
        found = names.read_image_id(image_id)
        if found is None:
            raise self._account.error(
                CloudErrorKind.NOT_FOUND,
                f"{self._account.title} has no image {image_id}: its images are called DEFINITION/VERSION.",
            )
        name, number = found
        version, definitions = await asyncio.gather(
            self._gallery.version(name, number), self._gallery.definitions()
        )
        # Names of definitions are alike in any case; the listing has them as they were made.
        known = next((each for each in definitions if each.name.casefold() == name.casefold()), None)
        if known is None:
            raise self._account.error(
                CloudErrorKind.NOT_FOUND, f"{self._account.title} has no image definition {name}."
            )
        return self._image(known, version, region)

    def _latest_of(self, definition: Definition, listing: VersionListing, region: str) -> MachineImage | None:
        whole = sorted(
            (each for each in listing if each.state is VersionState.SUCCEEDED),
            key=lambda each: each.number,
            reverse=True,
        )
        latest = next((each for each in whole if region in each.launch_regions), None)
        if latest is not None:
            return self._image(definition, latest, region)
        if not whole:
            return None
        return self._image(definition, whole[0], region, why_not=f"not promoted in {region}")

    def _image(
        self, definition: Definition, version: ImageVersion, region: str, why_not: str = ""
    ) -> MachineImage:
        there = any(each.name == region for each in version.regions)
        if version.state is not VersionState.SUCCEEDED:
            why_not = f"in the state {version.state_title}"
        elif not there:
            why_not = f"not in {region}"
        return MachineImage(
            id=names.image_id(definition.name, version.number),
            name=definition.name,
            architecture=definition.architecture or _USUAL_ARCHITECTURE,
            state=why_not or version.state_title,
            owner=self._owner,
            region=region,
            created_at=version.published_at,
            deprecated_at=version.end_of_life,
            cloud=self._account.name,
            launchable=not why_not,
        )
