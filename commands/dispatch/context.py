"""What a command is given, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.chat.model import Card, Chat, MessageEvent, Platform
from slipway.bot.clouds.ports import Machines
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import UserError
from slipway.bot.core.times import Clock
from slipway.bot.images.catalogue import Catalogue
from slipway.bot.operations.cards import CardContext
from slipway.bot.operations.kinds import AnyRequest
from slipway.bot.people import People, Person

if TYPE_CHECKING:  # the database behind these takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.approval_service import ApprovalService
    from slipway.bot.operations.repository import OperationRepository
    from slipway.commands.grammar.declaration import Registry


@dataclass(frozen=True)
class CardReply:
    """Say this card, and that is all."""

    card: Card
    nothing_to_do: bool = False  # a quiet schedule does not say it


@dataclass(frozen=True)
class ChangeRequest:
    """Plan this, and propose it unless it is a dry run."""

    request: AnyRequest
    dry_run: bool = False


@dataclass(frozen=True)
class OperationUpdate:
    """An operation was decided on or stopped: show it as it is now, and carry it out if it is approved."""

    operation_id: str


CommandResult = CardReply | ChangeRequest | OperationUpdate


@dataclass(frozen=True)
class Services:
    """The parts of the house that commands may use."""

    settings: SlipwaySettings
    people: People
    operations: OperationRepository
    approvals: ApprovalService
    view: CardContext
    clock: Clock
    chats: Mapping[Platform, Chat]
    gallery_catalogue: Catalogue | None
    ec2: Machines | None
    started_at: datetime
    upcoming: Callable[
        [], tuple[tuple[str, datetime], ...]
    ]  # each schedule's name and next tick, soonest first

    @property
    def catalogue(self) -> Catalogue:
        """The image catalogue.

        Raises:
            Mistake: no gallery is configured.
        """
        if self.gallery_catalogue is None:
            raise UserError("This Slipway has no image gallery: slipway.toml has no [azure] table.")
        return self.gallery_catalogue

    @property
    def machines(self) -> Machines:
        """Where machines are launched.

        Raises:
            Mistake: no such cloud is configured.
        """
        if self.ec2 is None:
            raise UserError("This Slipway launches no machines: slipway.toml has no [aws] table.")
        return self.ec2


@dataclass(frozen=True)
class CommandContext:
    """One command line: who says it, where, and all that answers it."""

    event_key: str
    person: Person
    heard: MessageEvent
    services: Services
    registry: Registry[CommandResult]

    @property
    def prefix(self) -> str:
        """What commands start with here."""
        return self.services.settings.commands.prefix
