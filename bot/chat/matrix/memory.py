"""What the Matrix adapter must still know after a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

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


class MatrixMemory:
    """Named values in the database; each ``save`` and ``remember`` is durable when it returns.

    Args:
        store: of what all replicas share.
        own: of what belongs to this one's device; without one, the same.
    """

    def __init__(self, store: KeyValueStore, own: KeyValueStore | None = None) -> None:
        self._store = store
        self._own = own if own is not None else store

    async def load_position(self) -> SyncPosition | None:
        """From where to go on; None before the first sync ever."""
        kept = await self._own.load(_POSITION)
        if kept is None:
            return None
        found = json.loads(kept)
        return SyncPosition(found["next_batch"], found["seen"])

    async def save_position(self, position: SyncPosition) -> None:
        """Keep the token and the rooms' last events, in one write."""
        kept = {"next_batch": position.next_batch, "seen": dict(position.last_events)}
        await self._own.save(_POSITION, json.dumps(kept, ensure_ascii=False))

    async def load_value(self, name: str) -> str | None:
        """The value saved under a name last; None if nothing was."""
        return await self._store.load(_VALUE + name)

    async def save_value(self, name: str, value: str) -> None:
        """Keep a value under a name, in place of any before."""
        await self._store.save(_VALUE + name, value)

    async def was_notified(self, what: str) -> bool:
        """Whether something that is said only once was said; a room's id stands for “it is encrypted”."""
        return await self._store.load(_NOTIFIED + what) is not None

    async def remember_notified(self, what: str) -> None:
        """Keep that it was said."""
        await self._store.save(_NOTIFIED + what, "yes")
