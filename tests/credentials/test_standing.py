"""How credentials stand, and which reminder is due: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.ports.credential_rotation import HeldKey
from slipway.bot.subjects.credentials.model import (
    Credential,
    CredentialKind,
    State,
    short_ids,
    soonest_first,
    successor,
)
from slipway.bot.subjects.credentials.standing import last_threshold, next_moment, standing
from slipway.bot.subjects.credentials.thresholds import Threshold, in_days, read_threshold
from tests.support.clock import DAY, HOUR, NOW

USUAL = in_days(30, 14, 7, 3, 1)
YEAR = 365 * DAY


def credential(
    left: timedelta | None = YEAR, *, life: timedelta | None = 2 * YEAR, key: str = "one", **more: object
) -> Credential:
    """A secret of two years, in the middle of them unless told otherwise."""
    ends = None if left is None else NOW + left
    starts = None if ends is None or life is None else ends - life
    plain: dict[str, object] = {
        "entry": "uploader",
        "name": key,
        "kind": CredentialKind.APP_SECRET,
        "title": key,
        "starts_at": starts,
        "ends_at": ends,
    }
    return Credential(key=key, **{**plain, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left", "state", "step"),
    [
        (31 * DAY, State.VALID, ""),
        (30 * DAY, State.ENDING, "30d"),
        (14 * DAY + HOUR, State.ENDING, "30d"),
        (14 * DAY, State.ENDING, "14d"),
        (2 * DAY, State.ENDING, "3d"),
        (HOUR, State.ENDING, "1d"),
        (timedelta(), State.ENDED, "past 0"),
        (-HOUR, State.ENDED, "past 0"),
        (-DAY, State.ENDED, "past 1"),
        (-30 * DAY, State.ENDED, "past 30"),
        (-31 * DAY, State.ENDED, "past 31"),
        (-40 * DAY, State.ENDED, "past 40"),
        (None, State.ENDLESS, ""),
        (datetime(9999, 12, 31, tzinfo=UTC) - NOW, State.ENDLESS, ""),
    ],
)
def test_each_threshold_is_a_step_and_then_each_day(left: timedelta | None, state: State, step: str) -> None:
    found = standing(credential(left), (), USUAL, NOW)
    assert (found.state, found.step) == (state, step)


def test_an_end_of_long_ago_is_an_end_and_overflows_nothing() -> None:
    old = credential(datetime(1990, 1, 1, tzinfo=UTC) - NOW, life=None)
    assert standing(old, (), USUAL, NOW).state is State.ENDED


@pytest.mark.parametrize(
    ("life", "left", "step"),
    [
        (47 * DAY, 46 * DAY, ""),  # certificates of 2029
        (47 * DAY, 30 * DAY, "30d"),
        (6 * DAY, 5 * DAY, ""),  # short-lived ones: 7 days would be reached from birth on
        (6 * DAY, 3 * DAY, "3d"),
        (12 * HOUR, 11 * HOUR, ""),  # a token that is refreshed by itself
    ],
)
def test_a_time_that_is_nearly_a_whole_life_does_not_count(
    life: timedelta, left: timedelta, step: str
) -> None:
    assert standing(credential(left, life=life), (), USUAL, NOW).step == step


def test_shares_of_the_lifetime_follow_it() -> None:
    shares = (Threshold(share=0.33), Threshold(share=0.1))
    assert standing(credential(15 * DAY, life=47 * DAY), (), shares, NOW).step == "33%"
    assert standing(credential(4 * DAY, life=47 * DAY), (), shares, NOW).step == "10%"
    assert standing(credential(200 * DAY), (), shares, NOW).step == "33%"
    assert standing(credential(20 * DAY, life=None), (), shares, NOW).step == "33%", (
        "of 90 days, where nobody knows"
    )


class TestSuccessors:
    def test_another_one_that_ends_later_takes_its_place_and_the_ended_one_is_left_over(self) -> None:
        ended, new = credential(-DAY, group="app"), credential(YEAR, key="two", group="app")
        found = standing(ended, [ended, new], USUAL, NOW)
        assert (found.state, found.step, found.successor) == (State.LEFTOVER, "", new)

    def test_what_has_not_ended_is_reminded_of_all_the_same_for_it_may_be_the_one_in_use(self) -> None:
        old, new = credential(DAY, group="app"), credential(YEAR, key="two", group="app")
        assert standing(old, [old, new], USUAL, NOW).step == "1d"

    @pytest.mark.parametrize(
        "other",
        [
            credential(YEAR, key="two", group="other"),
            credential(-2 * DAY, key="two", group="app"),
            credential(YEAR, key="two", group="app", active=False),
            credential(YEAR, key="two", group="app", starts_at=NOW + DAY),
        ],
        ids=["of another application", "ended too", "not accepted", "not begun"],
    )
    def test_others_do_not(self, other: Credential) -> None:
        ended = credential(-DAY, group="app")
        assert successor(ended, [ended, other], NOW) is None

    def test_one_that_was_made_by_a_clock_a_little_ahead_of_ours_has_begun(self) -> None:
        made = credential(YEAR, key="two", group="app", starts_at=NOW + timedelta(minutes=5))
        assert successor(credential(-DAY, group="app"), [made], NOW) == made
        assert HeldKey("two", "", True, NOW + timedelta(minutes=5), None, None).lives(NOW)
        assert not HeldKey("two", "", True, NOW + DAY, None, None).lives(NOW)

    def test_a_key_that_is_too_old_works_still_so_it_is_never_left_over_while_active(self) -> None:
        old = credential(-DAY, group="user", by_age=True)
        new = credential(YEAR, key="two", group="user", by_age=True)
        assert standing(old, [old, new], USUAL, NOW).state is State.ENDED
        off = credential(-DAY, group="user", by_age=True, active=False)
        assert standing(off, [off, new], USUAL, NOW).state is State.LEFTOVER


@given(
    left=st.timedeltas(timedelta(days=-400), timedelta(days=800)),
    hours=st.lists(st.integers(1, 2400), max_size=30),
)
def test_as_time_passes_steps_follow_one_another_and_none_comes_back(
    left: timedelta, hours: list[int]
) -> None:
    held, now, seen = credential(left), NOW, list[str]()
    for each in hours:
        now += each * HOUR
        step = standing(held, (), USUAL, now).step
        if not seen or seen[-1] != step:
            seen.append(step)
    assert len(seen) == len(set(seen))


def test_the_soonest_to_end_comes_first_and_what_never_does_last() -> None:
    held = [credential(None, key="a"), credential(YEAR, key="b"), credential(-DAY, key="c")]
    assert [each.key for each in soonest_first(held, NOW)] == ["c", "b", "a"]


@given(st.lists(st.uuids().map(str), unique=True, max_size=20), st.booleans())
def test_short_ids_tell_each_from_the_others(ids: list[str], from_end: bool) -> None:
    found = short_ids(ids, from_end=from_end)
    assert set(found) == set(ids)
    assert len({each.casefold() for each in found.values()}) == len(ids)


def test_ids_that_begin_alike_get_longer_names() -> None:
    assert list(short_ids(["aaaaaaaa-1111", "aaaaaaaa-2222"]).values()) == ["aaaaaaaa-1", "aaaaaaaa-2"]


@pytest.mark.parametrize("text", ["", "soon", "0%", "00%", "100%", "-3d", "33 %"])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a time like 14d nor a share"):
        read_threshold(text)


@given(
    left=st.timedeltas(timedelta(days=-5), timedelta(days=60)),
    wait=st.timedeltas(timedelta(seconds=1), timedelta(days=60)),
)
def test_between_two_moments_nothing_becomes_due_before_the_end(left: timedelta, wait: timedelta) -> None:
    held = credential(left)
    assert held.ends_at is not None
    moment = next_moment(held, USUAL, NOW)
    if moment is None:
        assert left <= timedelta()
        return
    assert NOW < moment <= held.ends_at
    before = min(NOW + wait, moment - timedelta(seconds=1))
    assert standing(held, (), USUAL, max(NOW, before)).step == standing(held, (), USUAL, NOW).step
    assert standing(held, (), USUAL, moment).step != standing(held, (), USUAL, NOW).step


def test_the_last_threshold_is_the_one_nearest_to_the_end() -> None:
    assert last_threshold(credential(), USUAL) == DAY
    assert last_threshold(credential(), [Threshold(span=timedelta(hours=2)), *USUAL]) == 2 * HOUR


def test_where_the_last_threshold_is_long_before_the_end_a_day_before_it_is_the_last_reminder() -> None:
    assert last_threshold(credential(), in_days(30)) == DAY
    assert last_threshold(credential(life=47 * DAY), [Threshold(share=0.33)]) == DAY
    assert last_threshold(credential(life=10 * HOUR), USUAL) == DAY
