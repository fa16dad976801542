"""The one rule of what is frozen, and the periods of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slipway.bot.config.settings import FreezeWindowSettings
from slipway.bot.operations.freezing.calendar import current, ended, upcoming
from slipway.bot.operations.freezing.model import Concern, Freeze, Period, Scope, Unreadable, frozen
from tests.support.clock import DAY, HOUR, NOW

PROMOTE = Concern(
    "promote", "alice", frozenset({"releng"}), frozenset({"azure"}), frozenset({"fedora-cloud-44-x64"})
)
SAID = Freeze("k", "bob", "release day", NOW - HOUR, NOW + HOUR)


def period(**scope: Any) -> Period:
    return Period("final", "release", NOW - DAY, NOW + DAY, Scope(**scope))


def window(**keys: Any) -> FreezeWindowSettings:
    return FreezeWindowSettings.model_validate({"name": "w", **keys})


def test_what_somebody_said_holds_until_its_time_and_for_all_that_does_not_go_on() -> None:
    assert frozen(NOW, (), (SAID,), PROMOTE) == SAID
    assert frozen(NOW + HOUR, (), (SAID,), PROMOTE) is None
    assert frozen(NOW, (), (SAID,), Concern("expire"), ("expire",)) is None
    assert frozen(NOW, (), (SAID,), PROMOTE, ("expire",)) == SAID


def test_where_it_cannot_be_read_everything_is_frozen_whoever_asks_for_whatever() -> None:
    state = Unreadable("OperationalError")
    assert frozen(NOW, (), state, PROMOTE) == state
    assert frozen(NOW, (), state, Concern("expire"), ("expire",)) == state


def test_of_several_the_one_that_lasts_longest_is_told() -> None:
    ever = Freeze("e", "bob", "until I say so", NOW, None)
    assert frozen(NOW, (period(),), (SAID,), PROMOTE) == period()
    assert frozen(NOW, (period(),), (SAID, ever), PROMOTE) == ever


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({}, True),
        ({"kinds": ("promote",)}, True),
        ({"kinds": ("cleanup",)}, False),
        ({"clouds": ("azure",)}, True),
        ({"clouds": ("azure.staging",)}, False),
        ({"patterns": ("Fedora-Cloud-44-*",)}, True),
        ({"patterns": ("Fedora-Cloud-43-*",)}, False),
        ({"passing": ("alice",)}, False),
        ({"passing": ("releng",)}, False),
        ({"passing": ("bob",)}, True),
    ],
)
def test_a_window_is_about_what_it_names(scope: dict[str, Any], covered: bool) -> None:
    assert Scope(**scope).covers(PROMOTE) is covered


def test_what_nobody_knows_could_be_about_anything() -> None:
    assert Scope(clouds=("aws",), patterns=("X",)).covers(Concern("promote", unknown=True))


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.integers(1, 31 * 24 * 60),
    st.sampled_from(["UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata"]),
    st.sampled_from(["0 18 * * fri", "30 2 * * *", "0 0 1 * *", "15 */6 * * *"]),
)
def test_a_recurring_window_freezes_right_while_one_of_its_periods_holds(
    now: datetime, minutes: int, zone: str, cron: str
) -> None:
    again = window(cron=cron, lasts=timedelta(minutes=minutes), zone=zone)
    coming = upcoming(again, now)
    assert all(one.begins < other.begins for one, other in pairwise(coming))
    assert all(each.ends > now and each.ends - each.begins == timedelta(minutes=minutes) for each in coming)
    holds = any(each.begins <= now for each in coming)
    assert bool(current((again,), now)) is holds
    after = coming[0].ends
    assert coming[0].key in {each.key for each in ended((again,), after - timedelta(seconds=1), after)}


@pytest.mark.parametrize(
    ("cron", "begins"),
    [
        ("30 2 * * *", (1, 30)),
        ("15,30 2,3 * * *", (1, 15)),
    ],  # the second: 3:15 comes before what 2:30 is then
)
def test_a_window_that_begins_in_the_hour_that_clocks_pass_over_lasts_as_long_as_any_other(
    cron: str, begins: tuple[int, int]
) -> None:
    again = (window(cron=cron, lasts=timedelta(minutes=10), zone="Europe/Prague"),)
    first = datetime(2027, 3, 28, *begins, tzinfo=UTC)
    minutes = [first + timedelta(minutes=each) for each in range(10)]
    assert all(current(again, each) for each in minutes)
    assert not current(again, first - timedelta(minutes=1))


def test_a_window_is_written_in_its_zone_and_a_date_is_its_first_moment() -> None:
    once = window(begins="2026-12-01", ends="2026-12-02T12:00", zone="Europe/Prague")
    (found,) = upcoming(once, NOW)
    assert found.begins == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert found.ends == datetime(2026, 12, 2, 11, tzinfo=UTC)
    assert upcoming(once, found.ends) == ()


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({}, "begins and ends, or else cron and lasts"),
        ({"begins": "2026-12-01"}, "begins and ends, or else cron and lasts"),
        ({"cron": "0 18 * * fri"}, "begins and ends, or else cron and lasts"),
        (
            {"begins": "2026-12-01", "ends": "2026-12-02", "cron": "0 18 * * fri"},
            "begins and ends, or else cron and lasts",
        ),
        ({"begins": "2026-12-02", "ends": "2026-12-01"}, "ends before it begins"),
        ({"begins": "soon", "ends": "2026-12-01"}, "“soon” is no time"),
    ],
)
def test_a_wrong_window_is_told(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        window(**keys)
