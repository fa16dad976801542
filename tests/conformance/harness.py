"""What a platform has to offer for the conformance suite: a room with people in it, whom a test lets act.

A :class:`ChatPlatformHarness` is one platform; :mod:`tests.conformance.run` puts the bot on one or on several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import pytest

from slipway.bot.chat.declaration import ChatContext
from slipway.bot.chat.model import Chat, Choice, Platform


class Capability(StrEnum):
    """What a platform may not have. The words follow “this platform has no”."""

    UNADDRESSED_TALK = "talk that is not meant for the bot"
    THREADS = "threads to speak in"
    MENTIONS = "mentions"
    DIRECT_CHATS = "direct chats"
    LASTING_BUTTONS = "buttons that outlive the bot's process"
    WITHDRAWAL = "taking a press back"
    EDITING = "changing or deleting what was said"
    OTHER_BOTS = "other bots"
    REDELIVERY = "delivering an event twice"
    OFFLINE_MESSAGES = "keeping what is said while the bot is down"
    OFFLINE_PRESSES = "keeping presses while the bot is down"
    SEND_FAULTS = "sending that fails"
    OWN_CLOCK = "clock of its own"
    SIZE_LIMITS = "limits to a message's size"
    PRIVATE_FILES = "files for one person alone"
    PICTURES = "pictures"
    GONE_ROOMS = "rooms that can be gone while people are still reached alone"


class Where(StrEnum):
    """Where something is said."""

    ROOM = "room"
    DIRECT = "direct"  # to the bot alone


class SendFault(StrEnum):
    """What goes wrong with a message of the bot on its way."""

    TRANSIENT = "transient"  # it is not taken this time
    LOST_RESPONSE = "lost response"  # it is taken, and the bot hears that it failed
    PERMANENT = "permanent"  # it is refused for good


@dataclass(frozen=True)
class VisibleMessage:
    """A message of the bot as a person sees it now, the latest edit applied."""

    id: str
    text: str  # everything that can be read on it
    choices: frozenset[Choice] = frozenset()  # what can be pressed
    thread: str | None = None  # the thread's root message
    edits: int = 0
    mentions: frozenset[str] = frozenset()  # the people it mentions
    private: bool = False  # nobody else sees it


@dataclass(frozen=True)
class VisiblePicture:
    """A picture of the bot: the file, what it shows in words, and the thread that it stands in."""

    png: bytes
    alternative: str
    thread: str | None = None


@dataclass(frozen=True)
class SentMessage:
    """Something a person said, by the platform's id; ``raw`` is the harness's own."""

    id: str
    who: str
    raw: Any = None


class ChatPlatformHarness(Protocol):
    """One platform. People go by the names in ``PEOPLE`` and ``STRANGER``."""

    platform: Platform
    missing: Mapping[Capability, str]
    """What cannot happen here, each with its reason."""

    async def open(self) -> None:
        """Prepare the room and the people; the bot is not there yet."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...

    def configuration(self) -> dict[str, Any]:
        """The platform's part of the configuration."""
        ...

    def identity(self, who: str) -> str:
        """A person's account, as the configuration writes it."""
        ...

    def make_chat(self, context: ChatContext[Any]) -> Chat:
        """The adapter under test, for the next start of the bot."""
        ...

    async def ready(self) -> None:
        """Wait until the bot listens and has heard what was said while it was down."""
        ...

    async def stopped(self) -> None:
        """The bot has stopped."""
        ...

    async def settle(self) -> None:
        """Wait until everything done so far was handed to the bot and taken by it."""
        ...

    async def say(
        self, who: str, text: str, *, where: Where, thread: str | None, mention: bool
    ) -> SentMessage:
        """Let a person say something."""
        ...

    async def press(self, who: str, choice: Choice, card: VisibleMessage) -> None:
        """Let a person press a button, whether it is still shown or not."""
        ...

    async def press_shortcut(self, who: str, label: str, card: VisibleMessage) -> None:
        """Let a person press a button that says a line, where the platform has such."""
        ...

    async def withdraw_press(self) -> None:
        """Let whoever pressed last take the press back."""
        ...

    async def edit(self, said: SentMessage, text: str) -> None:
        """Let a person change what they said."""
        ...

    async def delete(self, said: SentMessage) -> None:
        """Let a person take away what they said."""
        ...

    async def say_as_bots(self, text: str) -> None:
        """Let another bot say something in the room, and the bot's own account from elsewhere."""
        ...

    async def visible_messages(self, who: str, where: Where) -> list[VisibleMessage]:
        """The bot's messages that a person sees there now, oldest first."""
        ...

    async def redeliver(self) -> None:
        """Deliver every event once more: now, or at the next start (see ``redelivers_at_start``)."""
        ...

    def inject_fault(self, fault: SendFault, times: int = 1) -> None:
        """Let something go wrong with the bot's next messages, edits included."""
        ...

    def set_away(self, away: bool) -> None:
        """Let nothing that the bot sends be taken from now on, or let it be taken again."""
        ...

    async def set_room_gone(self, gone: bool) -> None:
        """Put the bot out of the room or close it, or let it be there again."""
        ...

    async def files(self) -> list[str]:
        """The texts of the files that the bot put into the room."""
        ...

    async def pictures(self) -> list[VisiblePicture]:
        """The pictures that the bot put into the room."""
        ...

    async def private_files(self, who: str) -> list[str]:
        """The texts of the files that the bot sent a person alone."""
        ...

    @property
    def redelivers_at_start(self) -> bool:
        """Whether the platform delivers again only to a bot that starts."""
        ...


MakeHarness = Callable[[pytest.FixtureRequest], ChatPlatformHarness]
"""Makes a platform for one test, with the fixtures that it needs."""
