"""`!cleanup`: remove what retention chooses."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.images.requests import Cleanup
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.grammar.values import NAME


@command(
    "cleanup",
    summary="Delete old versions, each by a rule that the plan names.",
    examples=("cleanup --dry-run", "cleanup Fedora-Cloud-43-x64", "cleanup Fedora-Cloud-Rawhide-*"),
    access=Access.CHANGE,
    aliases=("clean-up",),
)
@click.argument(
    "definition", type=NAME, required=False, help="An image definition or a pattern; without, all."
)
@dry_run
async def cleanup(call: CommandContext, definition: str | None, dry_run: bool) -> ChangeRequest:
    """Ended versions go; of the candidates only the newest stay; in rolling definitions only the newest stay,
    whatever their flag. Latest stays unless its life has ended, and protected versions always stay."""
    return ChangeRequest(Cleanup(definition=definition), dry_run)


PARTS = (cleanup,)
