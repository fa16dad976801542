"""`!adopt`: say that a change which nobody made by Slipway is right."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.images.adopting.requests import Adopt
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import FREE_TEXT, WholeNumber
from slipway.commands.images.values import IMAGE, ImageName, image_and_reason


@command(
    "adopt",
    summary="Say that a change of a version which was made outside of Slipway is right.",
    examples=(
        "adopt Fedora-Cloud-43-x64/43.20261101.0 the release team promoted it by hand",
        "adopt Fedora-Cloud-42-x64 the old ones were deleted by the storage team",
    ),
    access=Access.CHANGE,
    people_only="That a change is right is a person's own word, so a schedule adopts none.",
)
@click.argument("image", type=IMAGE, help="Which version; or a definition, for all that was changed of it.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why it is right; others read it.")
@click.option(
    "--notice", type=WholeNumber(), help="Only what this notice told of the definition; its button says it."
)
@dry_run
async def adopt(
    call: CommandContext, image: ImageName, reason: tuple[str, ...], notice: int | None, dry_run: bool
) -> ChangeRequest:
    """`[watching]` tells once what others change; that stands among the `problems` until somebody adopts it, or it is
    not so any more. Adopting changes nothing in a cloud: it is your word, kept in the version's history. What changed
    again since it was told is not adopted."""
    named, words = image_and_reason(image, reason)
    if not words:
        raise MisuseError("Say why it is right, so that others know.", adopt)
    request = Adopt(
        person=call.person.id,
        definition=named.definition,
        version=named.version_text,
        notice=notice,
        words=words,
    )
    return ChangeRequest(request, dry_run)


PARTS = (adopt,)
