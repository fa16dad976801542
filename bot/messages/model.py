"""A message of the bot: where it stands or is to stand, what it shows, and what it has yet to show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from slipway.bot.chat.model import Card, Room
from slipway.bot.core.model import digest


class Lifetime(Enum):
    """How long a message is worth saying while its platform does not take it."""

    ANSWER = timedelta(hours=1)
    """An answer to somebody: later, they have asked again, or look for themselves."""

    REPORT = timedelta(days=7)
    """The card of an operation, its report, and what the clock asked for: nobody would look for these."""


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
        operation_id: of an operation's card: a press on it is a press on that operation.
        message_id: the platform's id of it; None until the platform took it.
        sent_at: when it did; None as long as it did not.
        shown: the digest of the card that it shows.
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
    operation_id: str | None = None
    message_id: str | None = None
    sent_at: datetime | None = None
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
        if digest(card) == self.shown and not self.incomplete:
            return replace(self, card=None, turn=None)
        return replace(self, card=card, until=until, dropped="")

    def taken(self, message_id: str, at: datetime) -> Message:
        """The same, as the platform took what it had to show."""
        assert self.card is not None  # noqa: S101 - for the type checker; only what has something to show is sent
        shown = digest(self.card)
        edited = self.message_id is not None and shown != self.shown
        return replace(
            self,
            message_id=message_id,
            sent_at=self.sent_at or at,
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
            sent_at=self.sent_at or at,
            shown=digest(self.card),
            incomplete=True,
        )

    def given_up(self, why: str) -> Message:
        """The same, of which nobody will see what it had to show."""
        return replace(self, card=None, turn=None, dropped=why)
