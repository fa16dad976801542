"""`!cleanup`: remove what retention chooses."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.images.requests import Cleanup
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import NAME
from slipway.commands.images.values import version_behind


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
    whatever their flag. Latest stays unless its life has ended, and protected versions always stay.

    Where slipway.toml says so, what is due is announced first, and goes in a clean-up some days later, if it
    is due still."""
    if definition is not None and version_behind(definition):
        raise MisuseError("A clean-up is of a definition: its rules choose which versions go.", cleanup)
    return ChangeRequest(Cleanup(definition=definition), dry_run)


PARTS = (cleanup,)
