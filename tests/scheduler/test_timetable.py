"""When schedules tick, held against a minute-by-minute look at the wall clock, and what is owed after absences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slipway.bot.config.settings import ScheduleSettings
from slipway.bot.core.cron import CronTimes
from slipway.scheduler.timetable import MOST_COUNTED, ON_TIME, Due, Timetable, upcoming
from tests.support.clock import HOUR, MINUTE
from tests.support.examples import examples

WINDOW = timedelta(hours=30)

NIGHTS = (
    ("Europe/Prague", datetime(2026, 3, 28, 12, tzinfo=UTC)),
    ("Europe/Prague", datetime(2026, 10, 24, 12, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, 18, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, 18, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 3, tzinfo=UTC)),  # half an hour
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 3, tzinfo=UTC)),
    ("Antarctica/Troll", datetime(2026, 3, 28, 12, tzinfo=UTC)),  # two hours
    ("Antarctica/Troll", datetime(2026, 10, 24, 12, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 5, 12, tzinfo=UTC)),  # at midnight: a day without its first hour
    ("Asia/Kathmandu", datetime(2026, 5, 1, tzinfo=UTC)),
    ("UTC", datetime(2026, 12, 31, tzinfo=UTC)),
)
"""When and where to look: in most of these nights clocks change."""


def timetable(cron: str, zone: str = "UTC", **more: object) -> Timetable:
    entry = {"name": "nightly", "cron": cron, "zone": zone, "command": "cleanup", "room": "console:console"}
    return Timetable(ScheduleSettings.model_validate({**entry, "roles": (), **more}))


@dataclass(frozen=True)
class Cron:
    """Minutes and hours of every day; no hours means every one."""

    minutes: frozenset[int]
    hours: frozenset[int]

    @property
    def text(self) -> str:
        hours = ",".join(map(str, sorted(self.hours))) or "*"
        return f"{','.join(map(str, sorted(self.minutes)))} {hours} * * *"

    def holds(self, wall: datetime) -> bool:
        return wall.minute in self.minutes and (not self.hours or wall.hour in self.hours)

    def hourly(self, wall: datetime) -> bool:
        """Whether it runs in this hour of the wall, and in those before and behind, too."""
        return not self.hours or {(wall.hour + step) % 24 for step in (-1, 0, 1)} <= self.hours


@cache
def minutes_of(zone: str, start: datetime) -> tuple[tuple[datetime, datetime, bool], ...]:
    """Every minute of the window: when it is, what the wall shows, and whether the wall showed that before."""
    seen, found = set(), []
    moment = start - timedelta(hours=6)
    while moment <= start + WINDOW + timedelta(hours=6):
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        found.append((moment, wall, wall in seen))
        seen.add(wall)
        moment += MINUTE
    return tuple(found)


def looked_up(cron: Cron, zone: str, start: datetime) -> list[datetime]:
    """The ticks of the window, by looking at the wall each minute."""
    found = set()
    before: tuple[datetime, datetime] | None = None
    for moment, wall, again in minutes_of(zone, start):
        if cron.holds(wall) and (not again or cron.hourly(wall)):
            found.add(moment)
        if before is not None:
            passed = before[1] + MINUTE
            while passed < wall:  # the wall passed these over
                if cron.holds(passed):
                    found.add(before[0] + (passed - before[1]) if cron.hourly(passed) else moment)
                passed += MINUTE
        before = moment, wall
    return sorted(tick for tick in found if start < tick <= start + WINDOW)


crons = st.builds(
    Cron,
    st.frozensets(st.integers(0, 59), min_size=1, max_size=3) | st.just(frozenset(range(60))),
    st.frozensets(st.integers(0, 3), max_size=3) | st.frozensets(st.integers(0, 23), max_size=3),
)


@settings(max_examples=examples(20))
@given(crons, st.sampled_from(NIGHTS), st.integers(0, int(WINDOW / MINUTE)))
@example(Cron(frozenset({30}), frozenset({2})), NIGHTS[0], 13 * 60)
@example(Cron(frozenset({30}), frozenset({2})), NIGHTS[1], 13 * 60)
@example(Cron(frozenset({30}), frozenset({1, 2, 3})), NIGHTS[1], 13 * 60)
@example(Cron(frozenset({0, 30}), frozenset()), NIGHTS[4], 12 * 60)
def test_ticks_are_those_of_the_wall_clock_wherever_one_starts_to_look(
    cron: Cron, night: tuple[str, datetime], minutes: int
) -> None:
    zone, start = night
    expected = looked_up(cron, zone, start)
    times = timetable(cron.text, zone)
    assert list(times.between(start, start + WINDOW)) == expected
    after = start + minutes * MINUTE
    later = [tick for tick in expected if tick > after]
    assert list(times.between(after, start + WINDOW)) == later
    if later:
        assert times.next(after) == later[0]


def test_a_nightly_run_is_neither_lost_nor_doubled_when_clocks_change() -> None:
    times = timetable("30 2 * * *", "Europe/Prague")
    spring = list(times.between(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC)))
    assert spring == [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]
    autumn = list(
        times.between(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 26, 12, tzinfo=UTC))
    )
    assert autumn == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
CHANGES = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 9, 30, tzinfo=UTC))
"""Within forty days from here, clocks are moved where they are at all."""


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_a_year_has_a_run_each_day_each_month_and_each_hour(zone: str) -> None:
    def shown(cron: str, span: tuple[datetime, datetime] = YEAR) -> list[datetime]:
        return [tick.astimezone(ZoneInfo(zone)) for tick in timetable(cron, zone).between(*span)]

    for cron in ("30 1 * * *", "15 2 * * *"):  # which clocks show twice, or pass over
        daily = [tick.date() for tick in shown(cron)]
        assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(daily))
        assert len(daily) == 365
    ends = [tick.day for tick in shown("0 12 last * *")]
    assert ends[-12:] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    hourly = [shown("30 0-23 * * *", (change, change + timedelta(days=40))) for change in CHANGES]
    assert {
        later.astimezone(UTC) - earlier.astimezone(UTC)
        for ticks in hourly
        for earlier, later in pairwise(ticks)
    } == ({HOUR} if zone != "Australia/Lord_Howe" else {HOUR, HOUR / 2})  # where clocks move by half an hour


def test_each_hour_of_the_day_when_clocks_go_back_has_its_run() -> None:
    day = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, tzinfo=UTC)
    for cron in ("30 0-23 * * *", "30 * * * *", "30 */1 * * *", "30 0-11,12-23 * * *"):
        assert len(list(timetable(cron, "Europe/Berlin").between(*day))) == 25
    assert (
        len(list(timetable("*/15 1-4 * * *", "Europe/Berlin").between(*day))) == 20
    )  # 4 hours, and one again


def test_a_jitter_makes_runs_later_by_up_to_it_and_is_the_same_at_every_look() -> None:
    plain = list(timetable("*/20 * * * *").between(NINE, NINE + 30 * HOUR))
    times = timetable("*/20 * * * *", jitter="10m")
    late = list(times.between(NINE + 10 * MINUTE, NINE + 31 * HOUR))[: len(plain)]
    delays = {later - tick for tick, later in zip(plain, late, strict=True)}
    assert delays == {step * MINUTE for step in range(11)}
    assert times.next(late[3]) == late[4]
    assert times.due(late[3], late[4] - MINUTE) == Due()
    assert times.due(late[3], late[4]) == Due(run=late[4], newest=late[4])


def test_weekdays_months_and_leap_days() -> None:
    friday = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert timetable("0 9 * * mon").next(friday) == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert timetable("0 9 1-7 * mon").next(friday) == datetime(2026, 12, 7, 9, tzinfo=UTC)
    assert timetable("0 0 29 2 *").next(friday) == datetime(2028, 2, 29, tzinfo=UTC)
    assert timetable("0 9 * * mon", "Europe/Prague").next(friday) == datetime(2026, 11, 23, 8, tzinfo=UTC)


# What is owed

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday, when a weekly schedule ticks."""

