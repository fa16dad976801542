"""`!restore`: bring a version back that was disabled or deleted."""

from __future__ import annotations

import click

from slipway.bot.clouds.model import VersionNumber
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.images.restoring.requests import Restore
from slipway.bot.subjects.images.services import ImageServices
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.images.kept import read_kept
from slipway.commands.images.values import IMAGE, VERSION, ImageName, with_version

_SHOWN = 10


@command(
    "restore",
    summary="Bring back a version that was disabled or deleted, for as long as its cloud keeps it.",
    examples=(
        "restore Fedora-Cloud-43-x64/43.20261020.0",
        "restore Fedora-Cloud-43-x64/43.20261020.0 --dry-run",
    ),
    access=Access.CHANGE,
    aliases=("undelete",),
)
@click.argument("image", type=IMAGE, help="Which version, such as Fedora-Cloud-43-x64/43.20261020.0.")
@click.argument("version", type=VERSION, required=False, metavar="")
@dry_run
async def restore(
    call: CommandContext, image: ImageName, version: VersionNumber | None, dry_run: bool
) -> ChangeRequest:
    """It comes back as a candidate in each cloud that keeps it, and is never latest by that: `promote` is for it.
    On AWS that is for what is disabled, until a clean-up deletes it, and for what the account's Recycle Bin keeps
    then; on Azure for what was deleted while the gallery had soft delete on, for seven days. Without a version it
    says what can be restored, and until when, as `images DEFINITION` does."""
    named = with_version(image, version, restore)
    if named.version_text is None:
        raise await _which(call, named.definition)
    return ChangeRequest(Restore(definition=named.definition, version=named.version_text), dry_run)


async def _which(call: CommandContext, definition: str) -> UserError:
    """What can be restored, and until when: a sentence each, newest first, and a line for the first."""
    services = call.services.get(ImageServices)
    listed = await services.catalogue.versions_of(await services.catalogue.namesakes(definition))
    kept = await read_kept(call, listed)
    found = [each for held in kept.values() for each in held.versions]
    said = [
        f"Say which version of {definition}: {definition}/VERSION.",
        *(f"{each.number} {each.words}." for each in found[:_SHOWN]),
    ]
    if len(found) > _SHOWN:
        said.append(f"{len(found) - _SHOWN} more are older.")
    what = "What else" if found else "What"
    unknown = [
        f"{what} can be restored is not known: {held.problem}" for held in kept.values() if held.problem
    ]
    if not found:
        said = [] if unknown else [f"{definition} has no version that can be restored."]
    first = f"restore {found[0].pin.ref}/{found[0].number}" if found else f"images {definition}"
    return UserError(" ".join((*said, *unknown)), hint=first)


PARTS = (restore,)
