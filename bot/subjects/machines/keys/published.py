"""What a service says of an account and its public keys, in words common to all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.keys.model import Account

MOST_LISTED = 500
"""Keys of an account that are read; who lists more has to paste those that are meant."""


@dataclass(frozen=True)
class PublishedKey:
    """A key as an account lists it.

    Attributes:
        text: as it is written there, comment included.
        refused: why it does not count there itself, as the rest of a sentence; empty where it does.
    """

    text: str
    refused: str = ""


@dataclass(frozen=True)
class Listing:
    """An account as it is now.

    Attributes:
        account: with its name as the service writes it.
        account_id: its number, which it keeps for ever.
        keys: all that it lists.
    """

    account: Account
    account_id: str
    keys: tuple[PublishedKey, ...]


class NoSuchAccountError(UserError):
    """Nobody has this name there, or nobody any more."""


class KeyService(Protocol):
    """A service where accounts publish keys, such as GitHub."""

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    async def listing(self, name: str) -> Listing:
        """What an account is, and all keys that it lists.

        Raises:
            NoSuchAccountError: nobody has this name.
            UserError: it lists too many keys, or is blocked.
            CloudError: the service cannot be asked, or its answer cannot be read.
        """
        ...
