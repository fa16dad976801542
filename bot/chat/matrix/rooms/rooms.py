"""Which rooms the bot is in, and in which of them it listens to whom.

It listens in the rooms that the configuration names (for commands with the prefix, and for what begins by
naming it), and in direct chats: a room that the configuration does not name, with exactly two members, the
other one being somebody the bot knows. Such a room falls silent when a third one is invited. Where the homeserver
does not say who is in a room, the bot is silent there. Nothing here gives a right to anybody; what a person may do
is decided by who they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import structlog

from slipway.bot.chat.matrix.rooms.members import RoomMembers
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.matrix.transport.errors import HomeserverError
from slipway.bot.chat.model import Address
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock

_RETRY_AFTER = timedelta(minutes=5)
_RESOLVE_AFTER = timedelta(hours=1)  # an alias may be given to another room

log = structlog.get_logger(__name__)


class Rooms:
    """The configured rooms by their ids, and why those that it is not in could not be joined."""

    def __init__(
        self,
        connection: Connection,
        names: tuple[str, ...],
        is_known: Callable[[str], bool],
        clock: Clock,
        members: RoomMembers,
    ) -> None:
        self._connection = connection
        self._members = members
        self._names = names
        self._is_known = is_known
        self._clock = clock
        self._ids: dict[str, str] = {name: name for name in names if not name.startswith("#")}
        self._not_joined: dict[str, str] = {}  # configured rooms, and why
        self._retry_at: datetime | None = None
        self._resolve_at: datetime | None = None
        self._removed: dict[str, str] = {}  # configured rooms it was removed or banned from; not joined again
        self._pending_invites: dict[
            str, str | None
        ] = {}  # direct chats whose invite could not be accepted yet
        self._encrypted_before_sync: dict[str, bool] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each configured room that the bot is not in."""
        return (*self._not_joined.values(), *self._removed.values())

    async def join_missing(self) -> None:
        """Join the configured rooms that the bot is not in, and resolve aliases again; not at every call.

        Raises:
            ChatError: the homeserver does not even say which rooms the bot is in.
        """
        now = self._clock()
        resolve = self._resolve_at is None or now >= self._resolve_at
        again = self._retry_at is None or now >= self._retry_at
        if not resolve and not (again and (self._not_joined or self._pending_invites)):
            return
        self._retry_at = now + _RETRY_AFTER
        if resolve:
            self._resolve_at = now + _RESOLVE_AFTER
        answer = await self._connection.request("ask which rooms the bot is in", lambda c: c.joined_rooms())
        joined = set(answer.rooms)
        for name in self._names:
            await self._join_configured(name, joined, resolve=resolve)
        for room, inviter in tuple(self._pending_invites.items()):
            await self._accept_invite(room, inviter, None)

    def resolve_aliases_soon(self) -> None:
        """Resolve aliases soon, and look whether the bot is in every configured room."""
        self._resolve_at = None

    def removal(self, room: str) -> str | None:
        """How the bot was put out of a configured room, as far as it heard of it; None where it was not."""
        return self._removed.get(room)

    def note_removal(self, room: str, how: str) -> None:
        """Take note that the bot was removed or banned; it comes back by an invite or a restart.

        Args:
            room: the room's id.
            how: what follows “the bot”: ``was banned by @bob:example.org``.
        """
        log.warning("the bot was removed from a room", room=room, how=how)
        if self.is_configured(room):
            again = f"Invite {self._connection.user_id} again to let it work there."
            self._removed[room] = f"In {room} the bot {how}. {again}"

    async def _join_configured(self, name: str, joined: set[str], *, resolve: bool) -> None:
        try:
            room = await self._resolve(name, refresh=resolve)
            if room in joined:
                self._removed.pop(room, None)
            elif room not in self._removed:
                await self._join(f"enter {name}", name)
                log.info("joined a configured room", room=room, name=name)
        except ChatError as error:
            self._note_not_joined(name, error)
        else:
            self._not_joined.pop(name, None)

    async def _resolve(self, name: str, *, refresh: bool = False) -> str:
        """The id of a configured room. A known alias that cannot be looked up now leads where it led.

        Raises:
            ChatError: it leads nowhere.
        """
        if not name.startswith("#") or (name in self._ids and not refresh):
            return self._ids[name]
        what = f"find the room {name}"
        try:
            answer = await self._connection.request(what, lambda c: c.room_resolve_alias(name))
        except ChatError as error:
            if name not in self._ids or not error.passing:
                self._ids.pop(name, None)
                raise
            return self._ids[name]
        before = self._ids.get(name, answer.room_id)
        if before != answer.room_id:
            log.warning("an alias leads to another room now", name=name, before=before, now=answer.room_id)
        self._ids[name] = answer.room_id
        return self._ids[name]

    async def _join(self, what: str, room: str) -> None:
        await self._connection.request(what, lambda c: c.join(room))

    def _note_not_joined(self, name: str, error: ChatError) -> None:
        invite = f"Invite {self._connection.user_id} into it." if not error.passing else "Will try again."
        sentence = f"{error} {invite}"
        if self._not_joined.get(name) != sentence:
            log.warning("not in a configured room", name=name, problem=sentence)
        self._not_joined[name] = sentence

    async def handle_invites(self, invites: Mapping[str, Any]) -> None:
        """Accept invites into configured rooms, and of known people into direct chats; ignore the others."""
        for room, info in invites.items():
            inviter, direct = _invitation(info, self._connection.user_id)
            name = await self._configured_name(room)
            if name is None and not (direct and inviter is not None and self._is_known(inviter)):
                log.info("ignored an invite", room=room, inviter=inviter)
                continue
            await self._accept_invite(room, inviter, name)

    async def _accept_invite(self, room: str, inviter: str | None, name: str | None) -> None:
        """Accept an invite into a room that the configuration calls so, or into a direct chat."""
        self._pending_invites.pop(room, None)
        try:
            await self._join(f"follow the invite into {room}", room)
        except ChatError as error:
            if name is not None:
                self._note_not_joined(name, error)
                return
            log.warning("could not accept an invite", room=room, problem=str(error))
            if error.passing:
                self._pending_invites[room] = inviter
        else:
            log.info("accepted an invite", room=room, inviter=inviter)
            self._removed.pop(room, None)
            if name is not None:
                self._not_joined.pop(name, None)

    async def _configured_name(self, room: str) -> str | None:
        for name in self._names:
            if name not in self._ids:  # an alias that did not exist when it was last asked for
                try:
                    await self._resolve(name)
                except ChatError:
                    continue  # it stays among the rooms not joined, with its reason
            if self._ids[name] == room:
                return name
        return None

    def id_of(self, name: str) -> str | None:
        """The id of a room by that or by a configured alias; None for an alias that leads nowhere yet."""
        return self._ids.get(name) if name.startswith("#") else name

    def is_configured(self, room: str) -> bool:
        """Whether the configuration names the room."""
        return room in self._ids.values()

    async def is_relevant(self, room: str, timeline: Any) -> bool:
        """Whether anybody could be listened to in a room, by what a sync shows of it."""
        if self.is_configured(room):
            return True
        senders = [event.source.get("sender") for event in timeline.events]
        if not timeline.limited and not any(
            isinstance(each, str) and self._is_known(each) for each in senders
        ):
            return False
        return await self._direct_partner(room) is not None

    async def address_for(self, room: str, sender: object) -> Address | None:
        """How the bot listens to somebody in a room; None if it does not."""
        if self.is_configured(room):
            return Address.ROOM
        if not isinstance(sender, str) or not self._is_known(sender):
            return None
        return Address.DIRECT if await self._direct_partner(room) == sender else None

    async def is_direct(self, room: str) -> bool:
        """Whether a room is a direct chat, as far as the homeserver says who is in it."""
        return not self.is_configured(room) and await self._direct_partner(room) is not None

    async def _direct_partner(self, room: str) -> str | None:
        """The known person whom a room is a direct chat with; None where it is none, or nobody can tell."""
        try:
            others = await self._members.of(room) - {self._connection.user_id}
        except ChatError as error:
            log.warning(
                "silent in a room of which it is not known who is in it", room=room, problem=str(error)
            )
            return None
        (partner,) = others if len(others) == 1 else (None,)
        return partner if partner is not None and self._is_known(partner) else None

    async def is_encrypted(self, room: str) -> bool:
        """Whether messages in the room are encrypted; asks the homeserver where no sync has told yet.

        Raises:
            ChatError: the homeserver does not say.
        """
        state = self._connection.room(room)
        if state is not None:
            return bool(state.encrypted)
        if room not in self._encrypted_before_sync:
            try:
                # nio's own call takes a refusal other than 404 for the state itself.
                path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/state/m.room.encryption/"
                await self._connection.get_json(f"look at {room}", path)
                self._encrypted_before_sync[room] = True
            except HomeserverError as error:
                if error.errcode != "M_NOT_FOUND":
                    raise
                self._encrypted_before_sync[room] = False
        return self._encrypted_before_sync[room]


def _invitation(info: Any, user_id: str) -> tuple[str | None, bool]:
    """Who invited the bot, and whether to a direct chat."""
    for event in info.invite_state:
        # nio takes the content out of the source of a member event, and of no other.
        if event.source.get("type") == "m.room.member" and event.source.get("state_key") == user_id:
            content = getattr(event, "content", None)
            direct = isinstance(content, dict) and content.get("is_direct") is True
            return event.sender, direct
    return None, False
