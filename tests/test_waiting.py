"""How long to wait after failures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.core.waiting import Backoff


@given(st.lists(st.floats(0, 1e9), max_size=30))
def test_waits_grow_and_stay_bounded(asked: list[float]) -> None:
    backoff = Backoff()
    waits = [backoff.next(seconds) for seconds in asked]
    assert all(0.5 <= wait <= 300 for wait in waits)
    assert all(wait >= min(seconds, 300) for wait, seconds in zip(waits, asked, strict=True))
    backoff.reset()
    assert backoff.next() <= 1


def test_without_jitter_each_wait_is_twice_the_one_before() -> None:
    backoff = Backoff(2, longest=10, jitter=0)
    assert [backoff.next() for _ in range(5)] == [2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next() == 2


def test_it_never_overflows_however_long_it_lasts() -> None:
    backoff = Backoff(jitter=0)
    assert {backoff.next() for _ in range(3000)} == {1, 2, 4, 8, 16, 32, 60}
