"""People's public keys as the database has them, and the accounts elsewhere that they come from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.subjects.machines.keys.public_key import KeyType, PublicKey

PASTED = "pasted"
"""The source of a key that somebody wrote into a message."""

_NAMES = {
    "github": re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}", re.ASCII),  # _ is in names that a company gives
    "gitlab": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}", re.ASCII),
}

_LONGEST_NAME = 39  # of GitHub; what is longer is rather a piece of a key

SERVICES = tuple(_NAMES)
"""Where accounts may be, as people write it."""


@dataclass(frozen=True)
class Account:
    """An account that publishes keys: ``github:alice``. Its name is compared without regard to case, as there."""

    service: str
    name: str

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"

    def same(self, other: Account) -> bool:
        """Whether both name the same account."""
        return str(self).casefold() == str(other).casefold()


def read_account(text: str) -> Account:
    """Read ``github:NAME`` or ``gitlab:NAME``.

    Raises:
        ValueError: it is none; the words say how to write one.
    """
    service, _, name = text.partition(":")
    pattern = _NAMES.get(service.lower())
    if pattern is None or pattern.fullmatch(name) is None:
        raise ValueError("an account is written like github:NAME or gitlab:NAME")
    return Account(service.lower(), name)


def possible_accounts(name: str) -> tuple[Account, ...]:
    """The accounts that somebody may mean who leaves the service out; none where it cannot be an account's name."""
    kinds = {kind.value for kind in KeyType}
    if name in kinds or len(name) > _LONGEST_NAME:
        return ()
    return tuple(Account(service, name) for service, pattern in _NAMES.items() if pattern.fullmatch(name))


@dataclass(frozen=True)
class SshKey:
    """One key of a person.

    Attributes:
        person: a person's id.
        key: the key.
        account: where it comes from; None where it was pasted.
        account_id: the number of that account, which stays where its name is given to somebody else.
        added_at: since when it counts.
        checked_at: when it was last seen to be published there; of a pasted one, when it was added.
        refused: why the keys of its account are refused, as that was renamed or taken over; empty where they are not.
    """

    person: str
    key: PublicKey
    account: Account | None
    account_id: str
    added_at: datetime
    checked_at: datetime
    refused: str = ""

    @property
    def source(self) -> str:
        """Where it comes from, as people write it: ``github:alice`` or ``pasted``."""
        return str(self.account) if self.account is not None else PASTED

    @property
    def line(self) -> str:
        """For authorized_keys, with a comment that tells where it comes from."""
        owner = f"{self.account}#{self.account_id}" if self.account is not None else f"slipway:{self.person}"
        return f"{self.key.line} {owner}"


@dataclass(frozen=True)
class LostAccount:
    """An account of a person whose keys are refused, as it was renamed or taken over.

    Attributes:
        person: a person's id.
        account: the account.
        why: a sentence.
        since: when that was seen.
    """

    person: str
    account: Account
    why: str
    since: datetime


@dataclass(frozen=True)
class UsableKeys:
    """The keys of a person that can be put into a machine now.

    Attributes:
        keys: in the order in which they were added.
        notes: which were left out, and why, a sentence each.
    """

    keys: tuple[SshKey, ...]
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """For authorized_keys."""
        return tuple(each.line for each in self.keys)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """As people compare them."""
        return tuple(each.key.fingerprint for each in self.keys)
