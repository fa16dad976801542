"""Where pages read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slipway.bot.health.readiness import Looked
from slipway.bot.operations.registry import SubjectRegistry
from slipway.bot.operations.services import Services
from slipway.bot.store.database import Database
from slipway.bot.web.pages.verification import Verification


@dataclass(frozen=True)
class PageSources:
    """What all pages read from.

    Attributes:
        services: of the running bot.
        database: for what no service gives.
        registry: the kinds of operation.
        look: how ready the bot is.
        verification: whether the audit trail is whole.
    """

    services: Services
    database: Database
    registry: SubjectRegistry
    look: Callable[[], Awaitable[Looked]]
    verification: Verification

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of operation, in alphabetical order."""
        return tuple(sorted(self.registry.kinds))

    @property
    def prefix(self) -> str:
        """What a command begins with."""
        return self.services.cards.prefix

    def name(self, person_id: str) -> str:
        """A person as people call them."""
        return self.services.people.name(person_id)
