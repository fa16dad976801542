"""When a schedule ticks, and what is to be done about ticks that fell into a time when the bot was down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.config.settings import Missed, ScheduleSettings

ON_TIME = timedelta(minutes=1)
"""A tick that is handled this late still counts as handled on time."""

MOST_COUNTED = 1000
"""Missed ticks are counted up to this many; a message need not be more exact than that."""


@dataclass(frozen=True)
class Due:
    """What a schedule owes at a moment.

    Attributes:
        run: the tick to run now, if any; the newest one, however many were missed.
        skipped: how many ticks are given up, and so reported.
        newest: the newest tick that is hereby handled, run or not; None if nothing was due.
    """

    run: datetime | None = None
    skipped: int = 0
    newest: datetime | None = None


class Timetable:
    """The times of one schedule."""

    def __init__(self, settings: ScheduleSettings) -> None:
        from apscheduler.triggers.cron import CronTrigger

        self.settings = settings
        self._trigger = CronTrigger.from_crontab(settings.cron, timezone=settings.zone)

    def next(self, after: datetime) -> datetime | None:
        """The first tick later than this moment, in UTC; None if there is none any more."""
        moment = self._trigger.get_next_fire_time(after, after + timedelta(microseconds=1))
        return moment.astimezone(UTC) if moment else None

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The ticks later than ``after``, up to and including ``until``, oldest first."""
        moment = self.next(after)
        while moment is not None and moment <= until:
            yield moment
            moment = self.next(moment)

    def due(self, last: datetime, now: datetime) -> Due:
        """What is owed at ``now`` when the tick at ``last`` was the newest that was handled."""
        count, newest = 0, None
        # Nothing older than this is ever run, so walking a long absence minute by minute would be idle.
        for tick in self.between(max(last, now - self.settings.missed_within - timedelta(days=31)), now):
            newest, count = tick, count + 1
        if newest is None:
            return Due()
        late = now - newest
        if late <= ON_TIME:
            older = count - 1 if self.settings.missed is Missed.SKIP else 0
            return Due(run=newest, skipped=min(older, MOST_COUNTED), newest=newest)
        if self.settings.missed is Missed.CATCH_UP and late <= self.settings.missed_within:
            return Due(run=newest, newest=newest)
        return Due(skipped=min(count, MOST_COUNTED), newest=newest)
