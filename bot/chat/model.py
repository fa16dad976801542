"""Messages in and cards out, free of any platform.

An adapter turns its platform's events into :class:`MessageEvent` and :class:`ButtonEvent`, and :class:`Card`
into whatever its platform shows. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, NewType, Protocol, runtime_checkable

from pydantic import Field as PydanticField

from slipway.bot.core.model import Model

Platform = NewType("Platform", str)
"""Where people talk, such as ``matrix``. Each adapter names its own; nothing else lists them."""

SCHEDULE = Platform("schedule")
"""The platform of identities that no person speaks from: those of schedules. Nobody answers there."""


class Room(Model):
    """A Matrix room, a Slack channel or the console, by the platform's own id."""

    platform: Platform
    id: str


class Address(StrEnum):
    """How a message was meant for the bot, as far as the platform tells."""

    ROOM = "room"  # said in a room: needs the prefix
    MENTION = "mention"  # the bot was mentioned, and the mention was taken off the text
    DIRECT = "direct"  # a chat with the bot alone


class Assurance(StrEnum):
    """How far an adapter's settings let it trust the way something reached it."""

    FULL = "full"
    DOUBTED = "doubted"  # act on it, and say why it is doubted
    REFUSED = "refused"  # change nothing on the strength of it, and say why


class MessageEvent(Model):
    """Something a person said. ``event_id`` names it once and for ever on its platform.

    ``doubt`` is one plain sentence where ``assurance`` is not full: an unsigned device, a direct message.
    """

    type: Literal["message"] = "message"
    event_id: str
    room: Room
    sender: str  # the platform's id of the account, never a display name
    text: str
    address: Address = Address.ROOM
    thread: str | None = None  # id of the thread's root message, where it was said in one
    reply_to: str | None = None  # id of the message that it answers, where the platform knows such answers
    sent_at: datetime  # by the platform's clock
    assurance: Assurance = Assurance.FULL
    doubt: str = ""


class Choice(StrEnum):
    """What a button says."""

    APPROVE = "approve"
    REJECT = "reject"


class ButtonEvent(Model):
    """A press on a button of one of the bot's cards.

    The operation is named either by the button's value (``operation_id`` and ``digest_prefix``) or by the
    message that carries the button (``message_id``); everything else is read again from the store.
    ``forgeable`` marks a press that somebody between the person and the bot could have made up, such as a
    reaction in an encrypted room; policies say whether it counts.
    """

    type: Literal["button"] = "button"
    event_id: str
    room: Room
    sender: str
    choice: Choice
    message_id: str | None = None
    operation_id: str | None = None
    digest_prefix: str | None = None
    reason: str = ""
    sent_at: datetime
    assurance: Assurance = Assurance.FULL
    doubt: str = ""
    forgeable: bool = False


class WithdrawnReaction(Model):
    """A press taken back: a redacted reaction. ``reaction_event_id`` is the event id of that press."""

    type: Literal["withdrawn_reaction"] = "withdrawn_reaction"
    event_id: str
    room: Room
    sender: str
    reaction_event_id: str
    sent_at: datetime


AnyEvent = MessageEvent | ButtonEvent | WithdrawnReaction
Event = Annotated[AnyEvent, PydanticField(discriminator="type")]


class Tone(StrEnum):
    """The state a card speaks of. Renderers give it a symbol and a word; colour never stands alone."""

    INFO = "info"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    WARNING = "warning"
    FAILED = "failed"


SYMBOLS = {
    Tone.INFO: "ℹ",
    Tone.WAITING: "⏳",
    Tone.RUNNING: "▶",
    Tone.DONE: "✔",
    Tone.WARNING: "⚠",
    Tone.FAILED: "✘",
}


class Field(Model):
    """A labelled value on a card."""

    label: str
    value: str


class Table(Model):
    """Rows under headings. Every row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


class Button(Model):
    """A choice about one operation. The value a platform carries is the id and a digest prefix, no more.

    ``authentic`` buttons are left off where a press could be forged; the card's notes say what to type.
    """

    choice: Choice
    label: str
    operation_id: str
    digest_prefix: str
    authentic: bool = False


class Shortcut(Model):
    """A command that can be given by a press, where the platform has buttons: the presser says the line.

    Elsewhere it is left out, so notes name whatever must not be missed.
    """

    label: str
    command: str  # without prefix


class Card(Model):
    """One message of the bot.

    ``title`` says it all in one line. ``text``, field values, cells and ``notes`` are plain text in which
    `` `backticks` `` mark something to type or a literal; there is no other markup, and renderers escape
    everything else. ``mentions`` are speaker ids on the message's platform. ``private_to`` is the one speaker
    whom it concerns: a platform that can show it to them alone does so, the others show it to all. What is
    ``fleeting`` will be replaced: an edit by it attaches no file, however long it is.
    """

    tone: Tone = Tone.INFO
    title: str
    text: str = ""
    fields: tuple[Field, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    mentions: tuple[str, ...] = ()
    private_to: str | None = None
    fleeting: bool = False


Accept = Callable[[AnyEvent], Awaitable[bool | None]]
"""Takes an event in. When it returns, the event is committed (or was not meant for the bot): acknowledge now.

It may say which: true for what the bot will answer, false for what was not meant for it.
"""


@dataclass(frozen=True, slots=True)
class ChatHealth:
    """How an adapter is doing. ``detail`` is one plain sentence."""

    connected: bool
    last_heard_from: timedelta | None  # age of the last successful contact with the platform
    detail: str


class Chat(Protocol):
    """A platform: events in, cards out. Every adapter fulfils it and is held to the same conformance suite."""

    @property
    def platform(self) -> Platform:
        """Which platform this is."""
        ...

    @property
    def edit_interval(self) -> timedelta:
        """The shortest time between two edits of one message that the platform bears."""
        ...

    async def prepare(self) -> None:
        """Let the rest of the bot know what it has to, before work that a former process left goes on.

        Short, and no failure of the platform comes out of it.
        """
        ...

    async def close(self) -> None:
        """Let go of everything; called at the end, however that came, and maybe more than once."""
        ...

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled, or until the input ends. Each event goes to ``accept`` in order."""
        ...

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card, and return the platform's message id.

        ``key`` makes the send idempotent as far as the platform can: the same key never shows two messages.

        Raises:
            ChatError: the platform did not take it, or not the buttons or the file that belong to it: then the
                error has the id of the message, which stands there.
        """
        ...

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace one of the bot's own messages, its buttons included.

        Raises:
            ChatError: the platform did not take it.
        """
        ...

    def health(self) -> ChatHealth:
        """How the connection is doing now."""
        ...


@runtime_checkable
class DatesMessages(Protocol):
    """What a chat may be besides: one whose platform says when a message was sent, by the clock of its events.

    Of others, the bot's own clock has to do.
    """

    async def sent_at(self, room: str, message_id: str) -> datetime | None:
        """When one of the bot's messages was sent; None where the platform does not know it.

        Raises:
            ChatError: the platform could not be asked.
        """
        ...
