"""Moments by a clock that nobody can set, to tell how long a break was though the machine's clock is wrong."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Where Linux names its run from one boot to the next. Source: random(4)."""

SET_BACK = timedelta(minutes=5)
"""A clock that goes back by more than this was not merely put right."""

_BOOT_DIGITS = 16  # 64 of its 122 random bits

_UNTOLD = f"process-{uuid.uuid4().hex[:_BOOT_DIGITS]}"
"""Stands for the boot where the system names none: then only moments of one process can be compared."""


@dataclass(frozen=True)
class Uptime:
    """Seconds since the boot of this name, those included in which the machine slept."""

    boot: str
    seconds: float


ReadUptime = Callable[[], Uptime]


def system_uptime() -> Uptime:
    """The machine's."""
    try:
        boot = BOOT_ID.read_text("ascii").strip().replace("-", "")[:_BOOT_DIGITS]
    except (OSError, UnicodeDecodeError):
        boot = ""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Uptime(boot or _UNTOLD, round(time.clock_gettime(clock), 3))


@dataclass(frozen=True)
class Moment:
    """A moment by the machine's clock, and by its uptime; None where that was not noted."""

    at: datetime
    uptime: Uptime | None


def noted_uptime(boot: str | None, seconds: float | None) -> Uptime | None:
    """An uptime as it was noted; None where it was not."""
    return None if boot is None or seconds is None else Uptime(boot, seconds)


def passed(since: Moment, until: Moment) -> timedelta | None:
    """How much time went by between two moments, the later one last; None where nobody can tell.

    The uptime is exact within one boot, and says nothing beyond it. It does not count while a virtual machine was not
    there; and the clock may have been set. So it is the longer of both, and a clock that went back tells nothing.
    """
    first, last = since.uptime, until.uptime
    by_clock = until.at - since.at
    if first is None or last is None or first.boot != last.boot or by_clock < -SET_BACK:
        return None
    by_uptime = timedelta(seconds=last.seconds - first.seconds)
    return None if by_uptime < timedelta() else max(by_clock, by_uptime)


def by_todays_clock(then: Moment, now: Moment) -> datetime:
    """When a moment was, by the clock as it goes now.

    Within one boot the uptime tells how long ago it was: where the clock says otherwise, it was set in between, and
    its reading of then says nothing now. A virtual machine that was not there for a while has less uptime, so that
    what has to wait waits longer. Of a moment before this boot the clock alone tells.
    """
    first, last = then.uptime, now.uptime
    if first is None or last is None or first.boot != last.boot or last.seconds < first.seconds:
        return then.at
    moved = (now.at - then.at) - timedelta(seconds=last.seconds - first.seconds)
    return (
        then.at
        if abs(moved) <= SET_BACK
        else then.at + timedelta(minutes=round(moved / timedelta(minutes=1)))
    )
