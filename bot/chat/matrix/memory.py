"""What the Matrix adapter must still know after a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from slipway.bot.chat.declaration import KeyValueStore

_POSITION = "place"
_VALUE = "note:"
_NOTIFIED = "told:"
"""Names in the database, which outlive what the code calls them."""


@dataclass(frozen=True)
class SyncPosition:
    """Up to where the bot has listened: everything before it has been taken in.

    ``last_events`` holds each room's last event. It is where backfilling ends, and what is left when the homeserver
    no longer knows the token.
    """

    next_batch: str
    last_events: Mapping[str, str] = field(default_factory=dict)


class MatrixMemory(Protocol):
    """Kept by whoever puts the bot together; each ``save`` and ``remember`` is durable when it returns."""

    async def load_position(self) -> SyncPosition | None:
        """From where to go on; None before the first sync ever."""
        ...

    async def save_position(self, position: SyncPosition) -> None:
        """Keep the position, token and events at once."""
        ...

    async def load_value(self, name: str) -> str | None:
        """The value saved under a name last; None if nothing was."""
        ...

    async def save_value(self, name: str, value: str) -> None:
        """Keep a value under a name, in place of any before."""
        ...

    async def was_notified(self, what: str) -> bool:
        """Whether something that is said only once was said; a room's id stands for “it is encrypted”."""
        ...

    async def remember_notified(self, what: str) -> None:
        """Keep that it was said."""
        ...


class InMemory:
    """A :class:`MatrixMemory` that lasts as long as the process: for tests and for a first look."""

    def __init__(self) -> None:
        self.position: SyncPosition | None = None
        self.values: dict[str, str] = {}
        self.notified: set[str] = set()

    async def load_position(self) -> SyncPosition | None:
        """The position saved last."""
        return self.position

    async def save_position(self, position: SyncPosition) -> None:
        """Keep the position."""
        self.position = position

    async def load_value(self, name: str) -> str | None:
        """The value saved last."""
        return self.values.get(name)

    async def save_value(self, name: str, value: str) -> None:
        """Keep it."""
        self.values[name] = value

    async def was_notified(self, what: str) -> bool:
        """Whether it is among what was said."""
        return what in self.notified

    async def remember_notified(self, what: str) -> None:
        """Add it to what was said."""
        self.notified.add(what)


class StoredMatrixMemory:
    """A :class:`MatrixMemory` in the database."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    async def load_position(self) -> SyncPosition | None:
        """From where to go on; None before the first sync ever."""
        kept = await self._store.load(_POSITION)
        if kept is None:
            return None
        found = json.loads(kept)
        return SyncPosition(found["next_batch"], found["seen"])

    async def save_position(self, position: SyncPosition) -> None:
        """Keep the token and the rooms' last events, in one write."""
        kept = {"next_batch": position.next_batch, "seen": dict(position.last_events)}
        await self._store.save(_POSITION, json.dumps(kept, ensure_ascii=False))

    async def load_value(self, name: str) -> str | None:
        """What was noted under a name last; None if nothing was."""
        return await self._store.load(_VALUE + name)

    async def save_value(self, name: str, value: str) -> None:
        """Note something under a name, in place of what was noted before."""
        await self._store.save(_VALUE + name, value)

    async def was_notified(self, what: str) -> bool:
        """Whether something that is said only once was said."""
        return await self._store.load(_NOTIFIED + what) is not None

    async def remember_notified(self, what: str) -> None:
        """Keep that it was said."""
        await self._store.save(_NOTIFIED + what, "yes")
