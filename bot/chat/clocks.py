"""Whether the bot's clock agrees with those of the chat platforms.

Ages of messages, approvals and images are told by the bot's clock, so one that is wrong makes fresh messages look
old, or old ones fresh. The platforms' answers say by their ``Date`` what time it is there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from slipway.bot.core.times import Clock, format_span

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


def clock_problem(platform: str, ahead: timedelta | None) -> str:
    """What is wrong with the bot's clock, by a platform's, as two sentences; empty where nothing is known to be."""
    if ahead is None or abs(ahead) < WRONG_BY:
        return ""
    where = "ahead of" if ahead > timedelta() else "behind"
    then = "new messages there look old" if ahead > timedelta() else "old messages there look new"
    return (
        f"This machine's clock is {format_span(abs(ahead))} {where} that of {platform.title()}, so {then}. "
        "Set it, and let it be kept right (NTP)."
    )


def is_fresh(sent_at: datetime, now: datetime, ahead: timedelta | None, max_age: timedelta) -> bool:
    """Whether something that looks old by the bot's clock is not, by the clock of the platform that it came from."""
    return ahead is not None and ahead >= WRONG_BY and now - ahead - sent_at <= max_age
