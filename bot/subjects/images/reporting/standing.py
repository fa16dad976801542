"""What is not done yet, and why: candidates that wait, removals that are announced, holds, regions that are owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.operations.services import Services
from slipway.bot.reports.model import Period, ReportView, Section, Severity
from slipway.bot.subjects.images.announcing.model import Announcement
from slipway.bot.subjects.images.holds.model import PlacedHold
from slipway.bot.subjects.images.promoting.passed_over import why_idle
from slipway.bot.subjects.images.replication.standing import Standing, line_of
from slipway.bot.subjects.images.requests import Pin, Promote
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.versions import newer_candidates, unfit

_AS_FRESH = timedelta(minutes=30)
"""How old a listing may be that says why candidates wait: the watches look as often."""

MOST_SHOWN = 15
"""Rows of a table, and lines of a list; more are counted."""


@dataclass(frozen=True)
class Waiting:
    """What `promote --due` would do now.

    Attributes:
        due: versions that meet their rules, as orders.
        why: what waits and why, a sentence each.
    """

    due: tuple[str, ...]
    why: tuple[str, ...]


async def look_at_candidates(services: Services, _period: Period) -> Waiting:
    """Plans it, and proposes nothing."""
    images = services.get(ImageServices)
    draft = await images.promoting.plan(Promote(definition="*", due=True), services.clock())
    passed_over = await _passed_over(images)
    parts = [warning.splitlines() for warning in draft.warnings]
    why = [line for first, *cases in parts for line in cases or (first,)]
    return Waiting(tuple(step.title for step in draft.steps), (*why, *passed_over))


async def _passed_over(images: ImageServices) -> list[str]:
    """Why definitions are passed over whose candidates are all held, unfit or rolled back, a sentence each."""
    now, holds = images.clock(), await images.holds.store.read()
    sentences = []
    for ref, versions in (await images.survey.read(_AS_FRESH)).listings.items():
        newer = newer_candidates(versions)
        back = (
            set(await images.history.rolled_back([Pin.of(ref, each) for each in newer])) if newer else set()
        )
        if newer and all(
            unfit(each, now) or holds.why_held(Pin.of(ref, each), now) or Pin.of(ref, each) in back
            for each in newer
        ):
            sentences.append(why_idle(ref, versions, None, now, holds))
    return sentences


def tell_candidates(waiting: Waiting, view: ReportView) -> Section | None:
    """What is due, and what is not and why."""
    due, why = waiting.due, waiting.why
    if not (due or why):
        return None
    parts = [f"{len(due)} due"] if due else []
    parts += [f"{len(why)} not yet"] if why else []
    shown = [f"Due: {each}." for each in due[:MOST_SHOWN]]
    shown += why[: MOST_SHOWN - len(shown)]
    more = len(due) + len(why) - len(shown)
    return Section(
        summary=", ".join(parts),
        severity=Severity.NEWS,
        lines=(*shown, *((f"{more} more are not shown.",) if more > 0 else ())),
        notes=view.offer("Propose what is due", "promote --due") if due else (),
    )


async def look_at_announced(services: Services, _period: Period) -> tuple[Announcement, ...]:
    """All removals that are announced."""
    return (await services.get(ImageServices).announcements.read()).every


def tell_announced(announced: Sequence[Announcement], view: ReportView) -> Section | None:
    """What a clean-up will remove, and from when on."""
    counting = sorted(
        (each for each in announced if each.counts(each.published, view.now)),
        key=lambda each: (each.until, each.subject),
    )
    if not counting:
        return None
    rows: list[Row] = [
        {
            "version": text(each.version),
            "definition": text(each.definition),
            "from": moment(each.until, view.day(each.until)),
        }
        for each in counting[:MOST_SHOWN]
    ]
    more = len(counting) - MOST_SHOWN
    first = counting[0]
    return Section(
        summary=f"{len(counting)}, from {view.day(first.until)} on",
        severity=Severity.NEWS,
        lines=(f"{more} more are not shown.",) if more > 0 else (),
        tables=(table_of({"version": "Version", "definition": "Of", "from": "From"}, rows),),
        notes=view.offer("Keep one", f"hold {first.definition}/{first.version} REASON"),
    )


@dataclass(frozen=True)
class Held:
    """The holds of a moment."""

    holds: tuple[PlacedHold, ...]


async def look_at_holds(services: Services, _period: Period) -> Held:
    """All that hold something now."""
    images = services.get(ImageServices)
    return Held((await images.holds.store.read()).active(services.clock()))


def tell_holds(held: Held, view: ReportView) -> Section | None:
    """Whose they are, until when, and why."""
    if not held.holds:
        return None
    rows: list[Row] = [
        {
            "what": text(each.definition if each.whole else f"{each.definition}/{each.version}"),
            "by": text(each.person, view.name(each.person)),
            "until": moment(each.until, "lifted" if each.until is None else view.when(each.until)),
            "reason": text(each.reason),
        }
        for each in held.holds[:MOST_SHOWN]
    ]
    ends = [each.until for each in held.holds if each.until is not None]
    soon = f", one ends {view.when(min(ends))}" if ends else ""
    return Section(
        summary=f"{len(held.holds)}{soon}",
        severity=Severity.ROUTINE,
        tables=(table_of({"what": "Held", "by": "By", "until": "Until"}, rows),),
        notes=view.offer("Why", "holds"),
    )


async def look_at_debts(services: Services, _period: Period) -> tuple[Standing, ...]:
    """What is owed anywhere."""
    return await services.get(ImageServices).replication.debts.of(None)


def tell_debts(owed: Sequence[Standing], view: ReportView) -> Section | None:
    """Where a promoted version is wanted and is not, and what comes next. What needs a person is a problem, too."""
    if not owed:
        return None
    regions = sum(len(each.regions) for each in owed)
    more = len(owed) - MOST_SHOWN
    lines = [line_of(each, view.prefix, _next(each.next_at, view)) for each in owed[:MOST_SHOWN]]
    return Section(
        summary=f"{regions} region{'' if regions == 1 else 's'} owed",
        severity=Severity.NEWS,
        lines=(*lines, *((f"{more} more are not shown.",) if more > 0 else ())),
        notes=view.offer("All of them", "regions"),
    )


def _next(at: datetime | None, view: ReportView) -> str:
    return "" if at is None else f"from {view.when(at)} on"
