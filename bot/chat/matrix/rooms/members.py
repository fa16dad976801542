"""Who is in a room: asked of the homeserver, and kept until a sync says that it changed.

A sync does not tell it: with members loaded lazily it names those who speak, and after a restart its counts are of
nobody at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.matrix.transport.retries import ask_with_retries
from slipway.bot.chat.shared.payloads import JsonObject, value_at
from slipway.bot.core.errors import ChatError
from slipway.bot.core.waiting import Sleep

_IN_ROOM = ("join", "invite")  # whoever is invited may be able to read, and can come in any time


class RoomMembers:
    """The members of the rooms that were asked about.

    Args:
        connection: makes calls to the homeserver.
        sleep: waits between tries.
    """

    def __init__(self, connection: Connection, sleep: Sleep) -> None:
        self._connection = connection
        self._sleep = sleep
        self._known: dict[str, frozenset[str]] = {}
        self._changes: Counter[str] = Counter()  # how often each room's members were forgotten

    def update(self, response: Any) -> None:
        """Forget what a sync response shows to have changed, or may have left out."""
        for room, info in response.rooms.join.items():
            if info.timeline.limited or any(
                event.source.get("type") == "m.room.member" for event in (*info.state, *info.timeline.events)
            ):
                self._forget(room)
        for room in response.rooms.leave:
            self._forget(room)

    def _forget(self, room: str) -> None:
        self._known.pop(room, None)
        self._changes[room] += 1

    async def of(self, room: str) -> frozenset[str]:
        """Who is in a room, or invited into it, the bot included.

        Raises:
            ChatError: the homeserver does not say.
        """
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/members?not_membership=leave"
        what = f"look up who is in {room}"
        while room not in self._known:
            changes = self._changes[room]
            answer = await ask_with_retries(lambda: self._connection.get_json(what, path), self._sleep)
            members = _members(answer, what)
            if self._changes[room] == changes:  # else the answer may be from before somebody came in
                self._known[room] = members
        return self._known[room]


def _members(answer: JsonObject, what: str) -> frozenset[str]:
    chunk = answer.get("chunk")
    if not isinstance(chunk, list) or not chunk:
        raise ChatError(f"Could not {what}: no sound answer.", passing=True)
    return frozenset(
        str(event.get("state_key"))
        for event in chunk
        if isinstance(event, Mapping) and value_at(event, "content", "membership") in _IN_ROOM
    )
