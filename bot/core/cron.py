"""When a schedule fires: the five cron fields, checked so that they mean one thing only.

The accepted language is a part of what APScheduler's ``CronTrigger.from_crontab`` understands, and means the same.
Weekdays are written by name, since cron counts them from Sunday and APScheduler from Monday. Where both a day and a
weekday are given, both must hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_IN = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # at most
_NAMES = re.compile(r"([a-z]+)(?:-([a-z]+))?")
_NUMBERS = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)


@dataclass(frozen=True)
class _Field:
    name: str
    first: int
    last: int
    right: str
    names: Mapping[str, int] = field(default_factory=dict)
    numbers: bool = True


_FIELDS = (
    _Field("minute", 0, 59, "0 to 59, like 0, */15 or 0,30"),
    _Field("hour", 0, 23, "0 to 23, like 9, 8-18 or */2"),
    _Field("day", 1, 31, "1 to 31 or last, like 1, 1-7 or *", {"last": 31}),
    _Field("month", 1, 12, "1 to 12 or jan to dec, like 1-6 or *", {n: i for i, n in enumerate(_MONTHS, 1)}),
    _Field(
        "weekday",
        0,
        6,
        "mon to sun by name, like mon, mon-fri or * (numbers mean other days to other programs)",
        {n: i for i, n in enumerate(_WEEKDAYS)},
        numbers=False,
    ),
)


def check_cron(text: str) -> None:
    """See whether a time such as ``0 9 * * mon`` can be understood and ever comes.

    Raises:
        ValueError: a sentence that names the wrong field and says what would be right.
    """
    words = text.split()
    if len(words) != len(_FIELDS):
        raise ValueError(
            f"a time has five fields (minute hour day month weekday, like 0 9 * * mon); this has {len(words)}"
        )
    values = [_values(word.lower(), rule) for word, rule in zip(words, _FIELDS, strict=True)]
    days, months = values[2], values[3]
    earliest = 28 if words[2].lower() == "last" else min(days)
    if all(_DAYS_IN[month - 1] < earliest for month in months):
        raise ValueError(f"no month given here has a day {earliest}, so this time never comes")


_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CronTimes:
    """The times on a wall clock that a checked text such as ``0 9 * * mon`` means. Knows no zone.

    APScheduler's own trigger knows one, and answers differently around a change of clocks depending on the moment it
    starts from: it can pass a nightly run over. :class:`slipway.scheduler.timetable.Timetable` knows better.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    last_day: bool

    @classmethod
    def of(cls, text: str) -> CronTimes:
        """What a text means.

        Raises:
            ValueError: as :func:`check_cron`.
        """
        check_cron(text)
        minute, hour, day, month, weekday = text.lower().split()
        numbered = ",".join(part for part in day.split(",") if part != "last")
        return cls(
            _values(minute, _FIELDS[0]),
            _values(hour, _FIELDS[1]),
            _values(numbered, _FIELDS[2]) if numbered else frozenset(),
            _values(month, _FIELDS[3]),
            _values(weekday, _FIELDS[4]),
            last_day=numbered != day,
        )

    def after(self, wall: datetime) -> Iterator[datetime]:
        """The times later than one, without a zone, oldest first."""
        times = [time(hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes)]
        for day in self._days_from(wall.date()):
            for each in times:
                if (found := datetime.combine(day, each)) > wall:
                    yield found

    def _days_from(self, day: date) -> Iterator[date]:
        while day < date.max - 32 * _DAY:  # what would come behind that comes never
            following = (day.replace(day=1) + 32 * _DAY).replace(day=1)
            if day.month not in self.months:
                day = following
                continue
            last = self.last_day and day == following - _DAY
            if (last or day.day in self.days) and day.weekday() in self.weekdays:
                yield day
            day += _DAY


def _values(word: str, rule: _Field) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        values = _part(part, rule)
        if not values:
            raise ValueError(f"the {rule.name} “{part[:30]}” is not understood; write {rule.right}")
        found.update(values)
    return frozenset(found)


def _part(part: str, rule: _Field) -> range | None:
    named = _NAMES.fullmatch(part)
    if named is not None:
        first = rule.names.get(named[1])
        last = rule.names.get(named[2]) if named[2] else first
        if first is None or last is None or (named[2] and "last" in rule.names):
            return None
        return range(first, last + 1)
    match = _NUMBERS.fullmatch(part)
    if match is None or not (rule.numbers or part == "*"):
        return None
    first = int(match[1]) if match[1] else rule.first
    step = int(match[3]) if match[3] else 0
    only = match[1] is not None and match[2] is None and not step
    last = int(match[2]) if match[2] else first if only else rule.last
    # APScheduler refuses a step wider than its range.
    if not rule.first <= first <= last <= rule.last or step > last - first or (match[3] and not step):
        return None
    return range(first, last + 1, step or 1)
