"""What the daily digest says of schedules: what did not run when it was due, ran late or in vain, and is
over since. What is not over stands among the problems."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.operations.services import Services
from slipway.bot.problems.model import Entry
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.model import Period, ReportKind, ReportView, Section, Severity
from slipway.bot.subjects.schedules.problems import SOURCE

MOST_SHOWN = 10
"""Lines; more are counted."""


async def look_at_missed(services: Services, period: Period) -> tuple[Entry, ...]:
    """Those of the period; pauses are people's own word, and no miss."""
    over = await services.problems.over(SOURCE, period.begin, period.end)
    return tuple(each for each in over if not each.found.key.startswith("paused "))


def tell_missed(missed: Sequence[Entry], view: ReportView) -> Section | None:
    """A line each."""
    if not missed:
        return None
    lines = [f"{each.found.what} {each.found.detail}".rstrip() for each in missed[:MOST_SHOWN]]
    more = len(missed) - MOST_SHOWN
    return Section(
        summary=f"{len(missed)} skipped, late or in vain; well again",
        severity=Severity.NEWS,
        lines=(*lines, *((f"{more} more are not shown.",) if more > 0 else ())),
        notes=view.offer("How they went last", "schedules"),
    )


SECTIONS = (
    ReportSection(
        "schedules",
        "Schedules",
        (ReportKind.DAILY,),
        look_at_missed,
        tell_missed,
        wanted=lambda services: bool(services.settings.schedule),
    ),
)
