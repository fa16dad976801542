"""Ids and timestamps that never repeat, and waiting for something to happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tests.slack.simulator.world import Clock, SimulatorError

T = TypeVar("T")


class UniqueIds:
    """Makes ids and timestamps that never repeat. A timestamp is the clock's moment, moved on where taken."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._last = 0
        self._count = 0

    def ts(self) -> str:
        """A message timestamp: seconds with six digits, greater than any before."""
        now = int(self.clock().timestamp() * 1_000_000)
        self._last = max(now, self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def id(self, prefix: str) -> str:
        """An id that begins with Slack's letters for its kind."""
        self._count += 1
        return f"{prefix}0SIM{self._count:06d}"

    def now(self) -> float:
        """The clock's moment in seconds since 1970."""
        return self.clock().timestamp()


class ChangeNotifier:
    """Tells of each change, so that waiting needs no polling."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Something changed."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def until(self, look: Callable[[], T | None], what: str, within: float = 10) -> T:
        """Wait until ``look`` gives something true, at most ``within`` seconds.

        Raises:
            SimulatorError: it did not come; the text says what was waited for.
        """
        try:
            async with asyncio.timeout(within):
                while not (found := look()):
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiting.add(waiter)
                    try:
                        await waiter
                    finally:
                        self._waiting.discard(waiter)
        except TimeoutError:
            raise SimulatorError(f"waited {within} s in vain for {what}") from None
        return found
