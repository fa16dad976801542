"""Time as a person writes and reads it. Inside, every time is an aware UTC datetime."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Gives the present moment as an aware UTC datetime. Injected everywhere, so that tests own time."""

_DURATION = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?", re.ASCII)


_TIME_OF_DAY = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d", re.ASCII)
_DATE_AND_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", re.ASCII)
_MOMENT_OF_UTC = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2} \d{2}:\d{2}) UTC\b", re.ASCII)
_FARTHEST = timedelta(days=366)


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


def parse_duration(text: str) -> timedelta:
    """Read a duration such as ``90m``, ``2h30m`` or ``3d``.

    Units are d, h, m and s, in that order, each at most once.

    Raises:
        ValueError: the text is not a duration, or it is zero.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        raise ValueError(f"“{text}” is not a duration; write it like 90m, 2h30m or 3d")
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not duration:
        raise ValueError(f"“{text}” is no time at all; write it like 90m, 2h30m or 3d")
    return duration


def format_duration(duration: timedelta) -> str:
    """Write a duration as :func:`parse_duration` reads it, whole seconds, largest unit first."""
    left = max(0, int(duration.total_seconds()))
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def format_span(span: timedelta) -> str:
    """How long something has been or will be, for a glance: the two largest units, as in ``2d12h``.

    A duration that somebody gave, and might give again, is :func:`format_duration`'s.
    """
    seconds = max(0, int(span.total_seconds()))
    smallest = 3600 if seconds >= 86400 else 60 if seconds >= 3600 else 1
    return format_duration(timedelta(seconds=seconds - seconds % smallest))


def parse_moment(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Read a moment that is to come: ``2026-12-01T09:00``, ``18:00`` (the next one), or ``2h`` from now.

    Args:
        text: what was typed.
        now: the present.
        zone: what a time without a zone is meant in.

    Raises:
        ValueError: it is no moment, or has passed, or is more than a year away.
    """
    plain = text.strip()
    moment = _at_a_time(plain, now, zone) or _at_a_date(plain, zone)
    if moment is None:
        try:
            moment = now + parse_duration(plain)
        except ValueError:
            raise ValueError(f"“{text}” is no time; write it like 18:00, 2h or YYYY-MM-DDTHH:MM") from None
    if moment <= now:
        raise ValueError(f"{format_time(moment, zone)} has passed; write a time that is to come")
    if moment > now + _FARTHEST:
        raise ValueError(f"{format_time(moment, zone)} is more than a year away")
    return moment


def _at_a_time(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    if _TIME_OF_DAY.fullmatch(text) is None:
        return None
    hour, minute = map(int, text.split(":"))
    here = now.astimezone(zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
    later = here if here.astimezone(UTC) > now else here + timedelta(days=1)
    return later.astimezone(UTC)


def _at_a_date(text: str, zone: ZoneInfo) -> datetime | None:
    if _DATE_AND_TIME.match(text) is None:
        return None
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (
        ValueError,
        OverflowError,
    ):  # the first and the last day of the calendar are in some zones beyond it
        return None


def in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment by the clocks of a zone; as it is, where that would be beyond the calendar's first or last day."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def format_time(moment: datetime, zone: ZoneInfo) -> str:
    """A moment for people, with its zone: ``2026-11-20 14:05 UTC``."""
    here = in_zone(moment, zone)
    return f"{here.date()} {here:%H:%M %Z}"


def moments_in_zone(text: str, zone: ZoneInfo) -> str:
    """The same text with each moment of UTC in it, as plans and steps have them, as its reader's clocks show it."""
    return _MOMENT_OF_UTC.sub(lambda found: _shown_in(found, zone), text)


def _shown_in(found: re.Match[str], zone: ZoneInfo) -> str:
    try:
        return format_time(datetime.fromisoformat(f"{found[1]}+00:00"), zone)
    except (ValueError, OverflowError):  # it only looks like one, or is beyond the calendar there
        return found[0]


def format_date(moment: datetime | None) -> str:
    """The UTC date of a moment, or a dash where there is none."""
    return str(moment.astimezone(UTC).date()) if moment else "-"
