"""When a schedule ticks, and what is to be done about ticks that fell into a time when the bot was down. Pure."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from slipway.bot.config.current import CurrentSettings
from slipway.bot.config.settings import Missed, ScheduleSettings
from slipway.bot.core.cron import CronTimes

ON_TIME = timedelta(minutes=1)
"""A tick that is handled this late still counts as handled on time."""

MOST_COUNTED = 1000
"""Missed ticks are counted up to this many; a message need not be more exact than that."""

_WIDEST_SHIFT = timedelta(hours=3)
"""No zone moves its clocks further than this when summer begins or ends (two hours, in Antarctica/Troll)."""

_MINUTE = timedelta(minutes=1)


class Timetables:
    """The schedules of the configuration that counts.

    Args:
        current: holds it.
    """

    def __init__(self, current: CurrentSettings) -> None:
        self._current = current
        self._of: tuple[ScheduleSettings, ...] = ()
        self._enabled: tuple[Timetable, ...] = ()

    @property
    def enabled(self) -> tuple[Timetable, ...]:
        """When those run that are enabled, in the order of the configuration."""
        entries = self._current.settings.schedule
        if entries is not self._of:
            self._enabled = tuple(Timetable(entry) for entry in entries if entry.enabled)
            self._of = entries
        return self._enabled

    @property
    def names(self) -> tuple[str, ...]:
        """What all are called, the others, too."""
        return tuple(entry.name for entry in self._current.settings.schedule)


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
    the first time only. In the night when clocks go forward, a time that does not exist ticks right after the
    clocks moved, so that no nightly run is lost. It is otherwise where the hours before and behind are the
    schedule's, too: then its runs go on at their distance, so that one of every hour runs 25 times, or 23. (Debian's
    cron has the same two rules, and goes by whether the hour is written as ``*``.)

    With a jitter, each tick is later by up to that, in whole minutes: always the same for the same tick, so that a
    restart changes nothing.
    """

    def __init__(self, settings: ScheduleSettings) -> None:
        self.settings = settings
        self._times = CronTimes.of(settings.cron)
        hours = self._times.hours
        self._hourly = frozenset(hour for hour in hours if {(hour - 1) % 24, (hour + 1) % 24} <= hours)

    def next(self, after: datetime) -> datetime | None:
        """The first tick later than this moment, in UTC; None if there is none any more."""
        return next(self.after(after), None)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The ticks later than ``after``, up to and including ``until``, oldest first."""
        for moment in self.after(after):
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
        if self.settings.missed is Missed.CATCH_UP and late <= self.settings.max_late:
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

    def after(self, after: datetime) -> Iterator[datetime]:
        """All ticks later than a moment, oldest first."""
        # Where clocks change, the order on the wall is not the order in time: what is found waits until
        # nothing found later can come before it.
        waiting: list[datetime] = []
        told = after
        begin = after - _WIDEST_SHIFT - (self.settings.jitter or timedelta())
        for wall in self._times.after(begin.astimezone(self.settings.zone).replace(tzinfo=None, fold=0)):
            moments = self._moments(wall)
            for moment in moments:
                heapq.heappush(waiting, moment + self._delay(moment))
            while waiting and waiting[0] <= moments[0] - _WIDEST_SHIFT:
                moment = heapq.heappop(waiting)
                if moment > told:
                    told = moment
                    yield moment
        yield from sorted({moment for moment in waiting if moment > told})

    def _moments(self, wall: datetime) -> tuple[datetime, ...]:
        """When, in UTC, this time of the wall clock ticks, by the rules of the class."""
        first, second = (
            wall.replace(tzinfo=self.settings.zone, fold=fold).astimezone(UTC) for fold in (0, 1)
        )
        hourly = wall.hour in self._hourly
        if first > second and not hourly:  # the wall clock passes it over
            return (_change(self.settings.zone, second, first),)
        return (first, second) if hourly and second > first else (first,)

    def _delay(self, tick: datetime) -> timedelta:
        """By how much a tick is later than its time, by the jitter."""
        if self.settings.jitter is None:
            return timedelta()
        most = self.settings.jitter // _MINUTE
        digest = hashlib.sha256(f"{self.settings.name} {tick.isoformat()}".encode()).digest()
        return int.from_bytes(digest[:8]) % (most + 1) * _MINUTE


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """When the clocks of a zone were moved, to the minute: a moment between two whose offsets differ."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _MINUTE:
        middle = before + (after - before) // _MINUTE // 2 * _MINUTE
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def upcoming(timetables: Iterable[Timetable], now: datetime) -> tuple[tuple[str, datetime], ...]:
    """Each schedule's name and next tick, soonest first."""
    times = [(each.settings.name, moment) for each in timetables if (moment := each.next(now)) is not None]
    return tuple(sorted(times, key=lambda each: each[1]))
