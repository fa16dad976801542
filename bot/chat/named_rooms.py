"""Rooms by what the configuration calls them: their ids, or names that their platform leads to an id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from slipway.bot.chat.model import Chat, NamesRooms, Platform, Room


def room_called(chats: Mapping[Platform, Chat], called: Room) -> Room | None:
    """A room by its id; None while its platform did not say where the name leads.

    Args:
        chats: the platforms.
        called: the room by its id, or by a name in the place of one.
    """
    chat: object = chats.get(called.platform)
    if not isinstance(chat, NamesRooms):
        return called
    found = chat.room_called(called.id)
    return None if found is None else Room(platform=called.platform, id=found)


@dataclass(frozen=True)
class NamedRooms:
    """Rooms that are told something, looked up whenever that is: a name may lead elsewhere by then.

    Attributes:
        chats: the platforms.
        called: the rooms by their ids, or by names.
    """

    chats: Mapping[Platform, Chat]
    called: tuple[Room, ...]

    @classmethod
    def of(cls, chats: Mapping[Platform, Chat], called: Iterable[Room]) -> NamedRooms:
        """These, each once."""
        return cls(chats, tuple(dict.fromkeys(called)))

    @property
    def known(self) -> tuple[Room, ...]:
        """Those whose ids are known, each once, whatever it is called."""
        found = (room_called(self.chats, each) for each in self.called)
        return tuple(dict.fromkeys(each for each in found if each is not None))

    @property
    def unknown(self) -> tuple[Room, ...]:
        """Those whose platform did not say yet where their name leads."""
        return tuple(each for each in self.called if room_called(self.chats, each) is None)
