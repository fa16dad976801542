"""The page of what the clock says."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.config.settings import ScheduleSettings
from slipway.bot.core.http.messages import HttpRequest, HttpResponse
from slipway.bot.subjects.schedules.model import Fate, LastRun, Pause
from slipway.bot.subjects.schedules.services import ScheduleServices
from slipway.bot.web.pages.html import Child, Html, join, tag
from slipway.bot.web.pages.parts import ROOT, Frame, badge, operation_link, table
from slipway.bot.web.pages.sources import PageSources

_HERE = f"{ROOT}/schedules"


async def listing(sources: PageSources, frame: Frame, _request: HttpRequest) -> HttpResponse:
    """Every schedule: when it is due, how it ran last, whether it is paused."""
    store = sources.services.get(ScheduleServices).store
    runs, pauses = await store.runs(), await store.pauses()
    due = dict(sources.services.upcoming())
    rows = []
    for entry in sources.services.settings.schedule:
        pause = pauses.get(entry.name)
        held = pause if pause is not None and pause.holds(frame.now) else None
        next_at = frame.time(due.get(entry.name))
        rows.append(
            (
                tag("strong", entry.name),
                tag("code", f"{sources.prefix}{entry.command}"),
                join(tag("code", entry.cron), f" {entry.zone.key}"),
                next_at,
                _last(runs.get(entry.name), frame),
                _standing(entry, held, sources, frame),
            )
        )
    heads = ("Schedule", "Line", "When", "Next", "Last", "State")
    return frame.page("Schedules", _HERE, table("Schedules", heads, rows, "There are none."), again=_HERE)


def _last(run: LastRun | None, frame: Frame) -> Child:
    if run is None:
        return "-"
    about = operation_link(run.operation_id) if run.operation_id else None
    words: Sequence[Child] = (f" {run.outcome}" if run.outcome else None, " " if about else None, about)
    return join(frame.time(run.due), " ", _fate(run), *words)


def _fate(run: LastRun) -> Html:
    match run.fate:
        case Fate.RAN if run.failed:
            return badge("✘", "failed", "bad")
        case Fate.RAN:
            return badge("✔", "ran", "good")
        case Fate.SKIPPED:
            return badge("✘", "skipped", "waits")
        case Fate.PAUSED:
            return badge("‖", "left out", "over")
        case Fate.FROZEN:
            return badge("‖", "left out: frozen", "waits")


def _standing(entry: ScheduleSettings, pause: Pause | None, sources: PageSources, frame: Frame) -> Html:
    if not entry.enabled:
        return badge("-", "switched off", "over")
    if pause is None:
        return badge("✔", "on", "good")
    until = join(" until ", frame.time(pause.until)) if pause.until else None
    reason = f": {pause.reason}" if pause.reason else None
    return join(badge("‖", "paused", "waits"), until, f" by {sources.name(pause.person)}", reason)
