"""What is read of galleries: the few questions that all else about images is made of.

Whoever shows galleries otherwise than they are, or asks them less often, stands before these, and passes on the rest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Definition, ImageVersion, VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_versions import (
    IMAGE_VERSIONS,
    ListsSeveral,
    VersionAbsentError,
    definitions_as_they_arrive,
)
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.subjects.images.definitions import DefinitionRef


class GalleryReader(Protocol):
    """Reads galleries. Each call may raise CloudError; a listing is whole."""

    def of(self, clouds: Clouds) -> GalleryReader:
        """The same by other adapters for the same galleries."""
        ...

    async def definitions(self, cloud: str) -> tuple[Definition, ...]:
        """All definitions of one gallery, by name."""
        ...

    def definition_pages(self, cloud: str) -> AsyncIterator[tuple[Definition, ...]]:
        """The same in pages as they arrive."""
        ...

    async def versions(self, definition: DefinitionRef) -> VersionListing:
        """All versions of one definition; of one with a problem none."""
        ...

    async def versions_of(self, definitions: Iterable[DefinitionRef]) -> dict[DefinitionRef, VersionListing]:
        """All versions of several. One listing that fails ends the others: a part of the truth is no ground for a
        plan."""
        ...

    async def version(self, definition: DefinitionRef, number: VersionNumber) -> ImageVersion | None:
        """One version with its copies; None where it is certain that there is none."""
        ...


class CloudReader:
    """Asks the galleries themselves, each time."""

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds

    def of(self, clouds: Clouds) -> CloudReader:
        """Asks these instead."""
        return CloudReader(clouds)

    async def definitions(self, cloud: str) -> tuple[Definition, ...]:
        """All definitions of one gallery."""
        return await self._clouds.each(IMAGE_VERSIONS)[cloud].definitions()

    async def definition_pages(self, cloud: str) -> AsyncIterator[tuple[Definition, ...]]:
        """The same in pages, where the gallery lists by pages."""
        async for page in definitions_as_they_arrive(self._clouds.each(IMAGE_VERSIONS)[cloud]):
            yield page

    async def versions(self, definition: DefinitionRef) -> VersionListing:
        """All versions of one definition: a listing."""
        if definition.problem:
            return VersionListing()
        return await self._clouds.get(IMAGE_VERSIONS, definition.cloud).versions(definition.name)

    async def versions_of(self, definitions: Iterable[DefinitionRef]) -> dict[DefinitionRef, VersionListing]:
        """All versions of several: one listing for all of a gallery that offers that, and of others side by side;
        adapters bound how many run at once."""
        wanted = tuple(dict.fromkeys(definitions))
        by_cloud: dict[str, list[DefinitionRef]] = {}
        for each in wanted:
            by_cloud.setdefault(each.cloud, []).append(each)
        parts = await side_by_side({cloud: self._of(cloud, here) for cloud, here in by_cloud.items()})
        listed = {each: versions for part in parts.values() for each, versions in part.items()}
        return {each: listed[each] for each in wanted}

    async def _of(self, cloud: str, wanted: Sequence[DefinitionRef]) -> dict[DefinitionRef, VersionListing]:
        gallery = self._clouds.get(IMAGE_VERSIONS, cloud)
        if len(wanted) == 1 or not isinstance(gallery, ListsSeveral):
            return await side_by_side({each: self.versions(each) for each in wanted})
        found = await gallery.versions_of_several([each.name for each in wanted if not each.problem])
        return {each: VersionListing() if each.problem else found[each.name] for each in wanted}

    async def version(self, definition: DefinitionRef, number: VersionNumber) -> ImageVersion | None:
        """One version as it is now: a call."""
        try:
            return await self._clouds.get(IMAGE_VERSIONS, definition.cloud).version(definition.name, number)
        except VersionAbsentError:
            return None


class Observation:
    """Looks at each thing once, for as long as one plan is made: what a plan says, and what it rests on, is one state
    of the galleries, and no call is made twice. Planned anew, all is looked at anew.

    What cannot be read is asked about again when it is asked for again.
    """

    def __init__(self, reader: GalleryReader) -> None:
        self._reader = reader
        self._definitions: dict[str, tuple[Definition, ...]] = {}
        self._listed: dict[DefinitionRef, VersionListing] = {}
        self._versions: dict[tuple[DefinitionRef, VersionNumber], ImageVersion | None] = {}

    def of(self, clouds: Clouds) -> Observation:
        """The same: what it has seen stays, whoever is asked for what it has not."""
        return self

    def known(self, definition: DefinitionRef, number: str) -> ImageVersion | None:
        """What is known of a version: as it was read, or else as it was listed; None where it was neither."""
        for each in self._listed.get(definition, ()):
            if str(each.number) == number:
                return self._versions.get((definition, each.number), each)
        return None

    async def definitions(self, cloud: str) -> tuple[Definition, ...]:
        """All definitions of one gallery."""
        if cloud not in self._definitions:
            self._definitions[cloud] = await self._reader.definitions(cloud)
        return self._definitions[cloud]

    async def definition_pages(self, cloud: str) -> AsyncIterator[tuple[Definition, ...]]:
        """The same in pages."""
        if cloud in self._definitions:
            yield self._definitions[cloud]
            return
        found: list[Definition] = []
        async for page in self._reader.definition_pages(cloud):
            found += page
            yield page
        self._definitions[cloud] = tuple(found)

    async def versions(self, definition: DefinitionRef) -> VersionListing:
        """All versions of one definition."""
        if definition not in self._listed:
            self._listed[definition] = await self._reader.versions(definition)
        return self._listed[definition]

    async def versions_of(self, definitions: Iterable[DefinitionRef]) -> dict[DefinitionRef, VersionListing]:
        """All versions of several."""
        wanted = tuple(dict.fromkeys(definitions))
        missing = [each for each in wanted if each not in self._listed]
        if missing:
            self._listed |= await self._reader.versions_of(missing)
        return {each: self._listed[each] for each in wanted}

    async def version(self, definition: DefinitionRef, number: VersionNumber) -> ImageVersion | None:
        """One version with its copies."""
        key = (definition, number)
        if key not in self._versions:
            self._versions[key] = await self._reader.version(definition, number)
        return self._versions[key]
