"""The fence of a replica: it may act until some time after it renewed its lease last."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from enum import StrEnum

from slipway.bot.core.fencing import LeadershipLostError
from slipway.bot.core.uptime import system_uptime

Elapsed = Callable[[], float]
"""Seconds by a clock that nobody sets, and that goes on while the machine sleeps."""


def system_elapsed() -> float:
    """The machine's uptime."""
    return system_uptime().seconds


class Standing(StrEnum):
    """How a process stands to the others."""

    FOLLOWING = "following"
    LEADING = "leading"
    LOST = "lost"


class LeaseFence:
    """Fulfils :class:`slipway.bot.core.fencing.Fence` by a lease that has to be renewed.

    Args:
        elapsed: tells how much time has passed.
    """

    def __init__(self, elapsed: Elapsed = system_elapsed) -> None:
        self._elapsed = elapsed
        self._standing = Standing.FOLLOWING
        self._epoch = 0
        self._until = 0.0
        self._changed = asyncio.Event()
        self._condition = threading.Condition()

    @property
    def standing(self) -> Standing:
        """How this process stands, as far as it knows."""
        return self._standing

    @property
    def epoch(self) -> int:
        """The number of its lease; 0 where it has none."""
        return self._epoch

    @property
    def certain(self) -> bool:
        """Whether it leads, and no other can."""
        return self._standing is Standing.LEADING and self._elapsed() < self._until

    def lead(self, epoch: int, until: float) -> None:
        """The lease of this number was taken, and holds until then by :data:`Elapsed`."""
        self._epoch = epoch
        self._set(Standing.LEADING, until)

    def renewed(self, until: float) -> None:
        """The lease holds until then."""
        self._set(self._standing, until)

    def lose(self) -> None:
        """The lease is another's, or was given back: nothing passes any more."""
        self._set(Standing.LOST, 0.0)

    async def held(self) -> None:
        """Return while the lease certainly holds; wait where it has to be renewed first.

        Raises:
            LeadershipLostError: it is not ours.
        """
        while not self._is_held():
            await self._changed.wait()

    def held_in_thread(self) -> None:
        """The same as :meth:`held` for another thread."""
        with self._condition:
            while not self._is_held():
                self._condition.wait()

    async def undisputed(self) -> None:
        """As :meth:`held`, where a lease was ever held."""
        if self._standing is not Standing.FOLLOWING:
            await self.held()

    def _is_held(self) -> bool:
        if self._standing is not Standing.LEADING:
            raise LeadershipLostError("another replica works")
        return self._elapsed() < self._until

    def _set(self, standing: Standing, until: float) -> None:
        with self._condition:
            self._standing, self._until = standing, until
            self._condition.notify_all()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
