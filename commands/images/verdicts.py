"""`!good` and `!bad`: what people say of a version."""

from __future__ import annotations

from typing import Any

import click

from slipway.bot.core.commands import Access, Command, command, dry_run
from slipway.bot.subjects.images.evidence.requests import Bad, Good
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import FREE_TEXT
from slipway.commands.images.values import IMAGE, ImageName, image_and_reason

_OWN_WORD = "A verdict is a person's own word, so a schedule gives none."

_EVIDENCE = "evidence"
"""The right to say what a version is worth, which both commands take."""


@command(
    "good",
    summary="Say that a version is good; it takes back what was said to be bad of it.",
    examples=("good Fedora-Cloud-43-x64/43.20261101.0 boots and updates well",),
    access=Access.CHANGE,
    right=_EVIDENCE,
    people_only=_OWN_WORD,
)
@click.argument("image", type=IMAGE, help="Which version, such as Fedora-Cloud-43-x64/43.20261101.0.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="What makes you say so.")
@dry_run
async def good(
    call: CommandContext, image: ImageName, reason: tuple[str, ...], dry_run: bool
) -> ChangeRequest:
    """A verdict changes nothing that launches: it is evidence, which promotions look at. Where a rule asks for a
    verdict, this is it. The newest verdict counts, whoever gave it."""
    definition, version, words = _read(image, reason, good)
    return ChangeRequest(
        Good(person=call.person.id, definition=definition, version=version, words=words), dry_run
    )


@command(
    "bad",
    summary="Say that a version is bad, so that nothing promotes it until somebody says that it is good.",
    examples=("bad Fedora-Cloud-43-x64/43.20261101.0 cloud-init hangs on the first boot",),
    access=Access.CHANGE,
    right=_EVIDENCE,
    people_only=_OWN_WORD,
)
@click.argument("image", type=IMAGE, help="Which version, such as Fedora-Cloud-43-x64/43.20261101.0.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="What is wrong with it.")
@dry_run
async def bad(
    call: CommandContext, image: ImageName, reason: tuple[str, ...], dry_run: bool
) -> ChangeRequest:
    """Which does what: `bad` changes nothing that launches: it keeps a version from being promoted, and one that is
    latest stays so. `rollback` takes back whatever is latest, so that an older version is. `revoke` takes one version
    out of latest, whichever is latest, and calls it bad."""
    definition, version, words = _read(image, reason, bad)
    if not words:
        raise MisuseError("Say what is wrong with it, so that others know.", bad)
    return ChangeRequest(
        Bad(person=call.person.id, definition=definition, version=version, words=words), dry_run
    )


def _read(image: ImageName, words: tuple[str, ...], command: Command[Any]) -> tuple[str, str, str]:
    """Definition, version and reason.

    Raises:
        MisuseError: there is no version.
    """
    named, reason = image_and_reason(image, words)
    if named.version_text is None:
        raise MisuseError(f"Say which version: {image.definition}/VERSION.", command)
    return named.definition, named.version_text, reason


PARTS = (good, bad)
