"""One look at all galleries, for everything that watches them: read once, however many ask."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import VersionListing
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.definitions import DefinitionRef

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Surveyed:
    """What was there.

    Attributes:
        began: when the look began.
        listings: the versions of each definition that could be listed; nothing of one that could not.
        blind: the galleries whose definitions could not be listed, and why.
        unread: the definitions whose versions could not be, and why.
    """

    began: datetime
    listings: Mapping[DefinitionRef, VersionListing]
    blind: Mapping[str, CloudError]
    unread: Mapping[DefinitionRef, CloudError]


class Survey:
    """Lists every definition of every gallery, and its versions.

    Args:
        clouds: have the galleries.
        clock: the present.
    """

    def __init__(self, clouds: Clouds, clock: Clock) -> None:
        self._clouds = clouds
        self._clock = clock
        self._reading = asyncio.Lock()
        self._last: Surveyed | None = None

    async def read(self, not_older: timedelta = timedelta(0)) -> Surveyed:
        """What is there. A look that began within ``not_older`` will do; without, another one is begun, unless one
        that began after this was asked for has ended meanwhile."""
        asked = self._clock()
        async with self._reading:
            last = self._last
            if last is not None and asked - not_older <= last.began <= self._clock():
                return last
            self._last = await self._read()
            return self._last

    async def _read(self) -> Surveyed:
        began, galleries = self._clock(), self._clouds.all(IMAGE_VERSIONS)
        named = await side_by_side({cloud: _names(cloud, each) for cloud, each in galleries.items()})
        blind = {cloud: each for cloud, each in named.items() if isinstance(each, CloudError)}
        refs = [
            DefinitionRef(cloud, name, qualified=len(galleries) > 1)
            for cloud, names in named.items()
            if not isinstance(names, CloudError)
            for name in names
        ]
        read = await side_by_side({ref: _listing(ref, galleries[ref.cloud]) for ref in refs})
        listings = {ref: each for ref, each in read.items() if not isinstance(each, CloudError)}
        unread = {ref: each for ref, each in read.items() if isinstance(each, CloudError)}
        return Surveyed(began, listings, blind, unread)


async def _names(cloud: str, gallery: ImageVersions) -> tuple[str, ...] | CloudError:
    try:
        return tuple(each.name for each in await gallery.definitions() if not each.problem)
    except CloudError as error:
        log.warning("a gallery could not be watched", cloud=cloud, problem=error.words)
        return error


async def _listing(ref: DefinitionRef, gallery: ImageVersions) -> VersionListing | CloudError:
    try:
        return await gallery.versions(ref.name)
    except CloudError as error:
        log.warning("a definition could not be watched", definition=str(ref), problem=error.words)
        return error
