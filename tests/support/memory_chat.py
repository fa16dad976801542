"""A chat platform in memory, held to the same conformance suite as the real ones."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import timedelta

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Accept, Card, ChatHealth, Platform, PrivateFile
from slipway.bot.chat.shared.plain import render_plain
from slipway.bot.core.errors import ChatError


@dataclass
class PostedMessage:
    """A message in the room, with everything it said over time."""

    id: str
    room: str
    thread: str | None
    cards: list[Card]

    @property
    def card(self) -> Card:
        """What it says now."""
        return self.cards[-1]

    @property
    def text(self) -> str:
        """What it says now, as a person reads it."""
        return render_plain(self.card)


@dataclass
class MemoryChat:
    """A chat platform in memory."""

    platform: Platform = CONSOLE
    edit_interval: timedelta = timedelta()
    messages: list[PostedMessage] = field(default_factory=list)
    failures: list[ChatError] = field(default_factory=list)  # raised by the next sends and edits, in order
    away: ChatError | None = None  # raised by every send and edit while it is set
    away_in: dict[str, ChatError] = field(default_factory=dict)  # the same, of one room
    room_faults: list[ChatError] = field(
        default_factory=list
    )  # raised where it is asked about rooms, in order
    incomplete: int = 0  # how many of the next new messages stand without their buttons
    lost: int = 0  # how many of the next new messages are taken though the bot hears that they were not
    clock_ahead: timedelta | None = None  # of the bot's clock, by its own
    accept: Accept | None = None
    private: dict[str, tuple[str, PrivateFile]] = field(
        default_factory=dict
    )  # files that one person alone got
    names: dict[str, str] = field(default_factory=dict)  # where names of rooms lead, which begin with #
    prefix: str = "m"
    removes: bool = True  # whether the bot may remove what others say
    removed: list[str] = field(default_factory=list)  # the ids of what it removed

    def __post_init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._edits: set[tuple[str, str]] = set()
        self._numbers = itertools.count(1)
        self.events = itertools.count(1)  # goes on where a bot is started anew: no platform gives an id twice
        self.listening = asyncio.Event()
        self.changed = asyncio.Event()

    def report_of(self, card: PostedMessage) -> PostedMessage:
        """What was said last in a card's thread: once its operation has ended, that is its report."""
        return [each for each in self.messages if each.thread == card.id][-1]

    async def prepare(self) -> None:
        """There is nothing to know before."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled."""
        self.accept = accept
        self.listening.set()
        await asyncio.Event().wait()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Show a card once for its key."""
        lost, self.lost = self.lost > 0, max(0, self.lost - 1)
        if not lost:
            self._maybe_fail(room)
        if key not in self._keys:
            posted = PostedMessage(f"{self.prefix}{next(self._numbers)}", room, thread, [card])
            self._keys[key] = posted.id
            self.messages.append(posted)
            self.changed.set()
        if lost:
            raise ChatError("No answer.", passing=True)
        if self.incomplete:
            self.incomplete -= 1
            raise ChatError("No buttons.", passing=True, message_id=self._keys[key])
        return self._keys[key]

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace what a message says, once for its key."""
        self._maybe_fail(room)
        if (message_id, key) in self._edits:
            return
        self._edits.add((message_id, key))
        posted = next((each for each in self.messages if each.id == message_id), None)
        if posted is None:
            raise ChatError("There is no such message.", passing=False)
        posted.cards.append(card)
        self.changed.set()

    async def why_gone(self, room: str) -> str | None:
        """As sends and edits fail there."""
        if self.room_faults:
            raise self.room_faults.pop(0)
        error = self.away_in.get(room)
        return str(error) if error is not None and error.room_gone else None

    async def is_direct(self, room: str) -> bool:
        """By its name."""
        return room.startswith("direct:")

    def is_private(self, room: str) -> bool:
        """By its name."""
        return room.startswith("direct:")

    def room_called(self, name: str) -> str | None:
        """As a test says."""
        return self.names.get(name) if name.startswith("#") else name

    async def direct_room(self, account: str) -> str:
        """One room an account."""
        return f"direct:{account}"

    async def send_private_file(self, account: str, file: PrivateFile, *, key: str) -> None:
        """Once for its key."""
        self._maybe_fail(f"direct:{account}")
        self.private.setdefault(key, (account, file))

    async def remove_message(self, room: str, message_id: str, reason: str) -> bool:
        """If it may."""
        if self.removes:
            self.removed.append(message_id)
        return self.removes

    def health(self) -> ChatHealth:
        """Always well."""
        connected = self.accept is not None
        return ChatHealth(connected, last_heard_from=timedelta(), detail="", clock_ahead=self.clock_ahead)

    def _maybe_fail(self, room: str) -> None:
        error = self.failures.pop(0) if self.failures else self.away_in.get(room, self.away)
        if error is not None:
            raise error
