"""What a report is made of: a section each, by whichever subject knows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

from slipway.bot.chat.model import Shortcut, Table
from slipway.bot.chat.pictures import Picture
from slipway.bot.core.times import in_zone

_SAME_YEAR = timedelta(days=183)
"""A day that is nearer than this is the nearest one of its name."""


class ReportKind(StrEnum):
    """Which report."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class Period:
    """What a report looks back on.

    Attributes:
        kind: which report it is of.
        begin: its first moment.
        end: the first moment after it; for a report of how things stand, the present.
    """

    kind: ReportKind
    begin: datetime
    end: datetime

    def holds(self, moment: datetime | None) -> bool:
        """Whether a moment is in it."""
        return moment is not None and self.begin <= moment < self.end


class Severity(IntEnum):
    """How much a section matters: what matters most stands first, and where it is to be quiet, less than news is not
    worth a message."""

    ROUTINE = 0  # how things stand, as every day
    NEWS = 1  # something happened, or will soon
    ATTENTION = 2  # somebody should see to something


@dataclass(frozen=True)
class Section:
    """What one subject has to say.

    Attributes:
        summary: all of it in a few words, for the report's message: ``2 wait``.
        severity: how much it matters.
        needs: how many things in it need a person.
        calls: who has to act: ids of persons, or ``role:NAME``; nobody else is called.
        lines: what there is to say, a sentence each.
        tables: the same as rows; of three columns at most, and short cells, so that a phone shows them.
        notes: what to type next.
        shortcuts: the same as buttons.
    """

    summary: str
    severity: Severity = Severity.ROUTINE
    needs: int = 0
    calls: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()


def everybody(_line: str) -> bool:
    """What a room is told is read by those who may, too."""
    return True


@dataclass(frozen=True)
class ReportView:
    """What sections are written with.

    Attributes:
        now: the present.
        period: what the report looks back on.
        zone: of times.
        prefix: of command lines.
        name: what to call a person by their id.
        may: whether those who read it may use a command.
    """

    now: datetime
    period: Period
    zone: ZoneInfo
    prefix: str
    name: Callable[[str], str]
    may: Callable[[str], bool] = everybody

    def offer(self, words: str, line: str) -> tuple[str, ...]:
        """What to type next, as a note; none to those who may not."""
        return (f"{words}: `{self.prefix}{line}`",) if self.may(line) else ()

    def when(self, moment: datetime | None) -> str:
        """A moment near the present, short: the time of today, else the day; a dash where there is none."""
        if moment is None:
            return "-"
        here, today = in_zone(moment, self.zone), self.now.astimezone(self.zone)
        if here.date() == today.date():
            return f"{here:%H:%M}"
        return f"{here:%d %b %H:%M}" if abs(here - today) < timedelta(days=7) else f"{here.date()}"

    def day(self, moment: datetime | None) -> str:
        """The day of a moment, with its year where that may not be the one that comes to mind; a dash where there is
        none."""
        if moment is None:
            return "-"
        here = in_zone(moment, self.zone)
        return f"{here:%d %b}" if abs(moment - self.now) < _SAME_YEAR else f"{here.date()}"


@dataclass(frozen=True)
class Part:
    """A section of a report that was made.

    Attributes:
        name: the declaration's.
        title: its heading.
        section: what it says.
        pictures: what goes with it.
    """

    name: str
    title: str
    section: Section
    pictures: tuple[Picture, ...] = ()
