"""The bot's membership of its rooms: what it may do there, whether it was removed, whether a room was replaced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import structlog

from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.messages.message_sender import MessageSender
from slipway.bot.chat.matrix.rooms.rooms import Rooms
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.model import Card, Tone
from slipway.bot.core.errors import ChatError

_ROOM_ID = re.compile(r"!\S{1,254}")

_NEEDED_EVENTS = {
    "m.room.message": "speak",
    "m.room.encrypted": "speak in an encrypted room",
    "m.reaction": "place the ✅ and ❌ that serve as buttons",
    "m.room.redaction": "take its own buttons back",
}
"""What the bot does in a room, by the kind of event that it sends for it."""

log = structlog.get_logger(__name__)


class RoomMembership:
    """Watches configured rooms for what makes the bot unable to work there, and says it where it can."""

    def __init__(
        self, connection: Connection, rooms: Rooms, sender: MessageSender, memory: MatrixMemory
    ) -> None:
        self._connection = connection
        self._rooms = rooms
        self._sender = sender
        self._memory = memory
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
        for room, info in response.rooms.join.items():
            if not self._rooms.is_configured(room):
                continue
            kinds = {source.get("type") for source in _sources(info)}
            if kinds & {"m.room.power_levels", "m.room.encryption"}:
                await self._check_power_levels(room)
            for source in _sources(info):
                if source.get("type") == "m.room.tombstone" and source.get("state_key") == "":
                    await self._handle_tombstone(room, source)

    async def _check_power_levels(self, room: str) -> None:
        """Compare what the bot may do in a room with what it needs."""
        state = self._connection.room(room)
        if state is None:
            return
        me, levels = self._connection.user_id, state.power_levels
        unused = "m.room.message" if state.encrypted else "m.room.encrypted"
        missing = {
            kind: levels.get_message_event_required_level(kind)
            for kind in _NEEDED_EVENTS
            if kind != unused and not levels.can_user_send_message(me, kind)
        }
        if not missing:
            if self._missing_rights.pop(room, None) is not None:
                log.info("the bot has every right it needs again", room=room)
            return
        what = " and ".join(_NEEDED_EVENTS[kind] for kind in missing)
        sentence = (
            f"In {room} the bot may not {what}: it has power level {levels.get_user_level(me)} and needs "
            f"{max(missing.values())}."
        )
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
        successor = content.get("replacement_room") if isinstance(content, dict) else None
        known = isinstance(successor, str) and _ROOM_ID.fullmatch(successor)
        into = f" by {successor}" if known else ""
        sentence = (
            f"The room {room} was replaced{into}; name the new one in matrix.rooms if the bot shall move."
        )
        if self._tombstoned.get(room) == sentence:
            return
        self._tombstoned[room] = sentence
        self._rooms.resolve_aliases_soon()  # an alias that the configuration names may lead elsewhere now
        log.warning("a configured room was replaced", room=room, problem=sentence)
        card = Card(
            tone=Tone.WARNING,
            title=f"This room was replaced{into}",
            text="I do not follow by myself, since anybody who may close a room may name any other. "
            "Whoever runs Slipway can name the new room in `matrix.rooms`.",
        )
        await self._notify_once(room, sentence, card)

    async def _notify_once(self, room: str, sentence: str, card: Card) -> None:
        """Say something in a room once for ever; where the bot may not speak, the log and health have it."""
        what = f"{room} {sentence}"
        if await self._memory.was_notified(what):
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
