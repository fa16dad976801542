"""What the Matrix adapter must still know after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


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
