"""What replicas tell each other, and who takes it in."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.chat.model import Chat, HearsReplicas, Platform, Room
from slipway.bot.core.model import Json
from slipway.bot.operations.gone_rooms import GoneRooms
from slipway.bot.replicas.notices import Take

ROOM_CHANGED = "room"
"""The kind of what tells that a room may be gone, or back. What is for a chat has the name of its platform."""


def takes(chats: Mapping[Platform, Chat], gone_rooms: GoneRooms) -> Mapping[str, Take]:
    """What takes in what other replicas tell, by its kind."""

    async def room_changed(content: Json) -> None:
        gone_rooms.ask(Room.model_validate(content))

    hearing: dict[str, Take] = {
        chat.platform: chat.relayed for chat in chats.values() if isinstance(chat, HearsReplicas)
    }
    return {ROOM_CHANGED: room_changed, **hearing}
