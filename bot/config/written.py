"""What the checks between settings look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.config.spec import ConfigSpec
from slipway.bot.config.tables import Plain


@dataclass(frozen=True)
class Written:
    """What a check looks at.

    Attributes:
        spec: what slipway.toml may speak of.
        settings: the part of the configuration that is right in itself.
        document: the document as it was written, for what exists there at all.
        unsure: how many persons had mistakes.
        unsure_roles: whether a role had mistakes.
        secretless: the tables that have a secret which could not be read, told already.
        accounts: the clouds' accounts that are configured, rightly or wrongly, by name.
    """

    spec: ConfigSpec
    settings: SlipwaySettings
    document: dict[str, Plain]
    unsure: int
    unsure_roles: bool
    secretless: frozenset[str]
    accounts: frozenset[str]

    def names(self, table: str) -> frozenset[str]:
        """The names under a table such as ``roles``, those with mistakes included."""
        here = self.document.get(table)
        return frozenset(here) if isinstance(here, dict) else frozenset()

    def all_of(self, table: str, key: str) -> list[str]:
        """The texts under one key of all ``[[table]]`` entries, those with mistakes included."""
        entries = self.document.get(table)
        values = [
            entry.get(key)
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict)
        ]
        return [value for value in values if isinstance(value, str)]

    def chat(self, platform: str) -> ChatDeclaration[Any] | None:
        """The declaration of a platform, by its name in addresses."""
        return next((chat for chat in self.spec.chats if chat.platform == platform), None)

    def has(self, chat: ChatDeclaration[Any]) -> bool:
        """Whether the configuration speaks of a platform, rightly or wrongly."""
        table = getattr(self.settings, chat.platform)
        if table is None:  # not there, or wrong
            return chat.platform in self.document
        return chat.enabled(table)
