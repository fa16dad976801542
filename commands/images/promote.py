"""`!promote`: make a tested image the one that launches."""

from __future__ import annotations

import click

from slipway.bot.clouds.model import VersionNumber
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.images.requests import Promote
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.grammar.values import NAME
from slipway.commands.images.values import VERSION


@command(
    "promote",
    summary="Make a candidate the version that launches by default.",
    examples=(
        "promote Fedora-Cloud-43-x64",
        "promote Fedora-Cloud-43-x64 43.20261101.0",
        "promote Fedora-Cloud-43-* --dry-run",
    ),
    access=Access.CHANGE,
)
@click.argument("definition", type=NAME, help="An image definition, or a pattern such as Fedora-Cloud-43-*.")
@click.argument("version", type=VERSION, required=False, help="Which version; without, the newest candidate.")
@dry_run
async def promote(
    call: CommandContext, definition: str, version: VersionNumber | None, dry_run: bool
) -> ChangeRequest:
    """Clears the exclude-from-latest flag. Without a version, the newest candidate that is newer than latest;
    with a pattern, that of each definition that matches. A version that was rolled back is promoted again only
    when it is named."""
    named = str(version) if version else None
    return ChangeRequest(Promote(definition=definition, version=named), dry_run)


PARTS = (promote,)
