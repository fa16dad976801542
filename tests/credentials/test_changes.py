"""What changed between two looks, and until when a reminder is put off: pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.subjects.credentials.answers import Answer, snoozed_until
from slipway.bot.subjects.credentials.changes import ChangeKind, Reminded, changes, seen
from slipway.bot.subjects.credentials.model import Credential, Reading
from tests.credentials.test_standing import credential
from tests.support.clock import DAY, HOUR, NOW

_KEYS = st.sets(st.sampled_from("abcdef"))


def reading(*found: Credential, problem: str = "") -> Reading:
    return Reading("uploader", found, problem)


@given(_KEYS, _KEYS)
def test_what_came_and_went_is_told_and_nothing_else(before: set[str], now: set[str]) -> None:
    known = {key: seen(credential(key=key), None) for key in before}
    found = changes(known, reading(*(credential(key=key) for key in now)))
    assert {each.key for each in found if each.kind is ChangeKind.APPEARED} == now - before
    assert {each.key for each in found if each.kind is ChangeKind.DISAPPEARED} == before - now
    assert len(found) == len(now ^ before)


@given(_KEYS)
def test_what_cannot_be_read_is_not_gone(before: set[str]) -> None:
    known = {key: seen(credential(key=key), None) for key in before}
    assert changes(known, reading(problem="Graph refused.")) == ()


def test_another_end_or_other_content_under_the_same_key_is_a_renewal() -> None:
    before = credential(key="web", generation="one")
    known = {"web": seen(before, None)}
    (longer,) = changes(known, reading(credential(2 * 365 * DAY, key="web", generation="one")))
    (other,) = changes(known, reading(replace(before, generation="two")))
    assert (longer.kind, other.kind) == (ChangeKind.RENEWED, ChangeKind.RENEWED)
    assert changes(known, reading(replace(before, title="called otherwise"))) == ()


def test_a_reminder_is_of_one_end_alone() -> None:
    before = credential(DAY, key="web")
    assert before.ends_at is not None
    kept = seen(before, None).model_copy(update={"reminded": Reminded(ends_at=before.ends_at, first="1d")})
    assert seen(before, kept).reminded == kept.reminded
    assert seen(credential(90 * DAY, key="web"), kept).reminded is None


@given(
    asked=st.timedeltas(timedelta(minutes=1), timedelta(days=400)),
    left=st.timedeltas(timedelta(days=-10), timedelta(days=60)),
    last=st.timedeltas(timedelta(), timedelta(days=7)),
)
def test_putting_off_ends_before_the_end_whatever_was_asked(
    asked: timedelta, left: timedelta, last: timedelta
) -> None:
    until = snoozed_until(NOW, asked, NOW + left, last)
    if until is None:
        assert left <= last + timedelta(seconds=1)
    else:
        assert NOW < until <= min(NOW + asked, NOW + left - last)


def test_once_it_was_put_off_the_same_reminder_is_another() -> None:
    answer = Answer(person="alice", at=NOW, until=NOW + 3 * DAY, key="k")
    assert answer.silences(NOW + 3 * DAY - HOUR)
    assert not answer.silences(NOW + 3 * DAY)
    assert answer.step("14d") not in ("14d", answer.model_copy(update={"until": NOW + 4 * DAY}).step("14d"))
