"""Messages in and cards out, free of any platform.

An adapter turns its platform's events into :class:`MessageEvent` and :class:`ButtonEvent`, and :class:`Card`
into whatever its platform shows. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, NewType, Protocol, runtime_checkable

from pydantic import Field as PydanticField

from slipway.bot.chat.pictures import MOST_PICTURES, Picture
from slipway.bot.core.model import Json, Model, Words

Platform = NewType("Platform", str)
"""Where people talk, such as ``matrix``. Each adapter names its own; nothing else lists them."""

SCHEDULE = Platform("schedule")
"""The platform of identities that no person speaks from: those of schedules. Nobody answers there."""

SERVICE = Platform("service")
"""As :data:`SCHEDULE`, of what looks after something by itself, such as the leases of machines."""


class Room(Model):
    """A Matrix room, a Slack channel or the console, by the platform's own id."""

    platform: Platform
    id: str


class Address(StrEnum):
    """How a message was meant for the bot, as far as the platform tells."""

    ROOM = "room"  # said in a room: needs the prefix
    REPLY = "reply"  # in answer to a message of the bot: a command's name needs no prefix, all else is talk
    MENTION = "mention"  # the bot was mentioned, and the mention was taken off the text
    DIRECT = "direct"  # a chat with the bot alone


class Assurance(StrEnum):
    """How far an adapter's settings let it trust the way something reached it."""

    FULL = "full"
    DOUBTED = "doubted"  # act on it, and say why it is doubted
    REFUSED = "refused"  # change nothing on the strength of it, and say why


class Audience(StrEnum):
    """Who saw somebody say something, and so whom an answer is for."""

    ROOM = "room"
    SENDER = (
        "sender"  # nobody else: what only answers is theirs alone, and what changes something says who asked
    )


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
    audience: Audience = Audience.ROOM
    chosen_on: str | None = None  # id of the message on which it was pressed, as one of the choices there


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
    reason: Words = ""
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


NONE = "-"
"""The words of a table's cell without a value."""


class TableForm(StrEnum):
    """How a table is read. A platform that has but one way to show tables shows both alike."""

    GRID = "grid"  # across and down: rows are compared
    LIST = "list"  # row by row: a term, and what is said of it


class Table(Model):
    """Rows under headings. Every row has as many cells as there are columns.

    ``values`` are the same rows for programs, a value by its name each; none where there are only words. See
    :mod:`slipway.bot.chat.tables`.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    values: tuple[dict[str, Json], ...] = ()
    title: str = ""
    form: TableForm = TableForm.GRID


class Consequence(StrEnum):
    """What a press leads to, as far as platforms show it."""

    NOTHING = "nothing"  # it only shows something
    ORDINARY = "ordinary"
    CHOICE = (
        "choice"  # the others beside it are not to be pressed any more: once it is under way, all are gone
    )
    ENDING = "ending"  # something ends by it that nothing brings back


class Button(Model):
    """A choice about one operation. The value a platform carries is the id and a digest prefix, no more.

    ``authentic`` buttons are left off where a press could be forged; the card's notes say what to type.
    """

    choice: Choice
    label: str
    operation_id: str
    digest_prefix: str
    authentic: bool = False
    consequence: Consequence = Consequence.ORDINARY


class Shortcut(Model):
    """A command that can be given by a press, where the platform has buttons: the presser says the line.

    Elsewhere it is left out, so notes name whatever must not be missed.
    """

    label: str
    command: str  # without prefix
    consequence: Consequence = Consequence.ORDINARY


class CardOutcome(StrEnum):
    """What became of what was asked for, for programs."""

    ANSWERED = "answered"  # or proposed, or done
    REFUSED = "refused"  # not understood, not allowed, or not possible as asked
    FAILED = "failed"  # it was tried, or looked at, and did not work


class OperationFacts(Model):
    """The operation that a card is about, as values for programs."""

    id: str
    kind: str
    state: str
    ended: bool
    command: str
    requester: str
    digest: str
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    approvals: int
    approvals_needed: int
    steps: int
    steps_done: int


class Card(Model):
    """One message of the bot.

    ``title`` says it all in one line. ``text``, field values, cells and ``notes`` are plain text in which
    `` `backticks` `` mark something to type or a literal; there is no other markup, and renderers escape
    everything else. ``mentions`` are speaker ids on the message's platform. ``private_to`` is the one speaker
    whom it concerns: a platform that can show it to them alone does so, the others show it to all. ``answers`` is
    the platform's id of the message that a new one answers, for platforms that show that. What is ``fleeting`` will
    be replaced: an edit by it attaches no file, however long it is. ``pictures`` stand below it where the
    platform shows some; the card says all that they show. ``outcome`` and ``operation`` are for programs, and shown
    to nobody.
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
    answers: str | None = None
    fleeting: bool = False
    # Left out where there is none, so that a card without one is stored, and known again, as before there were any.
    pictures: tuple[Picture, ...] = PydanticField(
        default=(), max_length=MOST_PICTURES, exclude_if=lambda found: not found
    )
    outcome: CardOutcome = CardOutcome.ANSWERED
    operation: OperationFacts | None = None


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
    clock_ahead: timedelta | None = (
        None  # how far the bot's clock is ahead of the platform's, where that is known
    )


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
class SendsDirectMessages(Protocol):
    """What a chat may be besides: one where a person can be spoken to alone, who has not begun it."""

    async def direct_room(self, account: str) -> str:
        """The room with an account alone, made where there is none.

        Raises:
            ChatError: there is none, and none can be made.
        """
        ...


