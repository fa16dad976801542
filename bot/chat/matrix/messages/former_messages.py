"""What another replica's device has sent already: a homeserver knows a transaction again only from the same device.

Where there are several replicas, every event says outside the ciphertext which transaction it was, by a hash that
tells nobody anything; and whoever takes over looks once a room at what the bot said there last.
"""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote, urlencode

from slipway.bot.chat.matrix.transport.connection import TRANSACTION, Connection

NEWEST = 100
"""So many of the bot's events in a room are looked at: far more than a process sends there in its last moments."""


class FormerMessages:
    """The events of the bot that stood in each room when this process first spoke there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, dict[str, str]] = {}
        self._lock = asyncio.Lock()

    async def find(self, room: str, transaction: str) -> str | None:
        """The id of the event that was sent as this transaction; None where it was not, or long ago.

        Raises:
            ChatError: the homeserver does not tell.
        """
        async with self._lock:
            if room not in self._known:
                self._known[room] = await self._look(room)
        return self._known[room].get(transaction)

    async def _look(self, room: str) -> dict[str, str]:
        senders = json.dumps({"senders": [self._connection.user_id]})
        query = urlencode({"dir": "b", "limit": NEWEST, "filter": senders})
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/messages?{query}"
        answer = await self._connection.get_json("look at what was said", path)
        found: dict[str, str] = {}
        for event in answer.get("chunk", ()):
            content = event.get("content") if isinstance(event, dict) else None
            transaction = content.get(TRANSACTION) if isinstance(content, dict) else None
            if isinstance(transaction, str) and isinstance(event.get("event_id"), str):
                found[transaction] = event["event_id"]
        return found
