"""When a schedule ticks, and what is to be done about ticks that fell into a time when the bot was down."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from slipway.bot.config.settings import Missed, ScheduleSettings

ON_TIME = timedelta(minutes=1)
"""A tick that is handled this late still counts as handled on time."""

MOST_COUNTED = 1000
"""Missed ticks are counted up to this many; a message need not be more exact than that."""

_WIDEST_SHIFT = timedelta(hours=3)
"""No zone moves its clocks further than this when summer begins or ends (two hours, in Antarctica/Troll)."""

_EVERY_HOUR = frozenset({"*", "*/1"})


@dataclass(frozen=True)
class Due:
    """What a schedule owes at a moment.

    Attributes:
        run: the tick to run now, if any; the newest one, however many were missed.
        skipped: how many ticks are given up, and so reported.
        newest_skipped: the newest of these.
        newest: the newest tick that is hereby handled, run or not; None if nothing was due.
    """

    run: datetime | None = None
    skipped: int = 0
    newest: datetime | None = None
    newest_skipped: datetime | None = None


class Timetable:
    """The times of one schedule.

    They are times of its zone's wall clock. In the night when clocks go back, a time that comes twice ticks
    the first time only, unless the schedule is one of every hour. In the night when clocks go forward, a time
    that does not exist ticks later by as much as the clocks moved, so that no nightly run is lost.
    """

    def __init__(self, settings: ScheduleSettings) -> None:
        from apscheduler.triggers.cron import CronTrigger

        self.settings = settings
        # It only walks the wall clock, so it is told nothing of the zone. Given one, it answers differently
        # around a change of clocks depending on the moment it starts from, and can pass a nightly run over.
        self._wall = CronTrigger.from_crontab(settings.cron, timezone=UTC)
        self._every_hour = settings.cron.split()[1] in _EVERY_HOUR

    def next(self, after: datetime) -> datetime | None:
        """The first tick later than this moment, in UTC; None if there is none any more."""
        return next(self._after(after), None)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The ticks later than ``after``, up to and including ``until``, oldest first."""
        for moment in self._after(after):
            if moment > until:
                return
            yield moment

    def due(self, last: datetime, now: datetime) -> Due:
        """What is owed at ``now`` when everything up to ``last`` was handled."""
        newest = self._newest(last, now)
        if newest is None:
            return Due()
        count = sum(1 for _ in islice(self.between(last, now), MOST_COUNTED + 1))
        late = now - newest
        if late <= ON_TIME:
            older = count - 1 if self.settings.missed is Missed.SKIP else 0
            before = self._newest(last, newest - timedelta(minutes=1)) if older else None
            return Due(newest, min(older, MOST_COUNTED), newest, before)
        if self.settings.missed is Missed.CATCH_UP and late <= self.settings.missed_within:
            return Due(run=newest, newest=newest)
        return Due(skipped=min(count, MOST_COUNTED), newest=newest, newest_skipped=newest)

    def _newest(self, after: datetime, until: datetime) -> datetime | None:
        """The last tick of a span. Looks back from its end, so a long absence costs no more than a short one."""
        span, whole = timedelta(hours=1), until - after
        while True:
            newest = None
            for moment in self.between(until - min(span, whole), until):
                newest = moment
            if newest is not None or span >= whole:
                return newest
            span *= 4

    def _after(self, after: datetime) -> Iterator[datetime]:
        """All ticks later than a moment, oldest first."""
        # Where clocks change, the order on the wall is not the order in time: what is found waits until
        # nothing found later can come before it.
        waiting: list[datetime] = []
        told = after
        for wall in self._walls((after - _WIDEST_SHIFT).astimezone(self.settings.zone)):
            moments = self._moments(wall)
            for moment in moments:
                heapq.heappush(waiting, moment)
            while waiting and waiting[0] <= moments[0] - _WIDEST_SHIFT:
                moment = heapq.heappop(waiting)
                if moment > told:
                    told = moment
                    yield moment
        yield from sorted({moment for moment in waiting if moment > told})

    def _walls(self, local: datetime) -> Iterator[datetime]:
        """The times on the wall clock later than a local time, without a zone."""
        wall: datetime | None = local.replace(tzinfo=UTC, fold=0)
        while wall is not None:
            wall = self._wall.get_next_fire_time(wall, wall + timedelta(microseconds=1))
            if wall is not None:
                yield wall.replace(tzinfo=None)

    def _moments(self, wall: datetime) -> tuple[datetime, ...]:
        """When, in UTC, the wall clock shows this; a time that it passes over counts as shown later."""
        first, second = (
            wall.replace(tzinfo=self.settings.zone, fold=fold).astimezone(UTC) for fold in (0, 1)
        )
        return (first, second) if self._every_hour and second > first else (first,)


def upcoming(timetables: Iterable[Timetable], now: datetime) -> tuple[tuple[str, datetime], ...]:
    """Each schedule's name and next tick, soonest first."""
    times = [(each.settings.name, moment) for each in timetables if (moment := each.next(now)) is not None]
    return tuple(sorted(times, key=lambda each: each[1]))