@dataclass(frozen=True)
class PrivateFile:
    """A text that one person alone may read; nothing of it is stored, or logged.

    Attributes:
        name: of the file: ``i-0f1e2d3c4b5a69788-console.txt``.
        title: what it is, in one line.
        text: what it holds.
    """

    name: str
    title: str
    text: str = field(repr=False)


@runtime_checkable
class SendsPrivateFiles(Protocol):
    """What a chat may be besides: one that can put a text before an account alone, and keeps nothing of it itself.

    Where the chat is a :class:`SendsDirectMessages`, that is in a direct message. Any other shows it where the
    account asked for it, which nobody else reads.
    """

    async def send_private_file(self, account: str, file: PrivateFile, *, key: str) -> None:
        """Send a file, once for its key as far as the platform can.

        Raises:
            ChatError: the platform did not take it, or it would be seen by others.
        """
        ...


@runtime_checkable
class KnowsRooms(Protocol):
    """What a chat may be besides: one that can be asked who reads a room, and whether it still takes messages.

    Where its platform tells of something by which that may have changed, it calls ``room_changed`` of
    :class:`slipway.bot.chat.declaration.HostCallbacks`.
    """

    async def why_gone(self, room: str) -> str | None:
        """Why a room takes nothing from the bot until somebody changes that, as a sentence; None where it does.

        Raises:
            ChatError: the platform does not say.
        """
        ...

    async def is_direct(self, room: str) -> bool:
        """Whether one person alone reads what the bot says in a room; false where the platform does not say."""
        ...

    def is_private(self, room: str) -> bool:
        """Whether others are not to learn of a room: it is, or may be, a direct chat, also one that is gone."""
        ...


@runtime_checkable
class HearsReplicas(Protocol):
    """What a chat may be besides: one that gives itself something at other replicas, by ``relay`` of
    :class:`slipway.bot.chat.declaration.HostCallbacks`, as each event of its platform reaches one of them alone."""

    async def relayed(self, content: Json) -> None:
        """Take in what this chat gave at another replica."""
        ...


@runtime_checkable
class NamesRooms(Protocol):
    """What a chat may be besides: one whose configuration may call a room by a name, which leads to its id."""

    def room_called(self, name: str) -> str | None:
        """The id of the room that a name leads to, and an id itself; None while the platform did not say. Asks
        nobody."""
        ...


@runtime_checkable
class SendsUnrecorded(Protocol):
    """What a chat may be besides: one that stores something of each message it sends, and can do without.

    For what has to be said just because nothing can be stored, or is worth saying only now.
    """

    async def send_unrecorded(self, room: str, card: Card) -> str:
        """Send a card at once, behind nothing that waits, and return the platform's message id.

        Nothing is stored for it, so that after a doubtful outcome nobody finds it again.

        Raises:
            ChatError: the platform did not take it.
        """
        ...


@runtime_checkable
class AnswersElsewhere(Protocol):
    """What a chat may be besides: one where whoever caused an event can be told something though its room takes
    nothing."""

    async def answer_elsewhere(self, key: str, why: str) -> None:
        """Tell whoever caused the event that a message with this key answers why it does not come, as far as that can
        be, and once for it."""
        ...


@runtime_checkable
class AsksForCodes(Protocol):
    """What a chat may be besides: one whose buttons open a window for a single-use code, which then stands in no
    conversation."""

    @property
    def asks_for_codes(self) -> bool:
        """Whether it is one."""
        ...


@runtime_checkable
class RemovesMessages(Protocol):
    """What a chat may be besides: one where the bot may take away what somebody else said."""

    async def remove_message(self, room: str, message_id: str, reason: str) -> bool:
        """Remove a message for everybody; false where the bot may not.

        Raises:
            ChatError: the platform did not take it.
        """
        ...


@runtime_checkable
class OffersShortcuts(Protocol):
    """What a chat may be besides: one whose cards have a button for each of their shortcuts."""

    @property
    def offers_shortcuts(self) -> bool:
        """Whether it is one."""
        ...


@runtime_checkable
class DatesEdits(Protocol):
    """What a chat may be besides: one where a card's buttons, or its file, may follow its edit much later."""

    def edited_at(self, room: str, message_id: str) -> datetime | None:
        """When the platform took what one of the bot's messages shows, by the bot's clock; None where that is not
        known any more."""
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
