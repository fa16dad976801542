"""What the times of schedules come to, for `slipway check`: their next runs, and mistakes that only show then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from slipway.bot.config.settings import ScheduleSettings, SlipwaySettings
from slipway.bot.core.problems import Problem
from slipway.bot.core.times import format_duration, format_time
from slipway.scheduler.timetable import Timetable

SHOWN = 5

_LOOKED_AT = 200
"""How many times of a schedule are looked at for the shortest distance between two."""

_FROM = datetime(2026, 1, 1, tzinfo=UTC)
"""A check says the same whenever it is made."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def next_times(entry: ScheduleSettings, now: datetime) -> str:
    """The next times at which a schedule runs, in its own zone; a sentence where there are none."""
    times = [*islice(Timetable(entry).after(now), SHOWN)]
    if not times:
        return "it never runs again"
    return ", ".join(
        f"{_DAYS[each.astimezone(entry.zone).weekday()]} {format_time(each, entry.zone)}" for each in times
    )


def timetable_problems(settings: SlipwaySettings) -> Iterator[Problem]:
    """What is wrong with the times of schedules whose ``cron`` is right."""
    for entry in settings.schedule:
        if entry.jitter and entry.jitter >= (distance := _shortest_distance(entry)):
            said = f"two runs may be {format_duration(distance)} apart, and it must be shorter than that"
            yield Problem(f"schedule.{entry.name}.jitter", f"{said}, so that none is overtaken")


def _shortest_distance(entry: ScheduleSettings) -> timedelta:
    plain = entry.model_copy(update={"jitter": None})
    times = islice(Timetable(plain).after(_FROM), _LOOKED_AT)
    return min((later - earlier for earlier, later in pairwise(times)), default=timedelta.max)
