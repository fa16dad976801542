"""`!regions` and `!region retry`: where promoted versions are wanted, and are not."""

from __future__ import annotations

import click

from slipway.bot.chat.model import Card
from slipway.bot.chat.tables import Row, table_of, text
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.times import format_time
from slipway.bot.subjects.images.replication.requests import RegionRetry
from slipway.bot.subjects.images.replication.standing import DebtState, Standing, next_of
from slipway.bot.subjects.images.replication.states import copy_in_words
from slipway.bot.subjects.images.services import ImageServices
from slipway.commands.dispatch.context import CardReply, ChangeRequest, CommandContext
from slipway.commands.grammar.values import NAME

_COLUMNS = {"definition": "Definition", "version": "Promoted", "owed": "Not there", "next": "What comes next"}


@command(
    "regions",
    summary="Regions in which a promoted version is wanted, and does not launch.",
    examples=("regions", "regions Fedora-Cloud-43-*"),
    aliases=("region",),
)
@click.argument("definition", type=NAME, required=False, help="An image definition or a pattern.")
async def regions(call: CommandContext, definition: str | None) -> CardReply:
    """Where they are wanted says [replication] in slipway.toml. What a promotion left out stands here until it is
    there: it is tried again by itself, later and later, for a good week. A region that was added since stands here,
    too: each promotion of its definition copies to it besides, `promote --due` of all."""
    debts = call.services.get(ImageServices).replication.debts
    if not debts.configured:
        return CardReply(Card(title="No regions are configured", text="slipway.toml has no [replication]."))
    found = await debts.of(definition)
    if not found:
        return CardReply(Card(title="Every promoted version is where it is wanted"))
    count = len({each.owed.definition for each in found})
    return CardReply(
        Card(
            title=f"{count} definition{'' if count == 1 else 's'} not in every region",
            tables=(table_of(_COLUMNS, [_row(each, call) for each in found]),),
            notes=_notes(found, call),
        )
    )


def _notes(found: tuple[Standing, ...], call: CommandContext) -> tuple[str, ...]:
    """What may be asked for about the first of each kind."""
    lines: dict[str, str] = {}
    for each in found:
        if each.state in (DebtState.NOT_AGREED, DebtState.WAVES):
            lines.setdefault("To have it there", f"promote {each.owed.definition}/{each.owed.version.number}")
        elif each.state not in (DebtState.UNDER_WAY, DebtState.BARRED):
            lines.setdefault("To try it now", f"region retry {each.owed.definition}")
    return tuple(f"{label}: `{call.prefix}{line}`" for label, line in lines.items() if call.may(line))


def _row(standing: Standing, call: CommandContext) -> Row:
    owed = standing.owed
    parts = [
        copy_in_words(region, owed.copies[region]) if region in owed.copies else f"{region} is not promoted"
        for region in standing.regions
    ]
    at = standing.next_at
    moment = "" if at is None else f"from {format_time(at, call.services.cards.zone)} on"
    return {
        "definition": text(str(owed.definition)),
        "version": text(str(owed.version.number)),
        "owed": text("; ".join(parts)),
        "next": text(standing.state.value, next_of(standing, call.prefix, moment)),
    }


@command(
    "region retry",
    summary="Try again now what a promotion left out in some regions.",
    examples=("region retry Fedora-Cloud-43-x64", "region retry Fedora-Cloud-43-* --dry-run"),
    access=Access.CHANGE,
)
@click.argument("definition", type=NAME, help="An image definition or a pattern, as `regions` shows it.")
@dry_run
async def retry(call: CommandContext, definition: str, dry_run: bool) -> ChangeRequest:
    """Copies the newest promoted version to where it is owed, and lets it be latest there. Only what people agreed to
    when they let it be left out (`promote --without`), so that nobody is asked again unless [policy.region-retry]
    says so. A region that was added to slipway.toml since is for `promote`, which asks."""
    return ChangeRequest(RegionRetry(definition=definition), dry_run)


PARTS = (regions, retry)
