"""Matrix as a chat: connection, rooms, ears and voice put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from bot.chat.matrix.connection import Connection
from bot.chat.matrix.ears import Ears, Sleep
from bot.chat.matrix.memory import MatrixMemory
from bot.chat.matrix.rooms import Rooms
from bot.chat.matrix.send import Voice
from bot.chat.model import Accept, Card, ChatHealth, Platform
from bot.config.settings import MatrixSettings
from bot.times import Clock

_LONGEST_POLL = timedelta(seconds=30)


def _nobody(_user: str) -> bool:
    return False


class MatrixChat:
    """Fulfils :class:`bot.chat.model.Chat` on a Matrix homeserver.

    Args:
        settings: the account and its rooms.
        memory: keeps the sync token between runs.
        clock: tells how long ago the homeserver was last heard from.
        knows: whether an account belongs to a configured person; those may have direct chats with the bot.
        sleep: waits between tries.
    """

    def __init__(
        self,
        settings: MatrixSettings,
        memory: MatrixMemory,
        clock: Clock,
        *,
        knows: Callable[[str], bool] = _nobody,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._connection = Connection(settings)
        self._rooms = Rooms(self._connection, settings.rooms, knows, clock)
        self._voice = Voice(self._connection, self._rooms)
        poll = min(_LONGEST_POLL, settings.request_timeout).total_seconds()
        self._poll = timedelta(seconds=poll)
        self._ears = Ears(self._connection, self._rooms, self._voice, memory, clock, poll=poll, sleep=sleep)

    @property
    def platform(self) -> Platform:
        """Matrix."""
        return Platform.MATRIX

    @property
    def edit_interval(self) -> timedelta:
        """As configured: a Synapse as it comes lets an account send one event in five seconds."""
        return self._settings.edit_interval

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled; lets go of the connection at the end.

        Raises:
            ChatError: the login does not work, and waiting does not help.
        """
        try:
            await self._ears.listen(accept)
        finally:
            await self._connection.close()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card, once for its key as long as the homeserver remembers transactions."""
        return await self._voice.say(room, card, thread=thread, key=key)

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace one of the bot's messages; it stays in the thread where it was sent."""
        await self._voice.replace(room, message_id, card, key=key)

    async def close(self) -> None:
        """Let go of the connection, where the chat was only used for sending."""
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
        problems = [*self._rooms.problems, *refused]
        return " ".join(problems) or f"Listening on Matrix as {self._settings.user_id}."
