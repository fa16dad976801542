"""A message of the bot: where it stands or is to stand, what it shows, and what it has yet to show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from slipway.bot.chat.model import Card, Room, Tone
from slipway.bot.core.model import digest


class Lifetime(Enum):
    """How long a message is worth saying while its platform does not take it."""

    ANSWER = timedelta(hours=1)
    """An answer to somebody: later, they have asked again, or look for themselves."""

    REPORT = timedelta(days=7)
    """The card of an operation, its report, and what the clock asked for: nobody would look for these."""


WORKING = Card(tone=Tone.RUNNING, title="Working on it…")
"""What is said until there is an answer, which then takes its place."""


@dataclass(frozen=True)
class Dropped:
    """Messages that were given up: nobody will see what they had to show.

    Attributes:
        room: where they were to stand.
        why: what they were given up for, as a sentence.
        count: how many.
        last: when the newest was.
    """

    room: Room
    why: str
    count: int
    last: datetime


@dataclass(frozen=True)
class Message:
    """One message, by its key.

    Attributes:
        key: names it; the same key never shows two messages.
        room: where.
        until: when it is given up, if its platform has not taken it by then.
        thread: the platform's id of the message in whose thread it stands; None for the room itself, or for what
            ``thread_of`` says.
        thread_of: the key of the message in whose thread it is to stand, where that has no id yet.
        answers: the platform's id of the message that it answers; None for none.
        operation_id: of an operation's card: a press on it is a press on that operation.
        message_id: the platform's id of it; None until the platform took it.
        sent_at: when it did; where it did not yet, when that was tried first.
        card_since: since when it shows an operation: “Working on it…” comes to do so by an edit, which may be late.
        shown: the digest of the card that it shows. Where the platform has not taken it, of the one that was tried,
            and may stand there; empty where several were.
        edits: how often it was edited; names the next edit.
        incomplete: whether it stands there without its buttons or its file, which the platform did not take.
        card: what it has yet to show; None where it shows what it should.
        turn: its place among what waits in its room; None before it was kept, and where nothing waits.
        dropped: why it will not be shown, in a sentence; empty for any other.
    """

    key: str
    room: Room
    until: datetime
    thread: str | None = None
    thread_of: str | None = None
    answers: str | None = None
    operation_id: str | None = None
    message_id: str | None = None
    sent_at: datetime | None = None
    card_since: datetime | None = None
    shown: str | None = None
    edits: int = 0
    incomplete: bool = False
    card: Card | None = None
    turn: int | None = None
    dropped: str = ""

    def showing(self, card: Card, until: datetime) -> Message:
        """The same, to show another card; the same message where it shows that already."""
        if self.card == card:
            return self
        if self.message_id is not None and digest(card) == self.shown and not self.incomplete:
            return replace(self, card=None, turn=None)
        return replace(self, card=card, until=until, dropped="")

    @property
    def waits(self) -> bool:
        """Whether it has yet to show something."""
        return self.card is not None

    @property
    def in_doubt(self) -> bool:
        """Whether another card than it is to show was tried, and may stand there, so that a platform which takes a
        key once would leave that."""
        assert self.card is not None  # noqa: S101 - for the type checker; only what has something to show is sent
        return self.message_id is None and self.shown not in (None, digest(self.card))

    def trying(self, at: datetime) -> Message:
        """The same, as its card is tried now, whatever becomes of that."""
        assert self.card is not None  # noqa: S101 - as above
        if self.message_id is not None:
            return self
        return replace(self, sent_at=self.sent_at or at, shown="" if self.in_doubt else digest(self.card))

    def taken(self, message_id: str, at: datetime) -> Message:
        """The same, as the platform took what it had to show."""
        assert self.card is not None  # noqa: S101 - as above
        shown = digest(self.card)
        edited = self.message_id is not None and shown != self.shown
        return replace(
            self,
            message_id=message_id,
            sent_at=at if self.message_id is None else self.sent_at or at,
            card_since=self._card_since(at),
            shown=shown,
            edits=self.edits + 1 if edited else self.edits,
            incomplete=False,
            card=None,
            turn=None,
        )

    def stands(self, message_id: str, at: datetime) -> Message:
        """The same, as it stands there, and something that belongs to it is missing."""
        assert self.card is not None  # noqa: S101 - as above
        return replace(
            self,
            message_id=message_id,
            sent_at=self.sent_at if self.in_doubt or self.message_id is not None else at,
            card_since=None if self.in_doubt else self._card_since(at),
            shown="" if self.in_doubt else digest(self.card),
            incomplete=True,
        )

    @property
    def became_card(self) -> bool:
        """Whether it showed something else before it showed an operation, if it does."""
        return self.card_since is None or self.card_since != self.sent_at

    def _card_since(self, at: datetime) -> datetime | None:
        """Since when it shows an operation, if it shows now what it had to show."""
        return self.card_since or (None if self.operation_id is None else at)

    def given_up(self, why: str) -> Message:
        """The same, of which nobody will see what it had to show."""
        return replace(self, card=None, turn=None, dropped=why)
