"""What each report looks back on: pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from slipway.bot.reports.model import Period, ReportKind

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


def last_day(now: datetime) -> Period:
    """The last 24 hours."""
    return Period(ReportKind.DAILY, now - timedelta(days=1), now)


def last_week(now: datetime) -> Period:
    """The last seven days."""
    return Period(ReportKind.WEEKLY, now - timedelta(days=7), now)


def last_month(now: datetime, zone: ZoneInfo) -> Period:
    """The calendar month that ended last, by a zone."""
    here = now.astimezone(zone)
    year, month = (here.year, here.month - 1) if here.month > 1 else (here.year - 1, 12)
    return _month(year, month, zone)


def is_month(text: str) -> bool:
    """Whether this can be the name of a month."""
    found = _MONTH.fullmatch(text.strip())
    return found is not None and 1970 <= int(found[1]) < 9999


def named_month(text: str, now: datetime, zone: ZoneInfo) -> Period:
    """The month that is written as ``2026-11``; of the present one, what there is of it.

    Raises:
        ValueError: it is no month, or has not begun.
    """
    if not is_month(text):
        raise ValueError(f"“{text}” is no month; write it like {now.astimezone(zone):%Y-%m}")
    year, month = text.strip().split("-")
    period = _month(int(year), int(month), zone)
    if period.begin > now:
        raise ValueError(f"{text} has not begun")
    return Period(period.kind, period.begin, min(period.end, now))


def _month(year: int, month: int, zone: ZoneInfo) -> Period:
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    begin, end = (datetime(*first, 1, tzinfo=zone).astimezone(UTC) for first in ((year, month), following))
    return Period(ReportKind.MONTHLY, begin, end)
