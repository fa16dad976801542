"""How soon Azure is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from slipway.bot.clouds.throttling import USUAL_PATIENCE, Patience
from slipway.bot.core.waiting import Sleep


@dataclass(frozen=True)
class RetryTiming:
    """How soon to ask again, where Azure does not say: after a failure (doubling), and while it works; and how long
    is held up what it throttles, reads and changes each by themselves.

    Attributes:
        backoff: before the second try.
        polling: between two looks at what Azure is working on.
        patience: with a throttle; it lets time pass by itself, as tests own each.
        sleep: lets time pass between tries and looks.
        clock: seconds, of whatever beginning, for the pace of deletions.
    """

    backoff: timedelta = timedelta(seconds=0.8)
    polling: timedelta = timedelta(seconds=5)
    patience: Patience = USUAL_PATIENCE
    sleep: Sleep = asyncio.sleep
    clock: Callable[[], float] = monotonic

    @classmethod
    def by(cls, sleep: Sleep, budget: timedelta = USUAL_PATIENCE.budget) -> RetryTiming:
        """The usual one, where all time passes by ``sleep``; ``budget`` is of the patience with a throttle."""
        return cls(patience=Patience(budget=budget, sleep=sleep), sleep=sleep)
