"""What reports say of problems, alarms among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.bot.chat.model import Table
from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.operations.services import Services
from slipway.bot.problems.model import Entry
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.model import Period, ReportKind, ReportView, Section, Severity

MOST_SHOWN = 15
"""Rows of the table; more are counted."""


@dataclass(frozen=True)
class Wrong:
    """The list of problems.

    Attributes:
        entries: what is wrong now, the oldest first.
        owner: whom what names nobody is for; empty for nobody.
        opened: how many came in the period.
        closed: how many were over in it.
    """

    entries: tuple[Entry, ...]
    owner: str
    opened: int = 0
    closed: int = 0


async def look_at_problems(services: Services, period: Period) -> Wrong:
    """The list, and what came and went in a period."""
    opened, closed = await services.problems.came_and_went(period.begin, period.end)
    entries = await services.problems.open_problems()
    return Wrong(entries, services.problem_view.owner, opened, closed)


def tell_problems(wrong: Wrong, view: ReportView) -> Section | None:
    """What nobody sees to first."""
    alone = [each for each in wrong.entries if each.standing(view.now) is None]
    seen_to = [each for each in wrong.entries if each.standing(view.now) is not None]
    past = f"{wrong.opened} came, {wrong.closed} went"
    monthly = view.period.kind is ReportKind.MONTHLY
    if not wrong.entries:
        if not monthly or not (wrong.opened or wrong.closed):
            return None
        return Section(f"none now; {past}", Severity.NEWS)
    now = f"{len(wrong.entries)} now" if monthly else f"{len(wrong.entries)}"
    summary = f"{now}, {len(seen_to)} seen to" if seen_to else now if monthly else f"{now} to see to"
    more = len(wrong.entries) - MOST_SHOWN
    return Section(
        summary=f"{summary}; {past}" if monthly else summary,
        severity=Severity.ATTENTION if alone else Severity.ROUTINE,
        needs=len(alone),
        calls=_owners(alone, wrong.owner),
        lines=(f"{more} more are not shown.",) if more > 0 else (),
        tables=(_table([*alone, *seen_to][:MOST_SHOWN], view),),
        notes=view.offer("More about one", f"problems {[*alone, *seen_to][0].id}"),
    )


def _owners(entries: Sequence[Entry], owner: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (each.found.owner or owner for each in entries))))


def _table(entries: Sequence[Entry], view: ReportView) -> Table:
    rows: list[Row] = [
        {
            "id": text(each.id),
            "since": moment(each.since, view.day(each.since)),
            "what": text(each.found.what, _what(each, view)),
            "source": text(each.source),
        }
        for each in entries
    ]
    return table_of({"id": "ID", "since": "Since", "what": "What"}, rows)


def _what(entry: Entry, view: ReportView) -> str:
    given = entry.standing(view.now)
    return entry.found.what if given is None else f"{entry.found.what} ({view.name(given.by)} sees to it)"


PARTS = (ReportSection("problems", "Problems", tuple(ReportKind), look_at_problems, tell_problems),)
