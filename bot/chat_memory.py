"""What chat adapters remember, kept in the store: joins the adapters' own protocols to `bot.store`."""

from __future__ import annotations

from bot.store.memory import ChatMemory

_NEXT_BATCH = "next_batch"
_TOLD = "told-encrypted:"


class StoredMatrixMemory:
    """A :class:`bot.chat.matrix.memory.MatrixMemory` in the database."""

    def __init__(self, memory: ChatMemory) -> None:
        self._memory = memory

    async def load_next_batch(self) -> str | None:
        """The sync token to go on from; None before the first sync ever."""
        return await self._memory.load(_NEXT_BATCH)

    async def save_next_batch(self, token: str) -> None:
        """Keep the token."""
        await self._memory.save(_NEXT_BATCH, token)

    async def was_told(self, room: str) -> bool:
        """Whether this room was told that the bot cannot read encrypted rooms."""
        return await self._memory.load(_TOLD + room) is not None

    async def remember_told(self, room: str) -> None:
        """Keep that this room was told."""
        await self._memory.save(_TOLD + room, "yes")
