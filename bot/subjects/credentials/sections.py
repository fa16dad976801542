"""What reports say of credentials, by what the watch saw last: no source is asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway.bot.chat.model import Table
from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.services import Services
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.model import Period, ReportKind, ReportView, Section, Severity
from slipway.bot.subjects.credentials.services import CredentialServices

MOST_SHOWN = 15
"""Rows of the table; more are counted."""

_NEVER = datetime.max.replace(tzinfo=UTC)

SUBJECT = "credentials"
"""The subject's name: what was done about credentials are its kinds of operation."""


@dataclass(frozen=True)
class Ending:
    """A credential that somebody has to see to.

    Attributes:
        owner: a person's id, or ``role:NAME``.
        owner_name: the same in words.
        over: whether it has ended, or is too old; that stands in the list of problems, too.
        put_off: until when somebody has put its reminder off; None for nobody.
    """

    name: str
    ends_at: datetime | None
    owner: str
    owner_name: str
    over: bool
    put_off: datetime | None = None

    def waits(self, now: datetime) -> bool:
        """Whether its owner is to be called: it ends soon, and nobody has put that off."""
        return not self.over and (self.put_off is None or self.put_off <= now)


@dataclass(frozen=True)
class Credentials:
    """How credentials stand.

    Attributes:
        watched: how many there are.
        ending: those that ended, or of which the owner is reminded, the first to end first.
        unread: entries that cannot be read, with why.
    """

    watched: int
    ending: tuple[Ending, ...]
    unread: Mapping[str, str]


async def look_at_credentials(services: Services, _period: Period) -> Credentials:
    """What was seen last."""
    held = services.get(CredentialServices)
    entries = await held.watcher.seen() if held.watcher is not None else {}
    ending = [
        Ending(
            each.name,
            each.ends_at,
            held.owner_id(name),
            held.owner_in_words(name),
            each.overdue,
            each.put_off,
        )
        for name, entry in entries.items()
        for each in entry.credentials.values()
        if each.overdue or each.reminded is not None
    ]
    unread = {name: entry.problem for name, entry in entries.items() if entry.outage_told}
    watched = sum(len(entry.credentials) for entry in entries.values())
    return Credentials(watched, tuple(sorted(ending, key=_first)), unread)


def _first(ending: Ending) -> tuple[datetime, str]:
    return ending.ends_at or _NEVER, ending.name


def tell_credentials(found: Credentials, view: ReportView) -> Section | None:
    """What ended and what ends soon, with whose it is."""
    over = [each for each in found.ending if each.over]
    soon = [each for each in found.ending if not each.over]
    if not (over or soon or found.unread):
        return None
    waiting = [each for each in soon if each.waits(view.now)]
    put_off = f" ({len(soon) - len(waiting)} put off)" if len(waiting) < len(soon) else ""
    parts = [f"{len(soon)} end{'s' if len(soon) == 1 else ''} soon{put_off}"] if soon else []
    parts += [f"{len(over)} ended"] if over else []
    parts += [f"{len(found.unread)} not readable"] if found.unread else []
    more = len(found.ending) - MOST_SHOWN
    return Section(
        summary=", ".join(parts),
        severity=Severity.ATTENTION if over or waiting or found.unread else Severity.ROUTINE,
        needs=len(waiting),
        calls=tuple(dict.fromkeys(each.owner for each in waiting)),
        lines=(
            *(f"{name} could not be read: {why}" for name, why in found.unread.items()),
            *((f"{more} more are not shown.",) if more > 0 else ()),
        ),
        tables=(ending_table(found.ending[:MOST_SHOWN], view),) if found.ending else (),
        notes=view.offer("All of them", "credentials"),
    )


def ending_table(ending: Sequence[Ending], view: ReportView) -> Table:
    """What ends or ended, when, and whose it is."""
    rows: list[Row] = [
        {
            "name": text(each.name),
            "ends": moment(each.ends_at, f"{view.day(each.ends_at)}{', over' if each.over else ''}"),
            "owner": text(each.owner, each.owner_name),
        }
        for each in ending
    ]
    return table_of({"name": "Name", "ends": "Ends", "owner": "Owner"}, rows)


@dataclass(frozen=True)
class Month:
    """What became of credentials in a period.

    Attributes:
        done: how many operations about them were done, by kind.
        ended: those whose end was in it, as far as they are still seen.
        now: how they stand at its end.
    """

    done: Mapping[str, int]
    ended: tuple[str, ...]
    now: Credentials


async def look_at_month(services: Services, period: Period) -> Month:
    """What was done about credentials, and which ended."""
    held = services.get(CredentialServices)
    entries = await held.watcher.seen() if held.watcher is not None else {}
    ended = sorted(
        each.name
        for entry in entries.values()
        for each in entry.credentials.values()
        if period.holds(each.ends_at)
    )
    registry = services.subjects.registry
    counts = await services.ended.counts(period.begin, period.end)
    done = {
        kind: count
        for (kind, state), count in counts.items()
        if state is OperationState.DONE and kind in registry.kinds and registry.owner(kind).name == SUBJECT
    }
    return Month(done, tuple(ended), await look_at_credentials(services, period))


_WORDS = {
    "credential-rotate": "rotated",
    "credential-remove": "removed",
    "credential-done": "seen to",
    "credential-snooze": "put off",
}
"""What operations on credentials come to, behind how many there were."""


def tell_month(month: Month, _view: ReportView) -> Section | None:
    """Rotated, answered, ended, and how many there are now."""
    if not month.now.watched:
        return None
    done = [f"{count} {_WORDS.get(kind, kind)}" for kind, count in month.done.items()]
    ended = [f"{len(month.ended)} ended"] if month.ended else []
    lines = [f"Ended in it: {', '.join(month.ended[:MOST_SHOWN])}."] if month.ended else []
    lines += [f"Done about them: {', '.join(done)}."] if done else []
    return Section(
        summary=", ".join((f"{month.now.watched} now", *ended)),
        severity=Severity.NEWS,
        lines=tuple(lines),
    )


def _configured(services: Services) -> bool:
    return bool(services.get(CredentialServices).inventory.entries)


SECTIONS = (
    ReportSection(
        "credentials",
        "Credentials",
        (ReportKind.DAILY, ReportKind.WEEKLY),
        look_at_credentials,
        tell_credentials,
        wanted=_configured,
    ),
    ReportSection(
        "credentials-of-month",
        "Credentials",
        (ReportKind.MONTHLY,),
        look_at_month,
        tell_month,
        wanted=_configured,
    ),
)
