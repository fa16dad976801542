"""`!credential snooze` and `!credential done`: answers to a reminder."""

from __future__ import annotations

from datetime import timedelta

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.credentials.answers import USUAL_SNOOZE
from slipway.bot.subjects.credentials.requests import Done, Snooze
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.grammar.values import DURATION, NAME


@command(
    "credential snooze",
    summary="Be reminded of a credential's end later, and never after it.",
    examples=("credential snooze uploader/1f2e3d4c", "credential snooze --for 5d web"),
    access=Access.CHANGE,
    people_only="Only a person can put a reminder off.",
)
@click.argument("name", type=NAME, help="Which, as `credentials` shows it.")
@click.option("--for", "lasting", type=DURATION, metavar="3d", help="How long; without, three days.")
@dry_run
async def snooze(call: CommandContext, name: str, lasting: timedelta | None, dry_run: bool) -> ChangeRequest:
    """However long you ask for, the last reminder before the end stays, or comes a day before it; what has ended is
    put off no more."""
    seconds = int((lasting or USUAL_SNOOZE).total_seconds())
    return ChangeRequest(Snooze(person=call.person.id, name=name, seconds=seconds), dry_run)


@command(
    "credential done",
    summary="Say that a credential is seen to; its source has to show it.",
    examples=("credential done uploader/1f2e3d4c", "credential done --dry-run web"),
    access=Access.CHANGE,
)
@click.argument("name", type=NAME, help="Which, as `credentials` shows it.")
@dry_run
async def done(call: CommandContext, name: str, dry_run: bool) -> ChangeRequest:
    """Looked up, not believed: its source has to show another one in its place. What is renewed, or gone, is noticed
    without this."""
    return ChangeRequest(Done(person=call.person.id, name=name), dry_run)


PARTS = (snooze, done)
