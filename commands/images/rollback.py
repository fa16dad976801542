"""`!rollback`: take the newest promoted image back."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.images.requests import Rollback
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.grammar.values import NAME


@command(
    "rollback",
    summary="Take latest back, so that the promoted version before it launches again.",
    examples=("rollback Fedora-Cloud-43-x64", "rollback Fedora-Cloud-43-x64 --dry-run"),
    access=Access.CHANGE,
    aliases=("roll-back",),
)
@click.argument("definition", type=NAME, help="An image definition.")
@dry_run
async def rollback(call: CommandContext, definition: str, dry_run: bool) -> ChangeRequest:
    """Sets the exclude-from-latest flag of the newest promoted version. Nothing is deleted, and promoting it
    again undoes this."""
    return ChangeRequest(Rollback(definition=definition), dry_run)


PARTS = (rollback,)
