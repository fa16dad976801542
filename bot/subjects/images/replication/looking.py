"""Asks for the copies of the versions that matter for what is latest: a listing does not tell of them.

One call a version is what it costs, so only few are asked about: those that launches would resolve to by their flags,
and where one of these is not there yet, the next ones behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_versions import ImageVersions, RegionalReplication, VersionAbsentError
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.versions import latest_by_region, newest_latest

_NEVER = datetime.min.replace(tzinfo=UTC)


async def with_copies(
    read: Callable[[VersionNumber], Coroutine[Any, Any, ImageVersion | None]],
    versions: VersionListing,
    also: Iterable[VersionNumber] = (),
) -> VersionListing:
    """A listing in which all versions that are latest somewhere are known to be there.

    A version that is gone since it was listed is left out; one of which it is known already how far its copies are is
    not asked about again.

    Args:
        read: reads one version with its copies; None where it is gone.
        versions: what is listed.
        also: what else of it is asked about.

    Raises:
        CloudError: one cannot be read.
    """
    held = {each.number: each for each in versions}
    asked = {each.number for each in versions if copies_known(each)}
    wanted = {number for number in also if number in held} - asked
    while wanted := (wanted | {each.number for each in latest_by_region(held.values()).values()}) - asked:
        found = await side_by_side({number: read(number) for number in wanted})
        for number, version in found.items():
            if version is None:
                del held[number]
            else:
                held[number] = version
        asked |= wanted
        wanted = set()
    return VersionListing(tuple(held.values()), versions.unreadable)


async def with_copies_in(
    gallery: ImageVersions, definition: str, versions: VersionListing, also: Iterable[VersionNumber] = ()
) -> VersionListing:
    """The same, as a gallery has it now; the listing as it is where that does not copy versions by itself."""
    if not isinstance(gallery, RegionalReplication):
        return versions

    async def read(number: VersionNumber) -> ImageVersion | None:
        try:
            return await gallery.version(definition, number)
        except VersionAbsentError:
            return None

    return await with_copies(read, versions, also)


def copies_known(version: ImageVersion) -> bool:
    """Whether its cloud was asked how far the copy in each of its regions is, and told it."""
    return bool(version.regions) and all(region.replication is not None for region in version.regions)


def newest_first_asked(listed: Mapping[DefinitionRef, VersionListing], most: int) -> list[DefinitionRef]:
    """The definitions whose copies are worth asking about where there are very many: those whose newest promoted
    version was published last, since copies take hours, at most so many; none that has no promoted version."""
    tops = [(ref, top) for ref, versions in listed.items() if (top := newest_latest(versions)) is not None]
    tops.sort(key=lambda each: (each[1].published_at or _NEVER, each[0].name), reverse=True)
    return [ref for ref, _ in tops[:most]]
