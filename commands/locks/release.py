"""`!lock release`: take a lock from an operation that is stuck."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.locks.requests import ReleaseLock
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import FREE_TEXT, OPERATION_ID


@command(
    "lock release",
    summary="Take the lock from an operation that was stopped, and whose step does not end.",
    examples=("lock release op-7k3f the cloud answers nothing since yesterday",),
    access=Access.CHANGE,
    people_only="Only a person can release a lock: somebody has to have looked.",
)
@click.argument("operation", type=OPERATION_ID, help="The operation that has it, as `locks` shows it.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why; others read it.")
@dry_run
async def release(
    call: CommandContext, operation: str, reason: tuple[str, ...], dry_run: bool
) -> ChangeRequest:
    """Two operations at once on one thing would contradict each other, so one that is at work keeps its lock:
    `cancel` stops it before its next step, and its lock goes with its end. Where the step under way does not end
    within a quarter of an hour, its lock can be taken away."""
    if not reason:
        raise MisuseError("Say why it is released, so that others know.", release)
    request = ReleaseLock(person=call.person.id, operation=operation, words=" ".join(reason))
    return ChangeRequest(request, dry_run)


PARTS = (release,)
