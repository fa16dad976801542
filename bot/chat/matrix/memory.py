"""What the Matrix adapter must still know after a restart."""

from __future__ import annotations

from typing import Protocol


class MatrixMemory(Protocol):
    """Kept by whoever puts the bot together; each ``save`` and ``remember`` is durable when it returns."""

    async def load_next_batch(self) -> str | None:
        """The sync token to go on from; None before the first sync ever."""
        ...

    async def save_next_batch(self, token: str) -> None:
        """Keep the token: every event before it has been taken in."""
        ...

    async def was_told(self, room: str) -> bool:
        """Whether this room was already told that the bot cannot read encrypted rooms."""
        ...

    async def remember_told(self, room: str) -> None:
        """Keep that this room was told."""
        ...


class InMemory:
    """A :class:`MatrixMemory` that lasts as long as the process: for tests and for a first look."""

    def __init__(self) -> None:
        self.next_batch: str | None = None
        self.told: set[str] = set()

    async def load_next_batch(self) -> str | None:
        """The token saved last."""
        return self.next_batch

    async def save_next_batch(self, token: str) -> None:
        """Keep the token."""
        self.next_batch = token

    async def was_told(self, room: str) -> bool:
        """Whether the room is among those told."""
        return room in self.told

    async def remember_told(self, room: str) -> None:
        """Add the room to those told."""
        self.told.add(room)
