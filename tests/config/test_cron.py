"""Times of schedules: what is accepted means the same to APScheduler, and the wrong field is named."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.core.cron import CronTimes, check_cron

_NUMBER = st.integers(0, 62).map(str)
_NAME = st.sampled_from(["mon", "fri", "sun", "jan", "dec", "last", "LAST", "xyz", ""])
_ATOM = st.one_of(
    st.just("*"),
    _NUMBER,
    _NAME,
    st.tuples(_NUMBER, _NUMBER).map("-".join),
    st.tuples(_NAME, _NAME).map("-".join),
)
_PART = st.one_of(_ATOM, st.tuples(_ATOM, _NUMBER).map("/".join))
_FIELD = st.lists(_PART, min_size=1, max_size=3).map(",".join)
_CRON = st.lists(_FIELD, min_size=5, max_size=5).map(" ".join)
_LIKELY = st.tuples(
    st.sampled_from(["*", "*/15", "0,30", "5-50/5", "59"]),
    st.sampled_from(["*", "9", "8-18", "*/2"]),
    st.sampled_from(["*", "31", "1-7", "last", "30,31", "29"]),
    st.sampled_from(["*", "feb", "2", "jan-mar", "4,6,9,11"]),
    st.sampled_from(["*", "mon", "mon-fri", "sat,sun"]),
).map(" ".join)


@given(st.one_of(_CRON, _LIKELY), st.timedeltas(timedelta(0), timedelta(days=1100)))
def test_what_is_accepted_fires_some_time_and_means_what_apscheduler_takes_it_for(
    text: str, since: timedelta
) -> None:
    try:
        check_cron(text)
    except ValueError:
        return
    trigger = CronTrigger.from_crontab(text, timezone=UTC)
    later = datetime(2026, 1, 1, tzinfo=UTC) + since
    for wall in islice(CronTimes.of(text).after(later.replace(tzinfo=None)), 3):
        later = trigger.get_next_fire_time(later, later + timedelta(microseconds=1))
        assert wall.replace(tzinfo=UTC) == later


@given(st.text())
def test_any_text_is_accepted_or_explained(text: str) -> None:
    with suppress(ValueError):
        check_cron(text)


@pytest.mark.parametrize(
    "text",
    [
        "0 9 * * mon",
        "*/15 * * * *",
        "0 9 1-7 * mon",
        "30 8-18/2 * jan-jun mon-fri",
        "0 0 last * *",
        "0 0 29 2 *",
    ],
)
def test_usual_times_are_accepted(text: str) -> None:
    check_cron(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 9 * *", "five fields .* this has 4"),
        ("", "this has 0"),
        ("60 9 * * *", "the minute “60” is not understood; write 0 to 59"),
        ("0 24 * * *", "the hour “24”"),
        ("0 9 0 * *", "the day “0”"),
        ("0 9 * 13 *", "the month “13”"),
        ("0 9 * * 1", "the weekday “1” is not understood; write mon to sun by name"),
        ("0 9 * * fri-mon", "the weekday “fri-mon”"),
        ("0 9 * mon *", "the month “mon”"),
        ("*/0 9 * * *", "the minute"),
        ("*/60 9 * * *", "the minute"),
        ("0 9 31 4,6 *", "no month given here has a day 31, so this time never comes"),
        ("0 9 30 feb *", "never comes"),
        ("0 ٩ * * *", "the hour"),
    ],
)
def test_the_wrong_field_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_cron(text)
