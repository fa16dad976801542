"""What every chat offers to an episode: people who speak and press, what the bot said there, and what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from slipway.bot.chat.model import Choice
from tests.reliability.deeds import Trouble
from tests.reliability.messages import Seen


@dataclass
class Said:
    """Something that a person said or pressed.

    Attributes:
        id: the platform's, of a message.
        at: when, by the platform's clock, in seconds.
        life: of the console, to which process it was typed: to which of those that worked, one after the other.
        lost: whether the person was told, or sees, that the bot did not take it.
    """

    id: str
    at: float
    life: int = 0
    lost: bool = False


class Room(Protocol):
    """One chat with one room in it."""

    name: str

    async def open(self) -> None:
        """Prepare the room and the people."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...

    def configuration(self, replica: int = 1) -> Mapping[str, Any]:
        """The chat's part of the configuration of the bot, or of one of its replicas."""
        ...

    def account(self, who: str) -> str:
        """A person's identity, as the configuration writes it."""
        ...

    async def topic(self, who: str, text: str) -> str | None:
        """Begin a thread with words that are not meant for the bot; None where there are no threads."""
        ...

    async def say(self, who: str, text: str, thread: str | None) -> Said | None:
        """Say something; None if nobody can now."""
        ...

    async def press(self, who: str, choice: Choice, message: Seen) -> Said | None:
        """Press a button that is on a message; None if that is not possible now."""
        ...

    async def take_back(self, said: Said) -> bool:
        """Take a press back, where that is possible."""
        ...

    async def again(self, pick: float) -> bool:
        """Deliver something once more that was delivered before, if there is something."""
        ...

    def seen(self) -> list[Seen]:
        """The bot's messages as they are now, oldest first."""
        ...

    def trouble(self, trouble: Trouble, place: float, times: int, seconds: float) -> bool:
        """Let something go wrong with the next calls; False where that cannot happen here."""
        ...

    def set_away(self, away: bool) -> None:
        """Let the chat answer nothing, or answer again."""
        ...

    async def calm(self) -> None:
        """Let nothing go wrong any more, and deliver what was not acknowledged."""
        ...
