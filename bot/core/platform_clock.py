"""What another's answers tell of this machine's clock, by their ``Date``."""

from __future__ import annotations

from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

from slipway.bot.core.times import Clock

WRONG_BY = timedelta(minutes=1)
"""A smaller difference changes nothing that the bot decides."""

_SECOND = timedelta(seconds=1)


class PlatformClock:
    """What is known of a platform's clock from its newest answer.

    Args:
        clock: the bot's own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead: timedelta | None = None
        """How far the bot's clock is ahead of the platform's; negative where it is behind, None before an answer."""

    def note(self, date: str | None, took: timedelta = timedelta()) -> None:
        """Compare with the ``Date`` header of an answer that has just come.

        It was written at some moment while the answer was awaited, and leaves fractions of its second out, so it
        leaves so much open; what it leaves open is no difference.

        Args:
            date: the header; one that cannot be read says nothing.
            took: how long the answer was awaited.
        """
        try:
            there = parsedate_to_datetime(date or "")
        except (ValueError, OverflowError):  # or a date of a year that no calendar has
            return
        now = self._clock()
        least = now - took - (there if there.tzinfo else there.replace(tzinfo=UTC)) - _SECOND
        most = least + took + _SECOND
        self.ahead = least if least > timedelta() else min(most, timedelta())
