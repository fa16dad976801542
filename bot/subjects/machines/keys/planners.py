"""Planning changes to people's keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.text import nearest
from slipway.bot.subjects.machines.keys.checker import name_gone, taken_over
from slipway.bot.subjects.machines.keys.model import Account, SshKey, read_account
from slipway.bot.subjects.machines.keys.public_key import KeyRefusedError, PublicKey, read_key
from slipway.bot.subjects.machines.keys.published import KeyService, Listing, NoSuchAccountError
from slipway.bot.subjects.machines.keys.requests import AddKeys, RemoveKeys
from slipway.bot.subjects.machines.keys.steps import ForgetKey, StoreKey

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.machines.keys.repository import Keys

_NAMED = 5  # keys that are not taken and are named; more are counted
_RUNNING = "Machines that run already are not changed by this."


class TakenOverError(UserError):
    """An account is another one than it was; ``why`` says so in a sentence."""

    def __init__(self, account: Account, why: str, hint: str | None) -> None:
        super().__init__(f"The keys of {account} are not taken: {why}", hint=hint)
        self.why = why


@dataclass(frozen=True)
class KeyRules:
    """What the configuration says of keys.

    Attributes:
        accounts: each person's own.
        most: keys that one person may have.
    """

    accounts: Mapping[str, tuple[Account, ...]]
    most: int

    def own(self, person: str, account: Account) -> bool:
        """Whether the configuration gives a person this account."""
        return any(each.same(account) for each in self.accounts.get(person, ()))

    def owner(self, account: Account) -> str:
        """Whom the configuration gives this account; empty for nobody."""
        return next((person for person in self.accounts if self.own(person, account)), "")


class AddPlanner:
    """Plans :class:`.requests.AddKeys`."""

    def __init__(self, keys: Keys, services: Mapping[str, KeyService], rules: KeyRules) -> None:
        self._keys = keys
        self._services = services
        self._rules = rules

    async def plan(self, request: AddKeys, now: datetime) -> Draft[AddKeys]:
        """Plan one step a key that the person does not have yet.

        Raises:
            UserError: there is no such account, it is another one than before, or there are too many keys or none.
            CloudError: the account cannot be looked up.
        """
        held = await self._keys.of(request.person)
        if not request.account:
            return self._pasted(request, held)
        account = read_account(request.account)
        listing = await self._same_account(account, request, held, now)
        taken, refused = sort_out(listing)
        if not taken:
            raise UserError(_none_taken(account, refused))
        pinned = request.model_copy(update={"account": str(account), "account_id": listing.account_id})
        fresh = self._fresh(request.person, taken, held)
        steps = tuple(_step(request.person, key, str(account), listing.account_id) for key in fresh)
        if not steps:
            return Draft(pinned, f"All keys of {account} are there already.", (), {})
        another = self._not_own(request.person, account)
        return Draft(
            request=pinned,
            summary=f"{_keys(len(steps))} of {account} {_open(len(steps))} what {request.person} launches.",
            steps=steps,
            observed={"account": listing.account_id, "keys": _observed(taken)},
            evidence=(
                ("For", request.person),
                ("Account", f"{listing.account}, number {listing.account_id}"),
            ),
            warnings=(*_left_out(refused), _RUNNING),
            needs_approval=another,
            by_another=bool(another),
        )

    async def _same_account(
        self, account: Account, request: AddKeys, held: Sequence[SshKey], now: datetime
    ) -> Listing:
        """What an account lists, which is the one that it was before.

        Raises:
            UserError: there is none, or another; that keys of it are refused is noted then.
        """
        try:
            listing = await self._services[account.service].listing(account.name)
            _check_number(account, listing, request, held)
        except (NoSuchAccountError, TakenOverError) as error:
            if any(each.account is not None and each.account.same(account) for each in held):
                why = error.why if isinstance(error, TakenOverError) else name_gone(error)
                await self._keys.judge(request.person, account, why, now)
            raise
        return listing

    def _pasted(self, request: AddKeys, held: Sequence[SshKey]) -> Draft[AddKeys]:
        key = read_key(request.line)
        pinned = request.model_copy(update={"line": key.line})
        if not self._fresh(request.person, [key], held):
            return Draft(pinned, f"{key.fingerprint} is there already.", (), {})
        return Draft(
            request=pinned,
            summary=f"{key.fingerprint} opens what {request.person} launches.",
            steps=(_step(request.person, key),),
            observed={"keys": _observed([key])},
            evidence=(("For", request.person),),
            warnings=(_RUNNING,),
        )

    def _fresh(self, person: str, taken: Sequence[PublicKey], held: Sequence[SshKey]) -> list[PublicKey]:
        """Those that a person does not have yet.

        Raises:
            UserError: with them there would be too many.
        """
        there = {each.key.fingerprint for each in held}
        fresh = [key for key in taken if key.fingerprint not in there]
        if fresh and len(there) + len(fresh) > self._rules.most:
            has = f"{person} has {_keys(len(there))}" if there else f"{person} has none yet"
            raise UserError(
                f"That would be {_keys(len(fresh))} more, and {has}; {self._rules.most} are the most. "
                "Paste those that you use, one at a time.",
                hint="sshkeys",
            )
        return fresh

    def _not_own(self, person: str, account: Account) -> str:
        """Why somebody else has to agree; empty where nobody has to."""
        if self._rules.own(person, account):
            return ""
        owner = self._rules.owner(account)
        whose = f"gives {account} to {owner}" if owner else f"does not say whose {account} is"
        return f"The configuration {whose}, so somebody other than {person} has to agree."


class RemovePlanner:
    """Plans :class:`.requests.RemoveKeys`."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def plan(self, request: RemoveKeys, now: datetime) -> Draft[RemoveKeys]:
        """Plan one step a key.

        Raises:
            UserError: the person has no such key, or several that begin so.
        """
        held = await self._keys.of(request.person)
        if request.fingerprints:
            chosen = [each for each in held if each.key.fingerprint in request.fingerprints]
        else:
            chosen = _named(request.what, held)
        pinned = request.model_copy(
            update={"fingerprints": tuple(each.key.fingerprint for each in chosen) or request.fingerprints}
        )
        if not chosen:
            return Draft(pinned, "Nothing to remove: gone already.", (), {})
        fingerprints = [each.key.fingerprint for each in chosen]
        what = fingerprints[0] if len(chosen) == 1 else _keys(len(chosen))
        return Draft(
            request=pinned,
            summary=f"{what} {_open(len(chosen))} nothing any more that {request.person} launches.",
            steps=tuple(
                ForgetKey(person=each.person, fingerprint=each.key.fingerprint, source=each.source)
                for each in chosen
            ),
            observed={"keys": list(fingerprints)},
            warnings=(_RUNNING,),
        )