WEEKLY = "0 9 * * mon"


@pytest.mark.parametrize("missed", ["catch-up", "skip"])
def test_what_is_on_time_runs(missed: str) -> None:
    times = timetable(WEEKLY, missed=missed)
    before = NINE - HOUR
    assert times.due(before, NINE - timedelta(seconds=1)) == Due()
    for late in (timedelta(), timedelta(seconds=5), ON_TIME):
        assert times.due(before, NINE + late) == Due(run=NINE, newest=NINE)
    assert times.due(NINE, NINE + HOUR) == Due()


def test_a_missed_run_is_caught_up_or_reported_by_the_entrys_rule() -> None:
    before, late = NINE - HOUR, NINE + timedelta(hours=5)
    assert timetable(WEEKLY).due(before, late) == Due(run=NINE, newest=NINE)
    assert timetable(WEEKLY, missed="skip").due(before, late) == Due(
        skipped=1, newest=NINE, newest_skipped=NINE
    )


def test_what_is_too_old_is_reported_and_never_run() -> None:
    before = NINE - HOUR
    times = timetable(WEEKLY, max_late="6h")
    assert times.due(before, NINE + timedelta(hours=6)) == Due(run=NINE, newest=NINE)
    assert times.due(before, NINE + timedelta(hours=6, seconds=1)) == Due(
        skipped=1, newest=NINE, newest_skipped=NINE
    )
    yearly = timetable("0 9 23 11 *")
    assert yearly.due(before, NINE + timedelta(days=300)) == Due(skipped=1, newest=NINE, newest_skipped=NINE)


