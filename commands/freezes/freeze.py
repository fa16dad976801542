"""`!freeze` and `!unfreeze`."""

from __future__ import annotations

from datetime import timedelta

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.freezes.requests import FreezeChanges, UnfreezeChanges
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import DURATION, FREE_TEXT


@command(
    "freeze",
    summary="Let nothing change in any cloud, for some time or until `unfreeze`.",
    examples=("freeze the release is decided on", "freeze --for 3d release week"),
    access=Access.CHANGE,
    people_only="Only a person can freeze changes, or end that.",
)
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why; everybody reads it.")
@click.option("--for", "lasting", type=DURATION, metavar="3d", help="How long; without, until `unfreeze`.")
@dry_run
async def freeze(
    call: CommandContext, reason: tuple[str, ...], lasting: timedelta | None, dry_run: bool
) -> ChangeRequest:
    """Whoever asks, the clock included: nothing is proposed, what is approved does not begin, and what runs stands
    still after the step that it is at. Votes count, holds and other notes of Slipway's own go on, and so does
    `--dry-run`. Every room is told."""
    if not reason:
        raise MisuseError("Say why everything is frozen, so that others know.", freeze)
    request = FreezeChanges(
        person=call.person.id,
        words=" ".join(reason),
        seconds=int(lasting.total_seconds()) if lasting is not None else None,
    )
    return ChangeRequest(request, dry_run)


@command(
    "unfreeze",
    summary="Let things change again.",
    examples=("unfreeze", "unfreeze the release is out"),
    access=Access.CHANGE,
    people_only="Only a person can freeze changes, or end that.",
)
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why.")
@dry_run
async def unfreeze(call: CommandContext, reason: tuple[str, ...], dry_run: bool) -> ChangeRequest:
    """Ends all that people froze, whoever it was. What was approved meanwhile begins within a minute, planned again;
    what schedules left out is not made up for. Freeze windows of the configuration go on."""
    return ChangeRequest(UnfreezeChanges(person=call.person.id, words=" ".join(reason)), dry_run)


PARTS = (freeze, unfreeze)
