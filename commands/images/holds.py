"""`!hold`, `!unhold` and `!holds`: keep versions from being promoted and removed."""

from __future__ import annotations

from datetime import timedelta

import click

from slipway.bot.chat.model import Card
from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.times import format_time
from slipway.bot.subjects.images.holds.model import PlacedHold
from slipway.bot.subjects.images.holds.requests import Hold, Unhold
from slipway.bot.subjects.images.services import ImageServices
from slipway.commands.dispatch.context import CardReply, ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import DURATION, FREE_TEXT
from slipway.commands.images.values import IMAGE, ImageName, image_and_reason

_COLUMNS = {"image": "What", "by": "Held by", "why": "Why", "since": "Since", "until": "Until"}
_UNTIL_LIFTED = "it is lifted"


@command(
    "hold",
    summary="Keep a version, or all of a definition, from being promoted and removed.",
    examples=(
        "hold Fedora-Cloud-43-x64/43.20261101.0 the network team looks at it",
        "hold --for 3d Fedora-Cloud-43-x64 freeze until the release",
    ),
    access=Access.CHANGE,
)
@click.argument("image", type=IMAGE, help="An image definition or a pattern, or DEFINITION/VERSION.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why; others read it.")
@click.option("--for", "lasting", type=DURATION, metavar="3d", help="How long; without, until it is lifted.")
@dry_run
async def hold(
    call: CommandContext,
    image: ImageName,
    reason: tuple[str, ...],
    lasting: timedelta | None,
    dry_run: bool,
) -> ChangeRequest:
    """It counts whoever asks: people, schedules, and clean-ups that run already. What is latest goes on launching,
    and may be taken back: `rollback` and `revoke` do that."""
    named, words = image_and_reason(image, reason)
    if not words:
        raise MisuseError("Say why it is held, so that others know.", hold)
    seconds = int(lasting.total_seconds()) if lasting is not None else None
    request = Hold(
        person=call.person.id,
        definition=named.definition,
        version=named.version_text,
        words=words,
        seconds=seconds,
    )
    return ChangeRequest(request, dry_run)


@command(
    "unhold",
    summary="Lift the holds on a version, or on all of a definition.",
    examples=("unhold Fedora-Cloud-43-x64/43.20261101.0", "unhold Fedora-Cloud-43-x64 released"),
    access=Access.CHANGE,
)
@click.argument("image", type=IMAGE, help="What is held, as `holds` shows it.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why.")
@dry_run
async def unhold(
    call: CommandContext, image: ImageName, reason: tuple[str, ...], dry_run: bool
) -> ChangeRequest:
    """Lifts all holds on exactly that, whoever's they are; the card names them. A hold on a whole definition is
    lifted by the definition's name."""
    named, words = image_and_reason(image, reason)
    request = Unhold(
        person=call.person.id, definition=named.definition, version=named.version_text, words=words
    )
    return ChangeRequest(request, dry_run)


@command(
    "holds",
    summary="What is neither promoted nor removed, by whose word, and until when.",
    examples=("holds",),
)
async def holds(call: CommandContext) -> CardReply:
    """Holds end by themselves at their time, and are not shown any more."""
    services = call.services.get(ImageServices)
    placed = (await services.holds.store.read()).active(call.services.clock())
    if not placed:
        return CardReply(Card(title="Nothing is held."))
    qualified = len({each.cloud for each in placed}) > 1
    rows = [_row(each, call, qualified=qualified) for each in placed]
    first = f"unhold {rows[0]['image'].words}"
    notes = (f"Lift one: `{call.prefix}{first}`",) if call.may(first) else ()
    title = f"{len(rows)} hold{'' if len(rows) == 1 else 's'}"
    return CardReply(Card(title=title, tables=(table_of(_COLUMNS, rows),), notes=notes))


def _row(placed: PlacedHold, call: CommandContext, *, qualified: bool) -> Row:
    zone = call.services.cards.zone
    definition = f"{placed.cloud}:{placed.definition}" if qualified else placed.definition
    until = _UNTIL_LIFTED if placed.until is None else format_time(placed.until, zone)
    return {
        "image": text(definition if placed.whole else f"{definition}/{placed.version}"),
        "by": text(placed.person, call.services.cards.name(placed.person)),
        "why": text(placed.reason, placed.reason),
        "since": moment(placed.since, format_time(placed.since, zone)),
        "until": moment(placed.until, until),
        "cloud": text(placed.cloud),
    }


PARTS = (hold, unhold, holds)
