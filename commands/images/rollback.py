"""`!rollback`: take the newest promoted image back."""

from __future__ import annotations

import click

from slipway.bot.clouds.model import VersionNumber
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.images.requests import Rollback
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import NAME
from slipway.commands.images.values import VERSION, version_behind


@command(
    "rollback",
    summary="Take latest back, so that an older promoted version launches again.",
    examples=(
        "rollback Fedora-Cloud-43-x64",
        "rollback --to 43.20261101.0 Fedora-Cloud-43-x64",
        "rollback Fedora-Cloud-43-x64 --dry-run",
    ),
    access=Access.CHANGE,
    aliases=("roll-back",),
)
@click.argument("definition", type=NAME, help="An image definition.")
@click.option("--to", type=VERSION, metavar="VERSION", help="Take back all that is newer than this one.")
@dry_run
async def rollback(
    call: CommandContext, definition: str, to: VersionNumber | None, dry_run: bool
) -> ChangeRequest:
    """Sets the exclude-from-latest flag of the newest promoted version, or with `--to` of each that is newer than
    that one, and calls it bad: it is promoted again only once somebody says that it is `good`. Nothing is deleted.
    Where several clouds have the definition, it is rolled back in each; `CLOUD:DEFINITION` means one.

    Which does what: `rollback` takes back whatever is latest, so that an older version is. `revoke` takes one version
    out of latest, whichever is latest. `bad` changes nothing that launches: it keeps a version from being
    promoted."""
    if typed := version_behind(definition):
        name, version = typed
        raise MisuseError(
            f"A rollback is of a definition: `rollback --to {version} {name}` makes {version} latest again, and "
            f"`revoke {name}/{version} REASON` takes it out of latest.",
            rollback,
        )
    request = Rollback(definition=definition, to=str(to) if to else None, person=call.person.id)
    return ChangeRequest(request, dry_run)


PARTS = (rollback,)
