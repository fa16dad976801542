"""`!revoke`: take one version out of latest, everywhere."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import UserError
from slipway.bot.core.times import parse_moment
from slipway.bot.subjects.images.revoking.requests import Revoke
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import FREE_TEXT
from slipway.commands.images.values import IMAGE, ImageName, image_and_reason


@command(
    "revoke",
    summary="Take one version out of latest on every cloud, now or at a time, and call it bad.",
    examples=(
        "revoke Fedora-Cloud-43-x64/43.20261101.0 CVE-2026-1234 in openssl",
        "revoke --at 2h Fedora-Cloud-43-x64/43.20261101.0 its mirror list ends",
        "revoke --at 18:00 Fedora-Cloud-43-x64/43.20261101.0 its mirror list ends",
    ),
    access=Access.CHANGE,
)
@click.argument("image", type=IMAGE, help="Which version, such as Fedora-Cloud-43-x64/43.20261101.0.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why; it is kept as evidence.")
@click.option("--at", metavar="TIME", help="When, such as 18:00, 2h or YYYY-MM-DDTHH:MM; without, at once.")
@dry_run
async def revoke(
    call: CommandContext, image: ImageName, reason: tuple[str, ...], at: str | None, dry_run: bool
) -> ChangeRequest:
    """Which does what: `revoke` takes the named version out of latest, whichever is latest, and calls it bad.
    `rollback` takes back whatever is latest, so that an older version is. `bad` changes nothing that launches: it
    keeps a version from being promoted.

    With `--at` it is agreed to now and carried out then, over restarts, too; until then `cancel` stops it."""
    named, words = image_and_reason(image, reason)
    if named.version_text is None:
        raise UserError(
            f"Say which version of {named.definition}: {named.definition}/VERSION.",
            hint=f"images {named.definition}",
        )
    if not words:
        raise MisuseError("Say why it is revoked, so that others know.", revoke)
    if "--at" in reason:
        raise MisuseError("Options stand before the image: what follows that is the reason.", revoke)
    moment = None
    if at is not None:
        try:
            moment = parse_moment(at, call.services.clock(), call.services.cards.zone)
        except ValueError as error:
            raise MisuseError(f"`--at`: {error}.", revoke) from error
    request = Revoke(
        person=call.person.id, definition=named.definition, version=named.version_text, words=words, at=moment
    )
    return ChangeRequest(request, dry_run)


PARTS = (revoke,)
