"""Direct chats that the bot begins, or goes on with, when it has something to say to one person alone."""

from __future__ import annotations

import structlog

from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.rooms.members import RoomMembers
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.core.errors import ChatError

log = structlog.get_logger(__name__)


class DirectChats:
    """The direct chat with each person: where they spoke to the bot last, or one that the bot makes."""

    def __init__(self, connection: Connection, memory: MatrixMemory, members: RoomMembers) -> None:
        self._connection = connection
        self._memory = memory
        self._members = members
        self._noted: dict[str, str] = {}

    async def note(self, account: str, room: str) -> None:
        """Somebody spoke to the bot alone."""
        if self._noted.get(account) != room:
            await self._memory.save_value(_name(account), room)
            self._noted[account] = room

    async def room_with(self, account: str) -> str:
        """The id of the direct chat with somebody; they are invited into a new one where there is none.

        Raises:
            ChatError: none could be made.
        """
        kept = self._noted.get(account) or await self._memory.load_value(_name(account))
        if kept is not None and await self._still_is(kept, account):
            return kept
        encrypted = self._connection.encryption_enabled
        state = {
            "type": "m.room.encryption",
            "state_key": "",
            "content": {"algorithm": "m.megolm.v1.aes-sha2"},
        }
        body: JsonObject = {
            "preset": "trusted_private_chat",
            "is_direct": True,
            "invite": [account],
            "initial_state": [state] if encrypted else [],
        }
        answer = await self._connection.post_json(
            f"begin a direct chat with {account}", "/_matrix/client/v3/createRoom", body
        )
        room = str(answer["room_id"])
        if self._connection.keys is not None:
            self._connection.keys.note_invited(room, account)
        log.info("began a direct chat", room=room, account=account)
        await self.note(account, room)
        return room

    async def _still_is(self, room: str, account: str) -> bool:
        """Whether a room is still a direct chat: with the two in it, or one of them invited."""
        try:
            return await self._members.of(room) == {self._connection.user_id, account}
        except ChatError as error:
            if error.passing:
                raise
            return False


def _name(account: str) -> str:
    return f"direct chat {account}"
