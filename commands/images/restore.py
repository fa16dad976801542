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
        said = f"Say which version of {named.definition}: {named.definition}/VERSION."
        raise UserError(
            " ".join((said, *await _kept(call, named.definition))), hint=f"images {named.definition}"
        )
    return ChangeRequest(Restore(definition=named.definition, version=named.version_text), dry_run)


async def _kept(call: CommandContext, definition: str) -> list[str]:
    """What of a definition can be restored, and until when: a sentence each, newest first."""
    services = call.services.get(ImageServices)
    listed = await services.catalogue.versions_of(await services.catalogue.namesakes(definition))
    kept = await read_kept(call, listed)
    found = [f"{each.number} {each.words}." for held in kept.values() for each in held.versions]
    shown = found[:_SHOWN]
    if len(found) > len(shown):
        shown.append(f"{len(found) - len(shown)} more are older.")
    unknown = [
        f"What else can be restored is not known: {held.problem}" for held in kept.values() if held.problem
    ]
    return [*shown, *unknown] or ["None can be restored."]


PARTS = (restore,)
