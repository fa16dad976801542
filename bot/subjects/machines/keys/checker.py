"""Which keys of a person may be used now: each one is looked up again where it came from."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.times import Clock
from slipway.bot.subjects.machines.keys.model import Account, SshKey, UsableKeys
from slipway.bot.subjects.machines.keys.public_key import KeyRefusedError, read_key
from slipway.bot.subjects.machines.keys.published import KeyService, Listing, NoSuchAccountError

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.machines.keys.repository import Keys

_NOTED_EVERY = timedelta(minutes=1)
"""So rarely it is stored that a key was seen: several looks at one launch are one."""


@dataclass(frozen=True)
class _Checked:
    """What became of the keys of one account.

    Attributes:
        good: those that may be used.
        notes: why others may not, a sentence each.
        refused: why the account is refused, as it was renamed or taken over; None where that is not known now.
    """

    good: tuple[SshKey, ...] = ()
    notes: tuple[str, ...] = ()
    refused: str | None = None


class KeyChecker:
    """Looks up keys before they are used.

    Args:
        keys: those that are stored.
        services: where they come from.
        clock: the present.
    """

    def __init__(self, keys: Keys, services: Mapping[str, KeyService], clock: Clock) -> None:
        self._keys = keys
        self._services = services
        self._clock = clock

    async def usable(self, person: str) -> UsableKeys:
        """The keys of a person that can be put into a machine now, with why others cannot.

        Pasted keys are; a key of an account is while that account has the number that it had when the key was added,
        and lists it. What cannot be looked up is left out.
        """
        held = await self._keys.of(person)
        accounts = {each.source: (each.account, each.account_id) for each in held if each.account is not None}
        checked = await asyncio.gather(
            *(
                self._check([each for each in held if each.source == source], account, number)
                for source, (account, number) in accounts.items()
            )
        )
        good = [each for one in checked for each in one.good]
        now = self._clock()
        for (account, _), one in zip(accounts.values(), checked, strict=True):
            before = {each.refused for each in held if each.account == account}
            if one.refused is not None and before != {one.refused}:
                await self._keys.judge(person, account, one.refused, now)
        await self._keys.checked([each for each in good if now - each.checked_at >= _NOTED_EVERY], now)
        usable = tuple(each for each in held if each.account is None or each in good)
        return UsableKeys(usable, tuple(note for one in checked for note in one.notes))

    async def _check(self, held: Sequence[SshKey], account: Account, number: str) -> _Checked:
        left_out = f"The keys of {account} are left out"
        try:
            listing = await self._services[account.service].listing(account.name)
        except NoSuchAccountError as error:
            why = name_gone(error)
            return _Checked(notes=(f"{left_out}: {why}",), refused=why)
        except (UserError, CloudError) as error:
            return _Checked(notes=(f"{left_out}, for they cannot be looked up: {error.sentence}",))
        if listing.account_id != number:
            why = taken_over(listing, number)
            return _Checked(notes=(f"{left_out}: {why}",), refused=why)
        there = fingerprints(listing)
        gone = tuple(each for each in held if each.key.fingerprint not in there)
        return _Checked(
            good=tuple(each for each in held if each not in gone),
            notes=tuple(
                f"{each.key.fingerprint} is left out: {account} does not list it any more." for each in gone
            ),
            refused="",
        )


def name_gone(error: NoSuchAccountError) -> str:
    """That nobody has a name any more, in sentences."""
    return f"{error.sentence} It was renamed or deleted."


def taken_over(listing: Listing, number: str) -> str:
    """That a name is somebody else's now, as a sentence."""
    return (
        f"the name belongs to another account now (number {listing.account_id}) than the one they came from "
        f"(number {number})."
    )


def fingerprints(listing: Listing) -> frozenset[str]:
    """The keys that an account lists and that are taken, by their fingerprints."""
    found = set()
    for each in listing.keys:
        if each.refused:
            continue
        try:
            found.add(read_key(each.text).fingerprint)
        except KeyRefusedError:  # it is none of those that could have been added
            continue
    return frozenset(found)
