"""How long a break was, by clocks that may be wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from slipway.bot.core import uptime
from slipway.bot.core.uptime import Moment, Uptime, by_todays_clock, passed, system_uptime
from tests.support.clock import DAY, HOUR, MINUTE, NOW

BEFORE = Moment(NOW, Uptime("a", 100.0))


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (Moment(NOW + MINUTE, Uptime("a", 160.0)), MINUTE),
        (Moment(NOW, Uptime("a", 100.0 + 2 * 86_400)), 2 * DAY),  # the clock was set back meanwhile
        (Moment(NOW - MINUTE, Uptime("a", 160.0)), MINUTE),  # the clock was put right
        (Moment(NOW + DAY, Uptime("a", 101.0)), DAY),  # a virtual machine was not there meanwhile
        (Moment(NOW - HOUR, Uptime("a", 160.0)), None),
        (Moment(NOW + MINUTE, Uptime("b", 160.0)), None),  # another boot
        (Moment(NOW + MINUTE, Uptime("a", 60.0)), None),  # an uptime that went back
        (Moment(NOW + MINUTE, None), None),
    ],
)
def test_the_longer_time_counts_and_what_nobody_can_tell_is_none(
    until: Moment, expected: timedelta | None
) -> None:
    assert passed(BEFORE, until) == expected


@pytest.mark.parametrize(
    ("now", "at"),
    [
        (Moment(NOW + MINUTE, Uptime("a", 100.0)), NOW),  # put right
        (Moment(NOW + DAY, Uptime("a", 3_700.0)), NOW + DAY - HOUR),  # it had been behind
        (Moment(NOW - DAY, Uptime("a", 3_700.0)), NOW - DAY - HOUR),  # it had been ahead
        (Moment(NOW + DAY, Uptime("b", 3_700.0)), NOW),
        (Moment(NOW + DAY, None), NOW),
    ],
)
def test_a_moment_is_told_by_the_clock_as_it_goes_now_where_the_uptime_knows(
    now: Moment, at: datetime
) -> None:
    assert by_todays_clock(BEFORE, now) == at


def test_nothing_is_told_where_it_was_not_noted_before() -> None:
    assert passed(Moment(NOW, None), BEFORE) is None


def test_the_uptime_of_this_machine_goes_on_within_one_boot() -> None:
    first, then = system_uptime(), system_uptime()
    assert first.boot == then.boot != ""
    assert 0 < first.seconds <= then.seconds


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff"])
def test_where_the_system_names_no_boot_only_moments_of_one_process_can_be_compared(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "boot_id"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(uptime, "BOOT_ID", path)
    boot = system_uptime().boot
    assert boot == system_uptime().boot
    assert boot.startswith("process-")
