"""`!promote`: make a tested image the one that launches."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.images.requests import Promote, PromoteOverride
from slipway.bot.subjects.images.rules.facts import ALWAYS, RuleName
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import FREE_TEXT, NAME, OneOf
from slipway.commands.images.values import IMAGE, VERSION, ImageName, image_and_reason, with_version

_EVERY = ImageName("*")
"""What is meant where nothing is named: every definition."""


_RULES = tuple(rule.value for rule in RuleName if rule not in ALWAYS)


@command(
    "promote",
    summary="Make a candidate the version that launches by default.",
    examples=(
        "promote Fedora-Cloud-43-x64",
        "promote Fedora-Cloud-43-x64/43.20261101.0",
        "promote Fedora-Cloud-43-* --dry-run",
        "promote --due",
        "promote --override age Fedora-Cloud-43-x64/43.20261101.0 it closes a hole that is being used",
        "promote --without westeurope Fedora-Cloud-43-x64 its copy there failed three times",
    ),
    access=Access.CHANGE,
)
@click.argument(
    "image",
    type=IMAGE,
    required=False,
    help="An image definition, or a pattern such as Fedora-Cloud-43-*; or DEFINITION/VERSION.",
)
@click.argument("version", type=NAME, required=False, metavar="")
@click.argument("reason", type=FREE_TEXT, nargs=-1, metavar="")
@click.option(
    "--due", is_flag=True, help="Of each definition the newest that meets its rules; without IMAGE, of all."
)
@click.option(
    "--override",
    type=OneOf(*_RULES),
    multiple=True,
    metavar="RULE",
    help="Pass over a rule of [promotion]; a reason stands behind IMAGE.",
)
@click.option(
    "--without",
    type=NAME,
    multiple=True,
    metavar="REGION",
    help="Leave out a region of [replication], such as one whose copy fails; a reason stands behind IMAGE.",
)
@dry_run
async def promote(
    call: CommandContext,
    image: ImageName | None,
    version: str | None,
    reason: tuple[str, ...],
    due: bool,
    override: tuple[str, ...],
    without: tuple[str, ...],
    dry_run: bool,
) -> ChangeRequest:
    """Clears the exclude-from-latest flag. Without a version, the newest candidate that is newer than latest;
    with a pattern, that of each definition that matches. A version that was rolled back is promoted again only
    when it is named. Where several clouds have the definition, it is promoted in each; `CLOUD:DEFINITION` means
    one.

    What is promoted has to meet the rules of its definition, in [promotion] of slipway.toml, when it is planned and
    again when it is done; and nobody may hold it or say that it is bad. `--due` means what is due: of each definition
    the newest that meets its rules."""
    if image is None and not due:
        raise MisuseError("`IMAGE` is missing: what to promote, or `--due` for all that is due.", promote)
    words = () if version is None else (version, *reason)
    if not (override or without):
        named = _named(image or _EVERY, words)
        _check_due(named, due)
        return ChangeRequest(
            Promote(definition=named.definition, version=named.version_text, due=due), dry_run
        )
    named, why = image_and_reason(image or _EVERY, words)
    if not why:
        option = "--override" if override else "--without"
        raise MisuseError(
            f"Say why, behind the image, as `{option}` asks for: it is shown to whoever agrees, and kept.",
            promote,
        )
    regions = tuple(dict.fromkeys(without))
    if not override:
        _check_due(named, due)
        wanted = Promote(
            definition=named.definition, version=named.version_text, due=due, without=regions, waiver=why
        )
        return ChangeRequest(wanted, dry_run)
    if due:
        raise MisuseError("What is due meets its rules: leave `--due` or `--override` out.", promote)
    overriding = PromoteOverride(
        definition=named.definition,
        version=named.version_text,
        rules=tuple(dict.fromkeys(override)),
        without=regions,
        words=why,
    )
    return ChangeRequest(overriding, dry_run)


def _check_due(named: ImageName, due: bool) -> None:
    if due and named.version is not None:
        raise MisuseError("`--due` chooses the version: leave one of both out.", promote)


def _named(image: ImageName, words: tuple[str, ...]) -> ImageName:
    """The image with the version that was typed behind a blank, if one was.

    Raises:
        MisuseError: that is no version, or more stands there.
    """
    if not words:
        return image
    try:
        version = VERSION.read(words[0])
    except ValueError as error:
        raise MisuseError(f"`VERSION`: {error}.", promote) from error
    if len(words) > 1:
        said = (
            f"“{words[1][:40]}” is too much: a reason is given only with `--override`, and with `--without`."
        )
        raise MisuseError(said, promote)
    return with_version(image, version, promote)


PARTS = (promote,)
