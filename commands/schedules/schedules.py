"""`!schedules`: what the clock says, how that went, and who paused it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import click

from slipway.bot.chat.model import Card, Field, Tone
from slipway.bot.chat.tables import Cell, Row, table_of, text
from slipway.bot.config.settings import Missed, ScheduleMode, ScheduleSettings
from slipway.bot.core.commands import command
from slipway.bot.core.errors import UserError
from slipway.bot.core.patterns import fits
from slipway.bot.core.text import fit_for_a_line
from slipway.bot.core.times import format_duration, format_span, format_time
from slipway.bot.subjects.schedules.model import Fate, LastRun, Pause
from slipway.bot.subjects.schedules.pausing import check_known
from slipway.bot.subjects.schedules.services import ScheduleServices
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.schedules.values import SCHEDULE

_COLUMNS = {"schedule": "Schedule", "last": "Last", "next": "Next"}

_RESULT = 40
"""Signs of what became of a run that stand in the list: the table is to fit a phone."""

_MODES = {
    ScheduleMode.POLICY: "",
    ScheduleMode.RUN: "made at once, unless the plan itself demands an approval",
    ScheduleMode.ASK: "made once somebody has agreed",
    ScheduleMode.REPORT: "reported, and not made",
}


@command(
    "schedules",
    summary="What runs on a schedule: how it went last, when it runs next, who paused it.",
    examples=("schedules", "schedules weekly-cleanup", "schedules weekly-*"),
    aliases=("schedule",),
)
@click.argument("schedule", type=SCHEDULE, required=False, help="One of them, or a pattern; without, all.")
async def schedules(call: CommandContext, schedule: str | None) -> CardReply:
    """One by its name is shown with its line, its times and its rules."""
    held = call.services.get(ScheduleServices)
    pattern = schedule is not None and any(sign in schedule for sign in "*?[")
    if schedule is not None and not pattern:
        check_known(schedule, held.names)
    view = _View(call, await held.store.runs(), await held.store.pauses())
    entries = call.services.settings.schedule
    if schedule is not None and pattern:
        entries = tuple(each for each in entries if fits(each.name, schedule))
        if not entries:
            raise UserError(f"No schedule fits `{schedule}`.", hint="schedules")
    elif schedule is not None:
        return CardReply(await view.one(next(each for each in entries if each.name == schedule)))
    if not entries:
        return CardReply(Card(title="Nothing runs on a schedule."), nothing_to_do=True)
    return CardReply(await view.all(entries))


class _View:
    """Cards of schedules, by what is known of them."""

    def __init__(
        self, call: CommandContext, runs: Mapping[str, LastRun], pauses: Mapping[str, Pause]
    ) -> None:
        self._call = call
        self._now = call.services.clock()
        self._runs = runs
        self._pauses = {name: each for name, each in pauses.items() if each.holds(self._now)}
        self._next = dict(call.services.upcoming())

    async def all(self, entries: tuple[ScheduleSettings, ...]) -> Card:
        """The list: three columns, which fit a phone; what needs a sentence stands below."""
        rows = [await self._row(each) for each in entries]
        notes = [trouble for each in entries if (trouble := self._trouble(each))]
        paused = [self._paused(each) for each in entries if each.name in self._pauses]
        table = table_of(_COLUMNS, rows)
        title = f"{len(rows)} schedule{'' if len(rows) == 1 else 's'}"
        tone = Tone.WARNING if notes else Tone.INFO
        return Card(tone=tone, title=title, tables=(table,), notes=(*paused, *notes))

    async def one(self, entry: ScheduleSettings) -> Card:
        """All about one."""
        prefix = self._call.prefix
        run = self._runs.get(entry.name)
        next_at = self._next.get(entry.name)
        fields = [
            Field(label="Says", value=f"`{prefix}{entry.command}`"),
            Field(label="At", value=f"`{entry.cron}` {entry.zone.key}"),
            Field(
                label="Room",
                value=f"{entry.room}{', where there is something to say' if entry.quiet else ''}",
            ),
            Field(label="Roles", value=", ".join(entry.roles)),
            *([Field(label="Changes", value=mode)] if (mode := _MODES[entry.mode]) else []),
            Field(label="If missed", value=_missed(entry)),
        ]
        if entry.jitter is not None:
            fields.append(Field(label="Jitter", value=f"up to {format_duration(entry.jitter)} later"))
        if run is not None:
            at = format_time(_when(run), entry.zone)
            by = f" by {self._call.services.cards.name(run.by)}" if run.by else ""
            fields.append(Field(label="Last", value=f"{at}{by}: {await self._result(run)}"))
        if not entry.enabled:
            fields.append(Field(label="Next", value="switched off in slipway.toml"))
        elif next_at is not None:
            fields.append(Field(label="Next", value=format_time(next_at, entry.zone)))
        notes = [self._paused(entry)] if entry.name in self._pauses else []
        if trouble := self._trouble(entry):
            notes.append(trouble)
        offers = {"Now": f"schedule run {entry.name}"}
        if entry.name in self._pauses:
            offers["Let it run again"] = f"schedule resume {entry.name}"
        notes += [f"{label}: `{prefix}{line}`" for label, line in offers.items() if self._call.may(line)]
        return Card(title=entry.name, fields=tuple(fields), notes=tuple(notes))

    async def _row(self, entry: ScheduleSettings) -> Row:
        run = self._runs.get(entry.name)
        last = text(None, "-")
        if run is not None:
            ago = format_span(self._now - _when(run))
            result = await self._result(run)
            last = text(result, f"{ago} ago: {fit_for_a_line(result, _RESULT)}")
        next_at = self._next.get(entry.name)
        if not entry.enabled:
            coming = Cell("switched off", None)
        elif entry.name in self._pauses:
            coming = Cell("paused", None)
        elif next_at is None:
            coming = Cell("never", None)
        else:
            here = next_at.astimezone(entry.zone)
            words = f"{here:%a} {here.day} {here:%b %H:%M}, in {format_span(next_at - self._now)}"
            coming = Cell(words, next_at.isoformat())
        return {
            "schedule": text(entry.name),
            "last": last,
            "next": coming,
            "at": Cell("", run.at.isoformat() if run is not None else None),
            "by": text(run.by if run is not None else None),
        }

    async def _result(self, run: LastRun) -> str:
        """What became of a run, in a few words."""
        if run.fate is Fate.SKIPPED:
            return "skipped"
        if run.fate is Fate.PAUSED:
            return "left out"
        if run.fate is Fate.FROZEN:
            return "left out, as changes were frozen"
        if run.operation_id is not None:
            operation = await self._call.services.operations.find(run.operation_id)
            if operation is not None:
                return f"{operation.state.value} ({operation.id})"
        return run.outcome or ("not answered" if run.unanswered(self._now) else "under way")

    def _trouble(self, entry: ScheduleSettings) -> str:
        """That it did not run when it was due, and why; empty where all is well, or a pause says it."""
        run = self._runs.get(entry.name)
        trouble = run.trouble(self._now, paused=False) if run is not None else ""
        return f"{trouble} {run.why}".strip() if run is not None and trouble else ""

    def _paused(self, entry: ScheduleSettings) -> str:
        pause = self._pauses[entry.name]
        until = f"until {format_time(pause.until, entry.zone)}" if pause.until else "until it is resumed"
        who = self._call.services.cards.name(pause.person)
        return f"{entry.name} is paused by {who} {until}: {pause.reason}"


def _when(run: LastRun) -> datetime:
    """When it ran; of a time that was left out, when that was."""
    return run.at if run.fate is Fate.RAN else run.due


def _missed(entry: ScheduleSettings) -> str:
    """What becomes of its times in which the bot was down."""
    if entry.missed is Missed.SKIP:
        return "it is told, and does not run"
    return f"it runs once, if that is {format_duration(entry.max_late)} late at most"


PARTS = (schedules,)
