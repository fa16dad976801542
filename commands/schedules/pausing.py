"""`!schedule pause` and `!schedule resume`."""

from __future__ import annotations

from datetime import timedelta

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.schedules.requests import PauseSchedule, ResumeSchedule
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import DURATION, FREE_TEXT
from slipway.commands.schedules.values import SCHEDULE


@command(
    "schedule pause",
    summary="Let a schedule not run, for some time or until it is resumed.",
    examples=(
        "schedule pause weekly-cleanup we compare old images",
        "schedule pause --for 3d weekly-cleanup the release is under way",
    ),
    access=Access.CHANGE,
    people_only="Only a person can pause or resume a schedule.",
)
@click.argument("schedule", type=SCHEDULE, help="Its name, as `schedules` shows it.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why; others read it.")
@click.option("--for", "lasting", type=DURATION, metavar="3d", help="How long; without, until it is resumed.")
@dry_run
async def pause(
    call: CommandContext, schedule: str, reason: tuple[str, ...], lasting: timedelta | None, dry_run: bool
) -> ChangeRequest:
    """It holds over a restart. When its time is over, the schedule's room is told, and it runs again from its next
    time on: what was left out is not made up for."""
    if not reason:
        raise MisuseError("Say why it is paused, so that others know.", pause)
    request = PauseSchedule(
        person=call.person.id,
        schedule=schedule,
        words=" ".join(reason),
        seconds=int(lasting.total_seconds()) if lasting is not None else None,
    )
    return ChangeRequest(request, dry_run)


@command(
    "schedule resume",
    summary="Let a paused schedule run again.",
    examples=("schedule resume weekly-cleanup", "schedule resume weekly-cleanup the release is out"),
    access=Access.CHANGE,
    people_only="Only a person can pause or resume a schedule.",
)
@click.argument("schedule", type=SCHEDULE, help="Its name, as `schedules` shows it.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why.")
@dry_run
async def resume(
    call: CommandContext, schedule: str, reason: tuple[str, ...], dry_run: bool
) -> ChangeRequest:
    """It runs from its next time on. To make up for what was left out, say `schedule run`."""
    request = ResumeSchedule(person=call.person.id, schedule=schedule, words=" ".join(reason))
    return ChangeRequest(request, dry_run)


PARTS = (pause, resume)