def sort_out(listing: Listing) -> tuple[list[PublicKey], list[str]]:
    """The keys of an account that are taken, each once; and why the others are not, a sentence each."""
    taken: dict[str, PublicKey] = {}
    refused: list[str] = []
    for number, each in enumerate(listing.keys, 1):
        try:
            key = read_key(each.text)
        except KeyRefusedError as error:
            refused.append(f"Key {number} of {listing.account} is left out: it {error}.")
            continue
        if each.refused:
            refused.append(f"{key.fingerprint} is left out: it {each.refused}.")
        else:
            taken.setdefault(key.fingerprint, key)
    return list(taken.values()), refused


def _check_number(account: Account, listing: Listing, request: AddKeys, held: Iterable[SshKey]) -> None:
    """Whether it is still the account that it was, when this was planned or a key of it was added.

    Raises:
        UserError: it is another one.
    """
    before = [each.account_id for each in held if each.account is not None and each.account.same(account)]
    for number in filter(None, (request.account_id, *before)):
        if number != listing.account_id:
            hint = f"sshkey remove {account}" if before else None
            raise TakenOverError(account, taken_over(listing, number), hint)


def _none_taken(account: Account, refused: Sequence[str]) -> str:
    if not refused:
        return f"{account} lists no keys."
    return " ".join((f"{account} lists no key that is taken.", *_left_out(refused)))


def _left_out(refused: Sequence[str]) -> tuple[str, ...]:
    if len(refused) <= _NAMED:
        return tuple(refused)
    return (*refused[: _NAMED - 1], f"{len(refused) - _NAMED + 1} more keys are left out.")


def _named(what: str, held: Sequence[SshKey]) -> list[SshKey]:
    """The keys that somebody means by a source, a fingerprint, or how one begins.

    Raises:
        UserError: there are none, or it is not clear which.
    """
    if not held:
        raise UserError("You have no keys here.", hint="sshkeys")
    of_source = [each for each in held if each.source.casefold() == what.casefold()]
    if of_source:
        return of_source
    begins = what if what.startswith("SHA256:") else f"SHA256:{what}"
    found = [each for each in held if each.key.fingerprint.startswith(begins)]
    if len(found) > 1 and begins != "SHA256:":
        raise UserError(
            f"Several of your keys begin with {begins}.",
            nearest=tuple(each.key.fingerprint for each in found[:3]),
            given=what,
            hint="sshkeys",
        )
    if len(found) != 1:
        names = [name for each in held for name in (each.key.fingerprint, each.source)]
        raise UserError(
            f"You have no key {what[:60]}.", nearest=nearest(what, names), given=what, hint="sshkeys"
        )
    return found


def _step(person: str, key: PublicKey, account: str = "", account_id: str = "") -> StoreKey:
    return StoreKey(
        person=person,
        fingerprint=key.fingerprint,
        words=key.words,
        line=key.line,
        account=account,
        account_id=account_id,
    )


def _observed(keys: Iterable[PublicKey]) -> Json:
    return list[Json](sorted(each.fingerprint for each in keys))


def _keys(count: int) -> str:
    return "1 key" if count == 1 else f"{count} keys"


def _open(count: int) -> str:
    return "opens" if count == 1 else "open"
