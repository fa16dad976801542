"""What reports look back on."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from slipway.bot.reports.periods import last_month, named_month

PRAGUE, NEW_YORK, UTC_ZONE = ZoneInfo("Europe/Prague"), ZoneInfo("America/New_York"), ZoneInfo("UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "begin", "end"),
    [
        ("2026-12-01T08:00", UTC_ZONE, "2026-11-01T00:00", "2026-12-01T00:00"),
        ("2027-01-01T08:00", UTC_ZONE, "2026-12-01T00:00", "2027-01-01T00:00"),
        ("2026-11-01T08:00", PRAGUE, "2026-09-30T22:00", "2026-10-31T23:00"),  # the clocks went back in it
        ("2026-11-30T23:30", PRAGUE, "2026-10-31T23:00", "2026-11-30T23:00"),  # it is December there
        ("2026-12-01T03:00", NEW_YORK, "2026-10-01T04:00", "2026-11-01T04:00"),  # it is November there
    ],
)
def test_a_month_is_the_one_that_ended_last_in_its_zone(
    now: str, zone: ZoneInfo, begin: str, end: str
) -> None:
    period = last_month(at(now), zone)
    assert (period.begin, period.end) == (at(begin), at(end))
    assert not period.holds(period.end)
    assert period.holds(period.begin)


def test_of_the_present_month_there_is_what_has_passed() -> None:
    now = at("2026-11-20T12:00")
    assert named_month("2026-11", now, UTC_ZONE).end == now


@pytest.mark.parametrize("text", ["2026-12", "2026-13", "November", "0000-01", "9999-12", "2026-11-01"])
def test_what_is_no_month_yet_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"month|begun"):
        named_month(text, at("2026-11-20T12:00"), UTC_ZONE)
