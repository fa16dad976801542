"""Waiting with a bound: look, pause, look again, and give up after so many looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

Sleep = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass. Injected, so that tests own time."""

T = TypeVar("T")


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
