"""What the Matrix adapter must still know after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Place:
    """Up to where the bot has listened: everything before it has been taken in.

    ``seen`` holds each room's last event. It is where a gap ends, and what is left when the homeserver
    no longer knows the token.
    """

    next_batch: str
    seen: Mapping[str, str] = field(default_factory=dict)


class MatrixMemory(Protocol):
    """Kept by whoever puts the bot together; each ``save`` and ``remember`` is durable when it returns."""

    async def load_place(self) -> Place | None:
        """From where to go on; None before the first sync ever."""
        ...

    async def save_place(self, place: Place) -> None:
        """Keep the place, token and events at once."""
        ...

    async def load_note(self, name: str) -> str | None:
        """What was noted under a name last; None if nothing was."""
        ...

    async def save_note(self, name: str, value: str) -> None:
        """Note something under a name, in place of what was noted before."""
        ...

    async def was_told(self, what: str) -> bool:
        """Whether something that is said only once was said; a room's id stands for “it is encrypted”."""
        ...

    async def remember_told(self, what: str) -> None:
        """Keep that it was said."""
        ...


class InMemory:
    """A :class:`MatrixMemory` that lasts as long as the process: for tests and for a first look."""

    def __init__(self) -> None:
        self.place: Place | None = None
        self.notes: dict[str, str] = {}
        self.told: set[str] = set()

    async def load_place(self) -> Place | None:
        """The place saved last."""
        return self.place

    async def save_place(self, place: Place) -> None:
        """Keep the place."""
        self.place = place

    async def load_note(self, name: str) -> str | None:
        """What was noted last."""
        return self.notes.get(name)

    async def save_note(self, name: str, value: str) -> None:
        """Note it."""
        self.notes[name] = value

    async def was_told(self, what: str) -> bool:
        """Whether it is among what was said."""
        return what in self.told

    async def remember_told(self, what: str) -> None:
        """Add it to what was said."""
        self.told.add(what)
