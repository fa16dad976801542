from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slipway.bot.core.times import (
    format_date,
    format_duration,
    format_span,
    format_time,
    moments_in_zone,
    parse_duration,
    parse_moment,
    system_clock,
)
from tests.support.clock import NOW


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90m", timedelta(minutes=90)),
        ("2h30m", timedelta(hours=2, minutes=30)),
        ("3d", timedelta(days=3)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        (" 2H ", timedelta(hours=2)),
        ("36h", timedelta(days=1, hours=12)),
        ("0h5m", timedelta(minutes=5)),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", " ", "5", "h", "2 h", "2x", "30m2h", "1h1h", "-1h", "1.5h", "٣h", "2h!", "99999d", "tomorrow"],
)
def test_what_is_no_duration_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration; write it like 90m, 2h30m or 3d"):
        parse_duration(text)


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "9999-12-31"),
    ],
)
def test_the_first_and_the_last_day_of_the_calendar_are_shown_in_every_zone(
    moment: datetime, day: str, zone: str
) -> None:
    assert day in format_time(moment, ZoneInfo(zone))
    assert format_date(moment) == day
    with pytest.raises(ValueError, match=r"is no time|has passed|more than a year"):
        parse_moment(f"{day}T12:00", NOW, ZoneInfo(zone))


@pytest.mark.parametrize("text", ["0m", "0d0h", "00s"])
def test_no_time_at_all_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no time at all"):
        parse_duration(text)


@given(st.integers(1, 9_999 * 86_400))
def test_a_written_duration_reads_the_same(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


@given(st.text(st.characters(codec=None, exclude_categories=())) | st.from_regex(r"[0-9dhms]{1,12}"))
@example("9" * 100_000 + "d")
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert timedelta(0) < duration <= timedelta(days=9_999 + 4_167 + 695 + 116)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=-5), "0s"),
        (timedelta(seconds=59.9), "59s"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(hours=48), "2d"),
    ],
)
def test_durations_are_written_in_whole_seconds(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(days=2, hours=12, minutes=7, seconds=29), "2d12h"),
        (timedelta(days=2, minutes=7), "2d"),
        (timedelta(hours=23, minutes=59, seconds=59), "23h59m"),
        (timedelta(hours=1, seconds=59), "1h"),
        (timedelta(minutes=59, seconds=58), "59m58s"),
        (timedelta(seconds=-1), "0s"),
    ],
)
def test_how_long_something_is_is_told_by_its_two_largest_units(span: timedelta, text: str) -> None:
    assert format_span(span) == text


def test_moments_are_shown_in_the_readers_zone() -> None:
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert format_time(moment, ZoneInfo("UTC")) == "2026-07-01 22:30 UTC"
    assert format_time(moment, ZoneInfo("Europe/Prague")) == "2026-07-02 00:30 CEST"


def test_dates_are_utc_dates() -> None:
    prague = ZoneInfo("Europe/Prague")
    assert format_date(datetime(2026, 7, 2, 0, 30, tzinfo=prague)) == "2026-07-01"
    assert format_date(None) == "-"


def test_the_machines_clock_knows_its_zone() -> None:
    assert system_clock().utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("18:00", "2026-11-20T17:00"),
        ("13:00", "2026-11-21T12:00"),  # that is now, so the next one
        ("9:05", "2026-11-21T08:05"),
        ("2026-12-01T09:00", "2026-12-01T08:00"),
        ("2026-12-01 09:00", "2026-12-01T08:00"),
        ("2026-12-01T09:00Z", "2026-12-01T09:00"),
        ("2026-12-01T09:00+05:30", "2026-12-01T03:30"),
        ("2h30m", "2026-11-20T14:30"),
    ],
)
def test_a_moment_to_come_is_read_in_the_reader_s_zone(text: str, moment: str) -> None:
    assert parse_moment(text, NOW, ZoneInfo("Europe/Prague")) == datetime.fromisoformat(f"{moment}+00:00")


@pytest.mark.parametrize(
    "text", ["", "24:00", "2026-13-01T09:00", "2026-11-20T11:59Z", "2028-01-01T00:00", "soon"]
)
def test_what_is_no_moment_to_come_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|has passed|more than a year"):
        parse_moment(text, NOW, ZoneInfo("UTC"))


def test_moments_in_a_text_are_shown_by_the_clocks_of_its_reader() -> None:
    prague = ZoneInfo("Europe/Prague")
    said = "It lives until 2026-11-21 12:01 UTC, or 2026-07-01 23:30 UTC; 2026-11-21 of 43.1.0 stays."
    shown = "It lives until 2026-11-21 13:01 CET, or 2026-07-02 01:30 CEST; 2026-11-21 of 43.1.0 stays."
    assert moments_in_zone(said, prague) == shown
    assert moments_in_zone(said, ZoneInfo("UTC")) == said
    odd = "2026-13-01 12:00 UTC, 0001-01-01 00:00 UTC and 12026-11-21 12:01 UTC"
    assert moments_in_zone(odd, ZoneInfo("America/New_York")) == odd
