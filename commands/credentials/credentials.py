"""`!credentials`: what is looked after, the soonest to end first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from slipway.bot.chat.model import Card, Tone
from slipway.bot.chat.tables import Row, moment, span, table_of, text
from slipway.bot.core.commands import command
from slipway.bot.core.errors import UserError
from slipway.bot.core.patterns import fits
from slipway.bot.core.text import nearest
from slipway.bot.subjects.credentials.model import ROTATED, Credential, Reading, State, soonest_first
from slipway.bot.subjects.credentials.services import CredentialServices
from slipway.bot.subjects.credentials.standing import Standing, standing
from slipway.bot.subjects.credentials.words import described, end_in_words, left_in_words, use_in_words
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.grammar.values import NAME

_COLUMNS = {
    "name": "Name",
    "left": "Left",
    "ends": "Ends",
    "owner": "Owner",
    "what": "What",
    "used": "Used last",
    "kept": "Kept in",
    "by": "Used by",
}

_SPARSE = ("used", "kept", "by")
"""Columns that many have nothing in, and that are left out where all have not."""

_DUE = (State.ENDED, State.ENDING, State.LEFTOVER)


@command(
    "credentials",
    summary="Credentials that are looked after: whose they are, and when they end.",
    examples=("credentials", "credentials uploader*"),
    aliases=("credential",),
)
@click.argument(
    "name", type=NAME, required=False, help="A table of `[credentials]`, or a pattern; without, all."
)
async def credentials(call: CommandContext, name: str | None) -> CardReply:
    """The soonest to end first. Each source is asked now; what could not be read is named, and is not gone. No secret
    is read or shown."""
    services = call.services.get(CredentialServices)
    _check_name(services, name)
    now = call.services.clock()
    every = await (services.look() if call.person.human else services.inventory.look())
    readings = [each for each in every if name is None or fits(each.entry, name)]
    everything = [each for reading in every for each in reading.found]
    found = soonest_first((each for reading in readings for each in reading.found), now)
    stands = {each.key: standing(each, everything, services.thresholds(each.entry), now) for each in found}
    found.sort(key=lambda each: stands[each.key].state is State.LEFTOVER)  # nothing breaks by them
    unread = [each for each in readings if each.problem]
    due = sum(stands[each.key].state in _DUE for each in found)
    rows = [_row(each, stands[each.key], call, services) for each in found]
    card = Card(
        tone=Tone.WARNING if due or unread else Tone.INFO,
        title=_title(len(found), due, len(unread), services),
        text="\n".join(f"{each.entry} could not be read: {each.problem}" for each in unread),
        tables=(table_of(_COLUMNS, rows, sparse=_SPARSE),) if rows else (),
        notes=(*_notes(readings, services), *_left_over(found, stands, call)),
    )
    return CardReply(card, nothing_to_do=not due and not unread)


def _check_name(services: CredentialServices, name: str | None) -> None:
    entries = services.inventory.entries
    if name is not None and not any(fits(each, name) for each in entries):
        raise UserError(
            f"No credentials are looked after as {name}.",
            nearest=nearest(name, entries),
            given=name,
            hint="credentials",
        )


def _title(found: int, due: int, unread: int, services: CredentialServices) -> str:
    if not services.inventory.entries:
        return "No credentials are looked after."
    parts = [f"{found} credential{'' if found == 1 else 's'}"]
    parts += [f"{due} to see to"] if due else []
    parts += [f"{unread} of the sources could not be read"] if unread else []
    return ", ".join(parts)


def _notes(readings: Sequence[Reading], services: CredentialServices) -> tuple[str, ...]:
    if not services.inventory.entries:
        return (
            "Whoever runs Slipway can name some in `[credentials.NAME]` of slipway.toml: docs/credentials.md.",
        )
    empty = [each.entry for each in readings if not each.found and not each.problem]
    return tuple(
        f"{entry} finds nothing: there is no such credential any more, or not yet." for entry in empty
    )


def _left_over(
    found: Sequence[Credential], stands: Mapping[str, Standing], call: CommandContext
) -> tuple[str, ...]:
    """How what is left over goes, where Slipway can take it away."""
    goes = any(stands[each.key].state is State.LEFTOVER and each.kind in ROTATED for each in found)
    line = "credential remove"
    return (f"Take away what is left over: `{call.prefix}{line}`",) if goes and call.may(line) else ()


def _row(credential: Credential, stands: Standing, call: CommandContext, services: CredentialServices) -> Row:
    now = call.services.clock()
    entry = services.entry(credential.entry)
    use = credential.use.at if credential.use is not None else None
    return {
        "name": text(credential.name),
        "what": text(credential.title, described(credential)),
        "kind": text(credential.kind),
        "state": text(stands.state),
        "left": span(credential.left(now), left_in_words(credential, stands, now)),
        "ends": moment(credential.ends_at, end_in_words(credential, now)),
        "owner": text(services.owner_id(credential.entry), services.owner_in_words(credential.entry)),
        "used": moment(use, use_in_words(credential, now)),
        "kept": text(entry.kept_in),
        "by": text(entry.used_by),
    }


PARTS = (credentials,)
