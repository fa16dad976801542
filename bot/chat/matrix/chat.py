"""Matrix as a chat: connection, rooms, event listener and message sender put together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.account.profile import Profile
from slipway.bot.chat.matrix.events.event_listener import EventListener
from slipway.bot.chat.matrix.events.event_verifier import EventVerifier
from slipway.bot.chat.matrix.events.parsing import timestamp
from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.messages.former_messages import FormerMessages
from slipway.bot.chat.matrix.messages.message_sender import MessageSender
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.matrix.rooms.activity import TYPING_AFTER, ActivityNotifier
from slipway.bot.chat.matrix.rooms.direct import DirectChats
from slipway.bot.chat.matrix.rooms.members import RoomMembers
from slipway.bot.chat.matrix.rooms.membership import RoomMembership
from slipway.bot.chat.matrix.rooms.rooms import Rooms
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.matrix.transport.rate_limit import Priority, RateLimiter
from slipway.bot.chat.model import Accept, Card, ChatHealth, Platform, PrivateFile
from slipway.bot.chat.shared.edits import LatestEdits
from slipway.bot.core.errors import ChatError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.storage_errors import storage_failure
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep

_MAX_POLL = timedelta(seconds=30)
_MAX_AGE = timedelta(minutes=10)


def _knows_nobody(_user: str) -> bool:
    return False


class MatrixChat:
    """Fulfils :class:`slipway.bot.chat.model.Chat` on a Matrix homeserver.

    Args:
        settings: the account and its rooms.
        memory: keeps the sync token between runs.
        clock: tells how long ago the homeserver was last heard from.
        is_known: whether an account belongs to a configured person; those may have direct chats with the bot.
        answers: called when the homeserver answers again after it did not.
        room_changed: called with every room that may be gone, or back.
        sleep: waits between tries.
        max_age: what is older is not acted on, so history is not read further back.
        typing_after: seconds until an answer that is not there yet is announced by typing.
        store: keeps the login and the encryption keys; without one, encrypted rooms are refused.
        works: whether this process is the one that answers.
        heard_elsewhere: waits a moment for whether another replica could read an event that this one could not.
        fence: asked right before each event is sent.
        replicated: whether other replicas may speak by devices of their own.
    """

    def __init__(
        self,
        settings: MatrixSettings,
        memory: MatrixMemory,
        clock: Clock,
        *,
        is_known: Callable[[str], bool] = _knows_nobody,
        answers: Callable[[], None] = lambda: None,
        room_changed: Callable[[str], None] = lambda _room: None,
        sleep: Sleep = asyncio.sleep,
        max_age: timedelta = _MAX_AGE,
        typing_after: float = TYPING_AFTER,
        store: AccountStore | None = None,
        works: Callable[[], bool] = lambda: True,
        heard_elsewhere: Callable[[str], Awaitable[bool]] | None = None,
        fence: Fence = NO_FENCE,
        replicated: bool = False,
    ) -> None:
        self._settings = settings
        self._works = works
        self._clock = clock
        self._connection = Connection(
            settings, sleep, store=store, clock=clock, fence=fence, marks=replicated
        )
        members = RoomMembers(self._connection, sleep)
        self._direct = DirectChats(self._connection, memory, members)
        self._rooms = Rooms(self._connection, settings.rooms, is_known, clock, members)
        self._rate_limiter = RateLimiter(settings.edit_interval, sleep)
        # An edit is sent under a transaction id, so no repetition can come late: nothing is in doubt.
        self._edits = LatestEdits(partial(self._rate_limiter.wait_until_clear, Priority.EDIT))
        former = FormerMessages(self._connection) if replicated else None
        self._sender = MessageSender(self._connection, self._rooms, self._rate_limiter, clock, former)
        self._membership = RoomMembership(
            self._connection, self._rooms, self._sender, memory, room_changed=room_changed, works=works
        )
        self._activity = ActivityNotifier(self._connection, typing_after=typing_after, works=works)
        self._profile = Profile(self._connection, memory, settings.display_name, settings.avatar)
        poll = min(_MAX_POLL, settings.request_timeout).total_seconds()
        self._poll = timedelta(seconds=poll)
        self._listener = EventListener(
            self._connection,
            self._rooms,
            self._sender,
            memory,
            clock,
            verifier=EventVerifier(
                self._connection,
                self._rooms,
                self._sender,
                memory,
                unsigned_devices=settings.unsigned_devices,
                is_known=is_known,
                works=works,
                heard_elsewhere=heard_elsewhere,
            ),
            members=members,
            direct=self._direct,
            membership=self._membership,
            activity=self._activity,
            apply_profile=self._profile.apply,
            max_age=max_age,
            poll=poll,
            sleep=sleep,
            answers=answers,
            works=works,
        )

    @property
    def platform(self) -> Platform:
        """Matrix."""
        return MATRIX

    @property
    def edit_interval(self) -> timedelta:
        """As configured, and longer while the homeserver limits the bot's rate."""
        return self._rate_limiter.edit_interval

    async def prepare(self) -> None:
        """There is nothing to know before."""

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled; lets go of the connection at the end.

        Raises:
            ChatError: the login does not work, and waiting does not help.
        """
        try:
            await self._listener.listen(accept)
        finally:
            await self.close()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card, once for its key as long as the homeserver remembers transactions."""
        try:
            with _keys_stored():
                return await self._sender.send(room, card, thread=thread, key=key)
        finally:
            self._activity.message_sent(room)

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace one of the bot's messages; it stays in the thread where it was sent."""
        with _keys_stored():
            await self._edits.edit(
                message_id, lambda: self._sender.edit(room, message_id, card, key=key, thread=thread)
            )

    def edited_at(self, room: str, message_id: str) -> datetime | None:
        """When the homeserver took an edit, before the reactions that serve as its buttons."""
        return self._sender.edited_at(message_id)

    async def direct_room(self, account: str) -> str:
        """The direct chat with somebody."""
        return await self._direct.room_with(account)

    async def send_private_file(self, account: str, file: PrivateFile, *, key: str) -> None:
        """Into the direct chat with somebody."""
        room = await self._direct.room_with(account)
        with _keys_stored():
            await self._sender.send_file(room, file, key=key)

    async def remove_message(self, room: str, message_id: str, reason: str) -> bool:
        """By a redaction, which the homeserver grants or not."""
        return await self._sender.remove(room, message_id, reason)

    async def why_gone(self, room: str) -> str | None:
        """Known to the homeserver; asked once the bot has entered the rooms that it can."""
        if self._listener.last_sync_at is None:
            raise ChatError("Not connected to the Matrix homeserver yet.", passing=True)
        return await self._membership.why_gone(room)

    def room_called(self, name: str) -> str | None:
        """By what the homeserver said last of the aliases that the configuration names."""
        return self._rooms.id_of(name)

    async def is_direct(self, room: str) -> bool:
        """A direct chat, by who is in it."""
        return await self._rooms.is_direct(room)

    def is_private(self, room: str) -> bool:
        """Every room that is not configured: people are heard in no others but direct chats."""
        return not self._rooms.is_configured(room)

    async def sent_at(self, room: str, message_id: str) -> datetime | None:
        """The homeserver's ``origin_server_ts`` of the event."""
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/event/{quote(message_id, safe='')}"
        return timestamp((await self._connection.get_json("look at a message", path)).get("origin_server_ts"))

    async def close(self) -> None:
        """Let go of the connection."""
        await self._edits.close()
        await self._activity.close()
        await self._connection.close()

    def health(self) -> ChatHealth:
        """Connected while the homeserver answered not long ago."""
        last = self._listener.last_sync_at
        age = None if last is None else self._clock() - last
        allowed = self._poll + 2 * self._settings.request_timeout
        connected = age is not None and age <= allowed and not self._listener.problem
        return ChatHealth(
            connected=connected,
            last_heard_from=age,
            detail=self._detail(),
            clock_ahead=self._connection.platform_clock.ahead,
        )

    def _detail(self) -> str:
        if self._listener.problem:
            return self._listener.problem
        if self._listener.last_sync_at is None:
            return "Not connected to the Matrix homeserver yet."
        refused = [
            f"The room {room} is encrypted and refused." for room in sorted(self._listener.refused_rooms)
        ]
        problems = [*self._rooms.problems, *self._membership.problems, *refused]
        if self._connection.keys is not None and self._connection.keys.problem:
            problems.append(self._connection.keys.problem)
        if self._profile.problem:
            problems.append(self._profile.problem)
        return " ".join(problems) or f"Listening on Matrix as {self._settings.user_id}."


@contextmanager
def _keys_stored() -> Iterator[None]:
    """While something is encrypted, which changes what the device's key store holds.

    Raises:
        ChatError: that cannot be written now.
    """
    try:
        yield
    except ChatError:
        raise
    except Exception as error:
        failure = storage_failure(error)
        if failure is None:
            raise
        raise ChatError(f"The device's keys cannot be stored now: {failure}.", passing=True) from error
