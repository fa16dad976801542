"""What everything about images works with."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.settings import RetentionSettings


@dataclass(frozen=True)
class ImageServices:
    """What planners, executors, commands and home sections about images are given.

    Attributes:
        clouds: the adapters; steps name theirs.
        catalogue: reads all galleries.
        history: which versions were rolled back.
        retention: what a clean-up keeps, and whose versions are ours.
        clock: the present.
        polling: how long a change may take to show.
    """

    clouds: Clouds
    catalogue: Catalogue
    history: RollbackHistory
    retention: RetentionSettings
    clock: Clock
    polling: Polling
