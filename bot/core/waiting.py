"""Waiting with a bound: between looks at something that takes a while, and after failures."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

Sleep = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass. Injected, so that tests own time."""

T = TypeVar("T")

_CHANCE = random.SystemRandom()


@dataclass(frozen=True)
class Polling:
    """How long something is watched: at most ``looks`` looks with ``pause`` seconds between them."""

    looks: int = 12
    pause: float = 5.0
    sleep: Sleep = asyncio.sleep

    async def until(self, look: Callable[[], Awaitable[T]], enough: Callable[[T], bool]) -> T:
        """Look until what is seen is enough, or patience ends; either way, what was seen last."""
        seen = await look()
        for _ in range(self.looks - 1):
            if enough(seen):
                break
            await self.sleep(self.pause)
            seen = await look()
        return seen


@dataclass
class Backoff:
    """How long to wait after the n-th failure in a row: each time twice as long, up to a bound.

    Attributes:
        first: seconds after the first failure.
        longest: seconds after many.
        longest_asked: seconds that whoever refused may ask for; more is not believed.
        jitter: the share of each wait that is left to chance, so that not all who failed come back at once.
        failures: how many there were since the last success.
    """

    first: float = 1.0
    longest: float = 60.0
    longest_asked: float = 300.0
    jitter: float = 0.5
    failures: int = field(default=0, init=False)

    def next(self, asked: float = 0.0) -> float:
        """Count a failure, and say how many seconds to wait now: no fewer than were ``asked`` for, within reason."""
        wait = min(self.longest, self.first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return max(wait * _CHANCE.uniform(1 - self.jitter, 1), min(asked, self.longest_asked))

    def reset(self) -> None:
        """After a success."""
        self.failures = 0


async def first_of(*waits: Awaitable[object]) -> None:
    """Wait until one of several has ended; the others are cancelled then. What the ended one raised comes out."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
