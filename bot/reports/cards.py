"""A report in a room: one message that says how things stand, and a card for each section in its thread. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slipway.bot.chat.model import Card, Field, Tone
from slipway.bot.reports.model import Part, Period, ReportKind, ReportView, Severity

_TONES = {
    Severity.ROUTINE: Tone.INFO,
    Severity.NEWS: Tone.INFO,
    Severity.ATTENTION: Tone.WARNING,
}


def is_quiet(parts: Sequence[Part]) -> bool:
    """Whether there is nothing worth a message: nothing happened, and nobody has to do anything."""
    return all(part.section.severity is Severity.ROUTINE for part in parts)


def calls_of(parts: Sequence[Part]) -> tuple[str, ...]:
    """Who has to act, each once: ids of persons, or ``role:NAME``."""
    return tuple(dict.fromkeys(each for part in parts for each in part.section.calls))


def headline_card(parts: Sequence[Part], view: ReportView) -> Card:
    """The report's message: how many things need a person, and each section in a few words."""
    needs = sum(part.section.needs for part in parts)
    worst = max((part.section.severity for part in parts), default=Severity.ROUTINE)
    return Card(
        tone=Tone.WARNING if needs else _TONES[worst],
        title=_title(view, needs),
        text="" if parts else "There is nothing to tell.",
        fields=tuple(Field(label=part.title, value=part.section.summary) for part in parts),
    )


def detail_card(part: Part) -> Card:
    """What a section says, for the thread."""
    told = part.section
    return Card(
        tone=_TONES[told.severity],
        title=f"{part.title}: {told.summary}",
        text="\n".join(told.lines),
        tables=told.tables,
        notes=told.notes,
        shortcuts=told.shortcuts,
        pictures=part.pictures,
    )


def has_details(part: Part) -> bool:
    """Whether a section says more than its summary."""
    told = part.section
    return bool(told.lines or told.tables or told.notes or part.pictures)


def _title(view: ReportView, needs: int) -> str:
    match view.period.kind:
        case ReportKind.DAILY:
            return f"Daily digest: {_needing(needs)}"
        case ReportKind.WEEKLY:
            name = f"Weekly report, {_days(view.period, view)}"
        case ReportKind.MONTHLY:
            name = f"Monthly summary of {view.period.begin.astimezone(view.zone):%Y-%m}"
    return f"{name}: {_needing(needs)}" if needs else name


def _days(period: Period, view: ReportView) -> str:
    last = period.end - timedelta(microseconds=1)
    return f"{view.day(period.begin)} to {view.day(last)}"


def _needing(count: int) -> str:
    if not count:
        return "nothing needs a person"
    return "1 thing needs a person" if count == 1 else f"{count} things need a person"
