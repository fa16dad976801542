"""The bot's membership of its rooms: what it may do there, whether it was removed, whether a room was replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import structlog

from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.messages.message_sender import MessageSender
from slipway.bot.chat.matrix.rooms import power_levels
from slipway.bot.chat.matrix.rooms.rooms import Rooms
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.matrix.transport.errors import HomeserverError
from slipway.bot.chat.model import Card, Tone
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.core.errors import ChatError

_ROOM_ID = re.compile(r"!\S{1,254}")

log = structlog.get_logger(__name__)


class RoomMembership:
    """Watches configured rooms for what makes the bot unable to work there, and says it where it can.

    Args:
        connection: makes calls to the homeserver.
        rooms: which rooms the bot works in.
        sender: speaks there.
        memory: knows what was said there for good.
        room_changed: is told of every room that the bot came into or went out of, or that was replaced.
        works: whether this process is the one that answers.
    """

    def __init__(
        self,
        connection: Connection,
        rooms: Rooms,
        sender: MessageSender,
        memory: MatrixMemory,
        *,
        room_changed: Callable[[str], None],
        works: Callable[[], bool] = lambda: True,
    ) -> None:
        self._works = works
        self._connection = connection
        self._rooms = rooms
        self._sender = sender
        self._memory = memory
        self._room_changed = room_changed
        self._missing_rights: dict[str, str] = {}  # by room, the sentence about them
        self._tombstoned: dict[str, str] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each thing that is wrong in a configured room."""
        return (*self._missing_rights.values(), *self._tombstoned.values())

    async def update(self, response: Any) -> None:
        """Take note of what a sync response says about the bot's membership."""
        for room, info in response.rooms.leave.items():
            self._missing_rights.pop(room, None)
            self._tombstoned.pop(room, None)
            removal = _removal(_sources(info), self._connection.user_id)
            if removal is not None:
                self._rooms.note_removal(room, removal)
            self._room_changed(room)
        for room, info in response.rooms.join.items():
            if any(_is_about_being_there(source, self._connection.user_id) for source in _sources(info)):
                self._room_changed(room)
            if not self._rooms.is_configured(room):
                continue
            for source in _sources(info):
                if source.get("type") == "m.room.tombstone" and source.get("state_key") == "":
                    await self._handle_tombstone(room, source)
            kinds = {source.get("type") for source in _sources(info)}
            if room not in self._tombstoned and kinds & {"m.room.power_levels", "m.room.encryption"}:
                await self._check_power_levels(room)  # a room that was replaced takes rights away

    async def why_gone(self, room: str) -> str | None:
        """Why the bot can do nothing in a room any more, as a sentence; None where it can. Asks the homeserver.

        Raises:
            ChatError: it does not say.
        """
        own = await self._state(room, f"m.room.member/{quote(self._connection.user_id, safe='')}")
        if own is None or own.get("membership") != "join":
            return self._rooms.removal(room) or (
                f"I am not in the room {room} any more; invite {self._connection.user_id} to let me work there."
            )
        tombstone = await self._state(room, "m.room.tombstone/")
        return _replaced(room, tombstone) if tombstone else None

    async def _state(self, room: str, which: str) -> JsonObject | None:
        """The content of a state event of a room; None where there is none, or none that the bot may see."""
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/state/{which}"
        try:
            return await self._connection.get_json(f"look at {room}", path)
        except HomeserverError as error:
            if error.errcode not in ("M_NOT_FOUND", "M_FORBIDDEN"):
                raise
            return None

    async def _check_power_levels(self, room: str) -> None:
        """Compare what the bot may do in a room with what it needs."""
        state = self._connection.room(room)
        if state is None:
            return
        me, levels = self._connection.user_id, state.power_levels
        missing = {
            kind: levels.get_message_event_required_level(kind)
            for kind in power_levels.needed_kinds(encrypted=state.encrypted)
            if not levels.can_user_send_message(me, kind)
        }
        if not missing:
            if self._missing_rights.pop(room, None) is not None:
                log.info("the bot has every right it needs again", room=room)
            return
        sentence = power_levels.sentence(room, missing, levels.get_user_level(me))
        if self._missing_rights.get(room) == sentence:
            return
        self._missing_rights[room] = sentence
        log.warning("a right is missing in a room", room=room, problem=sentence)
        text = f"Somebody who may change permissions here can give {me} that level."
        if "m.reaction" in missing:
            text += " Until then, type `!approve` and `!reject`."
        await self._notify_once(room, sentence, Card(tone=Tone.WARNING, title=sentence, text=text))

    async def _handle_tombstone(self, room: str, source: Mapping[str, Any]) -> None:
        """Say that a room was replaced, and that the bot does not move by itself."""
        content = source.get("content")
        content = content if isinstance(content, dict) else {}
        if not content:  # it was taken back
            self._tombstoned.pop(room, None)
            return
        sentence = _replaced(room, content)
        if self._tombstoned.get(room) == sentence:
            return
        self._tombstoned[room] = sentence
        self._rooms.resolve_aliases_soon()  # an alias that the configuration names may lead elsewhere now
        log.warning("a configured room was replaced", room=room, problem=sentence)
        card = Card(
            tone=Tone.WARNING,
            title=f"This room was replaced{_successor(content)}",
            text="I do not follow by myself, since anybody who may close a room may name any other. "
            "Whoever runs Slipway can name the new room in `matrix.rooms`; then somebody has to invite me there.",
        )
        await self._notify_once(room, sentence, card)

    async def _notify_once(self, room: str, sentence: str, card: Card) -> None:
        """Say something in a room once for ever; where the bot may not speak, the log and health have it."""
        what = f"{room} {sentence}"
        if not self._works() or await self._memory.was_notified(what):
            return
        try:
            await self._sender.send(room, card, thread=None, key=what)
        except ChatError as error:
            log.info("could not tell a room what is wrong in it", room=room, problem=str(error))
            if error.passing:
                return
        await self._memory.remember_notified(what)


def _sources(info: Any) -> Iterator[Mapping[str, Any]]:
    for event in (*info.state, *info.timeline.events):
        yield event.source


def _is_about_being_there(event: Mapping[str, Any], user_id: str) -> bool:
    """Whether a state event says that the bot came or went, or that the room was replaced."""
    kind, key = event.get("type"), event.get("state_key")
    return (kind, key) in (("m.room.member", user_id), ("m.room.tombstone", ""))


def _successor(tombstone: Mapping[str, Any]) -> str:
    """By which room one was replaced, to follow “replaced”."""
    successor = tombstone.get("replacement_room")
    known = isinstance(successor, str) and _ROOM_ID.fullmatch(successor)
    return f" by {successor}" if known else ""


def _replaced(room: str, tombstone: Mapping[str, Any]) -> str:
    return (
        f"The room {room} was replaced{_successor(tombstone)}. If I am to move, whoever runs Slipway has to name the "
        "new one in `matrix.rooms`, and somebody has to invite me there."
    )


def _removal(events: Iterable[Mapping[str, Any]], user_id: str) -> str | None:
    """How the bot lost its membership, to follow “the bot”; None if it left by itself."""
    for event in reversed(list(events)):
        if event.get("type") != "m.room.member" or event.get("state_key") != user_id:
            continue
        sender, content = event.get("sender"), event.get("content")
        membership = content.get("membership") if isinstance(content, dict) else None
        if sender == user_id:
            return None
        return f"was {'banned' if membership == 'ban' else 'removed'} by {sender}"
    return None