def test_several_missed_runs_are_one_run() -> None:
    weeks_ago = NINE - timedelta(days=21, hours=1)
    assert timetable(WEEKLY).due(weeks_ago, NINE + HOUR) == Due(run=NINE, newest=NINE)
    skipping = timetable(WEEKLY, missed="skip")
    assert skipping.due(weeks_ago, NINE + HOUR) == Due(skipped=4, newest=NINE, newest_skipped=NINE)
    week_before = NINE - timedelta(days=7)
    assert skipping.due(weeks_ago, NINE) == Due(NINE, skipped=3, newest=NINE, newest_skipped=week_before)


spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=8))


@settings(max_examples=examples(20))
@given(
    st.sampled_from(["*/3 * * * *", "*/20 * * * *", "0 */6 * * *", "30 4 * * *", WEEKLY]),
    st.sampled_from(["catch-up", "skip"]),
    spans,
    spans,
)
def test_every_tick_is_run_merged_or_counted(
    cron: str, missed: str, away: timedelta, within: timedelta
) -> None:
    times = timetable(cron, missed=missed, max_late=within)
    now = NINE + timedelta(minutes=7)
    ticks = list(times.between(now - away, now))
    due = times.due(now - away, now)
    assert due.newest == (ticks[-1] if ticks else None)
    assert due.run in (None, due.newest)
    if not ticks:
        assert due == Due()
        return
    late = now - ticks[-1]
    owed = late <= ON_TIME or (missed == "catch-up" and late <= within)
    assert (due.run is not None) == owed
    if missed == "catch-up" and owed:
        assert due.skipped == 0
    else:
        assert due.skipped == min(len(ticks) - owed, MOST_COUNTED)
    given_up = ticks[: len(ticks) - owed] if due.skipped else []
    assert due.newest_skipped == (given_up[-1] if given_up else None)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Every time on the wall that was computed."""
    made: list[datetime] = []
    compute = CronTimes.after

    def counted(times: CronTimes, wall: datetime) -> Iterator[datetime]:
        for found in compute(times, wall):
            made.append(found)
            yield found

    monkeypatch.setattr(CronTimes, "after", counted)
    return made


def test_years_of_absence_cost_no_more_than_an_hour(looks: list[datetime]) -> None:
    due = timetable("* * * * *", missed="skip").due(NINE - timedelta(days=3650), NINE + timedelta(seconds=30))
    before = NINE - timedelta(minutes=1)
    assert due == Due(run=NINE, skipped=MOST_COUNTED, newest=NINE, newest_skipped=before)
    assert len(looks) < 3 * MOST_COUNTED
    looks.clear()
    timetable("0 9 23 11 *").due(NINE - timedelta(days=3650), NINE + HOUR)
    assert len(looks) < 100


def test_what_comes_next_is_told_soonest_first() -> None:
    tables = [timetable("0 10 * * mon", name="later"), timetable(WEEKLY, name="sooner")]
    assert upcoming(tables, NINE - HOUR) == (("sooner", NINE), ("later", NINE + HOUR))
    assert upcoming((), NINE) == ()
