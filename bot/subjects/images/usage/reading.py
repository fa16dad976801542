"""Reads what uses versions: for a plan, and again right before each removal."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.image_usage import TellsUsage
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import CloudError
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.usage.model import NOTHING_USED, Usage

_FRESH = timedelta(seconds=15)
"""So old a reading may be that a removal rests on: hundreds of removals share one, as none could ask by itself
without being throttled, and the clouds' own listings lag behind by as much."""


class UsageReader:
    """Asks galleries what uses their versions. What cannot be read is no error: it is told with the answer, and
    whoever asks keeps everything then.

    Args:
        clouds: have the galleries.
        spare: what was launched within this counts as used, where the cloud tells when that was.
        clock: the present.
    """

    def __init__(self, clouds: Clouds, spare: timedelta, clock: Clock) -> None:
        self._clouds = clouds
        self._spare = spare
        self._clock = clock
        self._begun: dict[str, tuple[datetime, Usage]] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def by(self, clouds: Clouds) -> UsageReader:
        """The same by other adapters for the same galleries."""
        return UsageReader(clouds, self._spare, self._clock)

    async def read(self, cloud: str) -> Usage:
        """What is in use now."""
        gallery = self._clouds.get(IMAGE_VERSIONS, cloud)
        if not isinstance(gallery, TellsUsage):
            return NOTHING_USED
        try:
            return Usage.of(await gallery.usage(self._clock() - self._spare))
        except CloudError as error:
            return Usage(problem=error.words)

    async def recent(self, cloud: str) -> Usage:
        """What was in use a moment ago: a reading that others have begun is waited for, and serves a while."""
        async with self._turns.setdefault(cloud, asyncio.Lock()):
            begun, usage = self._begun.get(cloud, (None, NOTHING_USED))
            now = self._clock()
            if begun is None or usage.problem or not begun <= now < begun + _FRESH:
                usage = await self.read(cloud)
                self._begun[cloud] = now, usage
            return usage
