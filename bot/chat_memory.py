"""What chat adapters remember, kept in the store: joins the adapters' own protocols to `slipway.bot.store`."""

from __future__ import annotations

import json

from slipway.bot.chat.matrix.memory import SyncPosition
from slipway.bot.store.memory import ChatMemory

_PLACE = "place"
_NOTE = "note:"
_TOLD = "told:"


class StoredMatrixMemory:
    """A :class:`slipway.bot.chat.matrix.memory.MatrixMemory` in the database."""

    def __init__(self, memory: ChatMemory) -> None:
        self._memory = memory

    async def load_position(self) -> SyncPosition | None:
        """From where to go on; None before the first sync ever."""
        kept = await self._memory.load(_PLACE)
        if kept is None:
            return None
        found = json.loads(kept)
        return SyncPosition(found["next_batch"], found["seen"])

    async def save_position(self, position: SyncPosition) -> None:
        """Keep the token and the rooms' last events, in one write."""
        kept = {"next_batch": position.next_batch, "seen": dict(position.last_events)}
        await self._memory.save(_PLACE, json.dumps(kept, ensure_ascii=False))

    async def load_value(self, name: str) -> str | None:
        """What was noted under a name last; None if nothing was."""
        return await self._memory.load(_NOTE + name)

    async def save_value(self, name: str, value: str) -> None:
        """Note something under a name, in place of what was noted before."""
        await self._memory.save(_NOTE + name, value)

    async def was_notified(self, what: str) -> bool:
        """Whether something that is said only once was said."""
        return await self._memory.load(_TOLD + what) is not None

    async def remember_notified(self, what: str) -> None:
        """Keep that it was said."""
        await self._memory.save(_TOLD + what, "yes")
