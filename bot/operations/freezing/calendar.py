"""The periods of the configuration's freeze windows: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

from slipway.bot.config.settings import FreezeWindowSettings
from slipway.bot.core.cron import CronTimes
from slipway.bot.operations.freezing.model import Period, Scope

_CLOCK_CHANGE = timedelta(hours=3)
"""More than clocks are set forward or back at once: by no more does the order of begins differ from the wall's."""


def current(windows: Iterable[FreezeWindowSettings], now: datetime) -> tuple[Period, ...]:
    """The periods that hold now; of one window's that overlap, the oldest."""
    return tuple(period for window in windows for period in islice(_holding(window, now), 1))


def _holding(window: FreezeWindowSettings, now: datetime) -> Iterator[Period]:
    near = takewhile(lambda each: each.begins <= now + _CLOCK_CHANGE, _from(window, now))
    return (each for each in near if each.holds(now))


def ended(
    windows: Iterable[FreezeWindowSettings], since: datetime, now: datetime, most: int = 10
) -> tuple[Period, ...]:
    """The first few periods of each window that ended after ``since``, and up to now."""
    return tuple(
        each for window in windows for each in islice(_from(window, since), most) if each.ends <= now
    )


def upcoming(window: FreezeWindowSettings, now: datetime, most: int = 3) -> tuple[Period, ...]:
    """The next periods of a window, the present one included."""
    return tuple(islice(_from(window, now), most))


def _from(window: FreezeWindowSettings, moment: datetime) -> Iterator[Period]:
    """The periods that end later than a moment."""
    scope = Scope(window.kinds, window.clouds, window.patterns, window.may_pass)
    if window.begins is not None and window.ends is not None:
        period = Period(window.name, window.reason, window.begins, window.ends, scope)
        yield from (period,) if period.ends > moment else ()
        return
    if window.lasts is None:
        return
    lasts = window.lasts
    # A time that comes twice when clocks go back is the first one; one that is passed over comes an hour later: then
    # clocks show more than it says when it begins, and it is found from earlier on.
    wall = (moment - lasts - _CLOCK_CHANGE).astimezone(window.zone).replace(tzinfo=None, fold=0)
    begins = (
        each.replace(tzinfo=window.zone).astimezone(UTC) for each in CronTimes.of(window.cron).after(wall)
    )
    periods = (Period(window.name, window.reason, each, each + lasts, scope) for each in begins)
    yield from (each for each in periods if each.ends > moment)
