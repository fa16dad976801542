"""`!schedule run`: what a schedule says, said now."""

from __future__ import annotations

import click

from slipway.bot.chat.model import Address
from slipway.bot.config.settings import ScheduleMode
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.schedules.model import Fate, LastRun
from slipway.bot.subjects.schedules.pausing import check_known
from slipway.bot.subjects.schedules.services import ScheduleServices
from slipway.commands.dispatch.context import CommandContext, LineReply
from slipway.commands.dispatch.responses import Response
from slipway.commands.grammar.reading import Line
from slipway.commands.grammar.registry import Resolved
from slipway.commands.schedules.values import SCHEDULE


@command(
    "schedule run",
    summary="Say now what a schedule says, with your own rights.",
    examples=("schedule run weekly-cleanup", "schedule run --dry-run weekly-cleanup"),
    access=Access.CHANGE,
    people_only="Only a person can run a schedule: a schedule says that one's own line instead.",
)
@click.argument("schedule", type=SCHEDULE, help="Its name, as `schedules` shows it.")
@dry_run
async def run(call: CommandContext, schedule: str, dry_run: bool) -> LineReply:
    """As if you had typed its line here: you need the right to that, too, and whoever must agree to what you want
    must agree to this. A pause does not keep you from it, and what is only to be reported is only reported."""
    services = call.services
    held = services.get(ScheduleServices)
    check_known(schedule, held.names)
    entry = next(each for each in services.settings.schedule if each.name == schedule)
    reading = call.registry.read(entry.command, Address.DIRECT, call.prefix)
    found = call.registry.resolve(reading.name, reading.args) if isinstance(reading, Line) else None
    if isinstance(found, Resolved) and found.command.name == run.name:
        raise UserError(f"{schedule} runs a schedule itself.", hint="schedules")
    told_only = dry_run or (
        entry.mode is ScheduleMode.REPORT and isinstance(found, Resolved) and found.command.changes
    )

    async def note(response: Response) -> None:
        if dry_run or response.failed:  # it did not run, whatever was to be made up for
            return
        now = held.clock()
        await held.store.note(
            LastRun(
                schedule,
                now,
                now,
                Fate.RAN,
                by=call.person.id,
                key=call.event_key,
                outcome=response.in_short,
                operation_id=response.operation_id,
            )
        )

    return LineReply(entry.command, dry_run=told_only, answered=note)


PARTS = (run,)
