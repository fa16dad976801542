"""The time in tests: when they happen, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from slipway.bot.core.uptime import Uptime
from slipway.bot.core.waiting import Polling

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""When tests happen, unless they say otherwise."""


async def no_wait(seconds: float) -> None:
    """A pause that passes at once: what is looked at next does not change with time."""


POLL_AT_ONCE = Polling(looks=3, pause=0, sleep=no_wait)


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


class FakeUptime:
    """A machine's uptime that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = Uptime("first", 1_000.0)

    def __call__(self) -> Uptime:
        return self.now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.now = Uptime(self.now.boot, self.now.seconds + by.total_seconds())

    def boot(self) -> None:
        """Boot the machine anew."""
        self.now = Uptime(f"after {self.now.boot}", self.now.seconds + 1.0)


def uptime_beside(clock: Callable[[], datetime]) -> Callable[[], Uptime]:
    """The uptime of a machine whose clock nobody sets: as much time passes by the one as by the other."""
    return lambda: Uptime("first", 1_000_000.0 + (clock() - NOW).total_seconds())
