"""The bot's time in the suite."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipway.bot.core.times import system_clock


class ClockAhead:
    """The present, and as much later as a test wants; the platforms' own clocks stay."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead
