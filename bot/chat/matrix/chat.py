"""Matrix as a chat: connection, rooms, ears and voice put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from slipway.bot.chat.matrix.transport.backoff import Sleep
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.matrix.events.event_listener import Ears
from slipway.bot.chat.matrix.account.account_store import Folder
from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.transport.rate_limit import Latest, Pace
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.matrix.rooms.activity import TYPING_AFTER, Presence
from slipway.bot.chat.matrix.account.profile import Profile
from slipway.bot.chat.matrix.rooms.rooms import Rooms
from slipway.bot.chat.matrix.events.event_verifier import Seals
from slipway.bot.chat.matrix.messages.message_sender import Voice
from slipway.bot.chat.matrix.rooms.membership import RoomMembership
from slipway.bot.chat.model import Accept, Card, ChatHealth, Platform
from slipway.bot.config.settings import CommandSettings, MatrixSettings
from slipway.bot.core.times import Clock

_LONGEST_POLL = timedelta(seconds=30)
_MAX_AGE = CommandSettings().max_age


def _nobody(_user: str) -> bool:
    return False


class MatrixChat:
    """Fulfils :class:`slipway.bot.chat.model.Chat` on a Matrix homeserver.

    Args:
        settings: the account and its rooms.
        memory: keeps the sync token between runs.
        clock: tells how long ago the homeserver was last heard from.
        knows: whether an account belongs to a configured person; those may have direct chats with the bot.
        sleep: waits between tries.
        max_age: what is older is not acted on, so a gap is not read further back.
        typing_after: seconds until an answer that is not there yet is announced by typing.
        folder: keeps the login and the encryption keys; without one, encrypted rooms are refused.
    """

    def __init__(
        self,
        settings: MatrixSettings,
        memory: MatrixMemory,
        clock: Clock,
        *,
        knows: Callable[[str], bool] = _nobody,
        sleep: Sleep = asyncio.sleep,
        max_age: timedelta = _MAX_AGE,
        typing_after: float = TYPING_AFTER,
        folder: Folder | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._connection = Connection(settings, sleep, folder=folder)
        self._rooms = Rooms(self._connection, settings.rooms, knows, clock)
        self._pace = Pace(settings.edit_interval, sleep)
        self._edits = Latest(self._pace)
        self._voice = Voice(self._connection, self._rooms, self._pace)
        self._standing = RoomMembership(self._connection, self._rooms, self._voice, memory)
        self._presence = Presence(self._connection, typing_after=typing_after)
        self._profile = Profile(self._connection, memory, settings.display_name, settings.avatar)
        poll = min(_LONGEST_POLL, settings.request_timeout).total_seconds()
        self._poll = timedelta(seconds=poll)
        self._ears = Ears(
            self._connection,
            self._rooms,
            self._voice,
            memory,
            clock,
            seals=Seals(
                self._connection,
                self._rooms,
                self._voice,
                memory,
                rule=settings.unsigned_devices,
                knows=knows,
            ),
            standing=self._standing,
            presence=self._presence,
            introduce=self._profile.introduce,
            max_age=max_age,
            poll=poll,
            sleep=sleep,
        )

    @property
    def platform(self) -> Platform:
        """Matrix."""
        return MATRIX

    @property
    def edit_interval(self) -> timedelta:
        """As configured, and longer while the homeserver finds that the bot says too much."""
        return self._pace.edit_interval

    async def prepare(self) -> None:
        """There is nothing to know before."""

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled; lets go of the connection at the end.

        Raises:
            ChatError: the login does not work, and waiting does not help.
        """
        try:
            await self._ears.listen(accept)
        finally:
            await self.close()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card, once for its key as long as the homeserver remembers transactions."""
        try:
            return await self._voice.say(room, card, thread=thread, key=key)
        finally:
            self._presence.answered(room)

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace one of the bot's messages; it stays in the thread where it was sent."""
        await self._edits.edit(
            message_id, lambda: self._voice.replace(room, message_id, card, key=key, thread=thread)
        )

    async def close(self) -> None:
        """Let go of the connection."""
        await self._edits.close()
        await self._presence.close()
        await self._connection.close()

    def health(self) -> ChatHealth:
        """Connected while the homeserver answered not long ago."""
        last = self._ears.last_heard
        age = None if last is None else self._clock() - last
        patience = self._poll + 2 * self._settings.request_timeout
        connected = age is not None and age <= patience and not self._ears.trouble
        return ChatHealth(connected=connected, last_heard_from=age, detail=self._detail())

    def _detail(self) -> str:
        if self._ears.trouble:
            return self._ears.trouble
        if self._ears.last_heard is None:
            return "Not connected to the Matrix homeserver yet."
        refused = [f"The room {room} is encrypted and refused." for room in sorted(self._ears.refused)]
        problems = [*self._rooms.problems, *self._standing.problems, *refused]
        if self._connection.keys is not None and self._connection.keys.trouble:
            problems.append(self._connection.keys.trouble)
        if self._profile.problem:
            problems.append(self._profile.problem)
        return " ".join(problems) or f"Listening on Matrix as {self._settings.user_id}."
