"""`!sshkeys`, `!sshkey add` and `!sshkey remove`: the public keys that open the machines which somebody launches."""

from __future__ import annotations

import click

from slipway.bot.chat.model import Card, Table
from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import UserError
from slipway.bot.core.times import format_time
from slipway.bot.operations.services import Services
from slipway.bot.subjects.machines.keys.kinds import A_KEY, ADD_KEYS, FORGET_KEY, REMOVE_KEYS, STORE_KEY
from slipway.bot.subjects.machines.keys.model import SshKey, possible_accounts, read_account
from slipway.bot.subjects.machines.keys.probe import KEY_PROBES
from slipway.bot.subjects.machines.keys.public_key import KeyRefusedError, read_key
from slipway.bot.subjects.machines.keys.requests import AddKeys, RemoveKeys
from slipway.bot.subjects.machines.keys.settings import ACCOUNTS, KEYS
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.dispatch.context import CardReply, ChangeRequest, CommandContext, MisuseError

_COLUMNS = {
    "fingerprint": "Fingerprint",
    "type": "Type",
    "source": "From",
    "since": "Since",
    "checked": "Last seen there",
}


@command(
    "sshkeys",
    summary="Your public SSH keys, which open the machines that you launch.",
    examples=("sshkeys",),
    aliases=("sshkey",),
)
async def sshkeys(call: CommandContext) -> CardReply:
    """Whether a key still counts is looked up again at each launch, where it came from."""
    held = await call.services.get(MachineServices).keys.stored.of(call.person.id)
    notes = [
        f"Add those of {account}: `{call.prefix}{line}`"
        for account, line in _additions(call)
        if call.may(line)
    ]
    if not held:
        return CardReply(Card(title="You have no SSH keys here.", notes=tuple(notes)))
    remove = f"sshkey remove {held[0].key.fingerprint}"
    if call.may(remove):
        notes.append(f"Remove one: `{call.prefix}{remove}`")
    title = f"{len(held)} SSH key{'s' if len(held) != 1 else ''} of yours"
    return CardReply(Card(title=title, tables=(_table(held, call.services),), notes=tuple(notes)))


def _additions(call: CommandContext) -> tuple[tuple[str, str], ...]:
    """Lines that add keys, with the account that each one is about: their own where the configuration names any."""
    own = call.services.get(MachineServices).keys.rules.accounts.get(call.person.id, ())
    if len(own) == 1:
        return ((str(own[0]), "sshkey add"),)
    if own:
        return tuple((str(each), f"sshkey add {each}") for each in own)
    return (("an account", "sshkey add github:NAME"),)


def _table(held: tuple[SshKey, ...], services: Services) -> Table:
    return table_of(_COLUMNS, [_row(each, services) for each in held])


def _row(held: SshKey, services: Services) -> Row:
    zone = services.cards.zone
    seen = held.checked_at if held.account is not None else None
    return {
        "fingerprint": text(held.key.fingerprint),
        "type": text(held.key.type.value, held.key.words),
        "source": text(held.source),
        "since": moment(held.added_at, format_time(held.added_at, zone)),
        "checked": moment(seen, format_time(seen, zone) if seen else "-"),
    }


@command(
    "sshkey add",
    summary="Take public SSH keys for the machines that you launch.",
    examples=("sshkey add github:alice", "sshkey add gitlab:alice --dry-run"),
    access=Access.CHANGE,
    people_only="Keys are people's own, so a schedule adds none.",
)
@click.argument(
    "source",
    nargs=-1,
    help="An account such as github:NAME or gitlab:NAME, or a public key; without, your account.",
)
@dry_run
async def sshkey_add(call: CommandContext, source: tuple[str, ...], dry_run: bool) -> ChangeRequest:
    """You confirm the fingerprints of an account that the configuration gives you, and of a key that you paste;
    another account takes somebody else's approval.

    An account is known by its number, so that nobody gets in who takes a name over; a key that it does not list any
    more is not used."""
    person = call.person.id
    if not source:
        return ChangeRequest(AddKeys(person=person, account=_only_account(call)), dry_run)
    if len(source) == 1 and ":" in source[0]:
        try:
            account = read_account(source[0])
        except ValueError as error:
            raise MisuseError(f"“{source[0][:40]}” is no account: {error}.", sshkey_add) from error
        return ChangeRequest(AddKeys(person=person, account=str(account)), dry_run)
    if len(source) == 1 and source[0] != A_KEY and (accounts := possible_accounts(source[0])):
        rules = call.services.get(MachineServices).keys.rules
        own = [each for each in accounts if rules.own(person, each)]
        raise UserError(
            f"{source[0]} is neither a public key nor an account with its service.",
            nearest=tuple(map(str, own or accounts)),
            given=source[0],
            hint="help sshkey add",
        )
    return ChangeRequest(AddKeys(person=person, line=_pasted(source)), dry_run)


def _only_account(call: CommandContext) -> str:
    """The one account that the configuration gives whoever asks.

    Raises:
        UserError: it gives none, or several.
    """
    own = call.services.get(MachineServices).keys.rules.accounts.get(call.person.id, ())
    if not own:
        raise UserError("Which account? The configuration gives you none.", hint="sshkey add github:NAME")
    if len(own) > 1:
        raise UserError(
            f"Which account? The configuration gives you {', '.join(map(str, own))}.",
            hint=f"sshkey add {own[0]}",
        )
    return str(own[0])


def _pasted(words: tuple[str, ...]) -> str:
    """A key as it was pasted, without its comment.

    Raises:
        UserError: it is a private key.
        MisuseError: it is none, or one that is not taken.
    """
    try:
        return read_key(" ".join(words)).line
    except KeyRefusedError as error:
        raise MisuseError(f"That key is not taken: it {error}.", sshkey_add) from error


@command(
    "sshkey remove",
    summary="Leave public SSH keys of yours out of machines launched from now on.",
    examples=(
        "sshkey remove github:alice",
        "sshkey remove SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
    ),
    access=Access.CHANGE,
)
@click.argument("key", help="A fingerprint or how it begins, an account such as github:NAME, or `pasted`.")
@dry_run
async def sshkey_remove(call: CommandContext, key: str, dry_run: bool) -> ChangeRequest:
    """Machines that run already keep them."""
    return ChangeRequest(RemoveKeys(person=call.person.id, what=key), dry_run)


PARTS = (
    sshkeys,
    sshkey_add,
    sshkey_remove,
    ADD_KEYS,
    REMOVE_KEYS,
    STORE_KEY,
    FORGET_KEY,
    KEYS,
    ACCOUNTS,
    *KEY_PROBES,
)
