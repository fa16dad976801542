"""The periods of the configuration's freeze windows: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from slipway.bot.config.settings import FreezeWindowSettings
from slipway.bot.core.cron import CronTimes
from slipway.bot.operations.freezing.model import Period, Scope


def current(windows: Iterable[FreezeWindowSettings], now: datetime) -> tuple[Period, ...]:
    """The periods that hold now."""
    return tuple(each for window in windows for each in _from(window, now, 1) if each.holds(now))


def ended(
    windows: Iterable[FreezeWindowSettings], since: datetime, now: datetime, most: int = 10
) -> tuple[Period, ...]:
    """The first few periods of each window that ended after ``since``, and up to now."""
    return tuple(each for window in windows for each in _from(window, since, most) if each.ends <= now)


def upcoming(window: FreezeWindowSettings, now: datetime, most: int = 3) -> tuple[Period, ...]:
    """The next periods of a window, the present one included."""
    return tuple(_from(window, now, most))


def _from(window: FreezeWindowSettings, moment: datetime, most: int) -> Iterator[Period]:
    """The first few periods that end later than a moment."""
    scope = Scope(window.kinds, window.clouds, window.patterns, window.may_pass)
    if window.begins is not None and window.ends is not None:
        period = Period(window.name, window.reason, window.begins, window.ends, scope)
        yield from (period,) if period.ends > moment else ()
        return
    if window.lasts is None:
        return
    lasts = window.lasts
    wall = (moment - lasts).astimezone(window.zone).replace(tzinfo=None, fold=0)
    # A time that comes twice when clocks go back is the first one; one that is passed over comes an hour later.
    begins = (
        each.replace(tzinfo=window.zone).astimezone(UTC) for each in CronTimes.of(window.cron).after(wall)
    )
    periods = (Period(window.name, window.reason, each, each + lasts, scope) for each in begins)
    yield from islice((each for each in periods if each.ends > moment), most)
