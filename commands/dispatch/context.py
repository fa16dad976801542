"""What a command is given, and what it may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slipway.bot.chat.model import Assurance, Audience, Card, Room
from slipway.bot.core.commands import Command
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Request
from slipway.bot.people import Identity, Person
from slipway.commands.dispatch.hints import why_not

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.model import Operation
    from slipway.bot.operations.services import Services
    from slipway.bot.operations.standing import Said
    from slipway.commands.dispatch.responses import Response
    from slipway.commands.grammar.registry import Registry


@dataclass(frozen=True)
class CardReply:
    """Say this card, and that is all.

    Attributes:
        card: what is said.
        nothing_to_do: whether a quiet schedule does not say it.
        about: the operation that its buttons decide on: a press on it counts, and once the operation moves on, the
            message shows how it stands.
        shown_by: operations that its shortcuts show. Where the platform offers no shortcuts, their cards follow in
            the answer's thread.
        details: what follows in the answer's thread, a message each.
    """

    card: Card
    nothing_to_do: bool = False
    about: Operation | None = None
    shown_by: tuple[Operation, ...] = ()
    details: tuple[Card, ...] = ()


@dataclass(frozen=True)
class ChangeRequest:
    """Plan this, and propose it unless it is a dry run."""

    request: Request
    dry_run: bool = False


@dataclass(frozen=True)
class LineReply:
    """Answer another line as if it had been typed, with the rights of whoever asks.

    Attributes:
        line: the line, without the prefix.
        dry_run: whether a change that it asks for is only planned and told.
        answered: is given the answer.
    """

    line: str
    dry_run: bool
    answered: Callable[[Response], Awaitable[None]]


@dataclass(frozen=True)
class OperationUpdate:
    """An operation was decided on or stopped: show it as it is now, and carry it out if it is approved."""

    operation_id: str


class MisuseError(UserError):
    """An argument that reads well and cannot be meant here; answered with how the command is used.

    Args:
        sentence: one plain sentence; backticks mark what is to be typed.
        command: the command's declaration.
    """

    def __init__(self, sentence: str, command: Command[Any]) -> None:
        super().__init__(sentence, hint=f"help {command.name}")
        self.command = command


CommandResult = CardReply | ChangeRequest | LineReply | OperationUpdate


@dataclass(frozen=True)
class Place:
    """Where something is told."""

    room: Room
    thread: str | None = None


@dataclass(frozen=True)
class Asker:
    """Who asks for something, by which event, how far that can be trusted, and where it is told.

    Attributes:
        event_key: names the event once and for ever; one event, one effect.
        person: the human, the schedule, or a stranger.
        identity: the account they ask from.
        place: where the answer goes; None where nobody is told, and the audit trail has to do.
        assurance: how far the way in which it came is trusted.
        doubt: one plain sentence where that is not fully.
        quiet: whether nothing is said where there is nothing to do.
        said: where and when it was said; None where nobody said it in a room.
        decides: whether they may speak on an operation in the way in which it came.
        audience: who saw it said.
        shown_in: where a change gets its card that they ask for from no place.
        dry_run: whether a change is only planned and told, whatever the line says.
        emergency: why what they ask for cannot wait for approvals; empty where it can.
    """

    event_key: str
    person: Person
    identity: Identity
    place: Place | None
    assurance: Assurance = Assurance.FULL
    doubt: str = ""
    quiet: bool = False
    said: Said | None = None
    decides: bool = True
    audience: Audience = Audience.ROOM
    shown_in: Room | None = None
    dry_run: bool = False
    emergency: str = ""


@dataclass(frozen=True)
class CommandContext:
    """One command line: who asks, where it is told, and all that answers it."""

    asker: Asker
    services: Services
    registry: Registry[CommandResult]

    @property
    def event_key(self) -> str:
        """Names the event that asked."""
        return self.asker.event_key

    @property
    def person(self) -> Person:
        """Who asks."""
        return self.asker.person

    def may(self, line: str) -> bool:
        """Whether they may use a command, such as one that an answer names as the next."""
        return why_not(self.person, line, self.registry, self.services.people) is None

    @property
    def prefix(self) -> str:
        """What commands start with here."""
        return self.services.settings.commands.prefix
