"""What a subject looks after by itself once a minute, such as the leases of machines, and what it may do for that.

It changes nothing itself: it asks for operations, as people do, under an identity of its own with the rights that its
declaration names; and it tells people what they have to know.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from slipway.bot.chat.model import Card, Room
from slipway.bot.core.declared_fields import Declaration, check_callables, check_text, check_tuple
from slipway.bot.core.errors import DeclarationError

ServicesT = TypeVar("ServicesT")
ServicesT_contra = TypeVar("ServicesT_contra", contravariant=True)

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True)
class Spot:
    """Where something is told: a room, or a thread in it."""

    room: Room
    thread: str | None = None


class WatchHost(Protocol):
    """What the running bot does for a watch. All of it is kept by its key: said or asked again, nothing happens."""

    async def ask(self, key: str, line: str, spot: Spot | None) -> None:
        """Ask for a change by a command line, without its prefix, as the watch's own identity.

        Args:
            key: names what is asked for; one key is asked for once, for ever.
            line: the line.
            spot: where its card stands; None for nowhere, and the audit trail has to do.
        """
        ...

    async def frozen(self, kind: str, *, cloud: str = "", name: str = "") -> bool:
        """Whether such a change is frozen now, so that it is of no use to ask for it: what is asked for in a freeze
        is left out, and its key is used up.

        Args:
            kind: of operation.
            cloud: the account in which it would change something, where it is one.
            name: what it would change there, where it is one.
        """
        ...

    async def say(self, key: str, card: Card, spot: Spot, *, below: str | None = None) -> None:
        """Say a card, or edit the one that was said with that key before; ``below`` is the key of one whose thread it
        stands in."""
        ...

    async def edit(self, key: str, card: Card, spot: Spot) -> None:
        """Edit the card that was said with a key. Where it is forgotten, nothing is said: that would tell people anew
        of what is long over."""
        ...

    async def say_alone(self, key: str, card: Card, person: str) -> bool:
        """As :meth:`say`, to one person alone, who is called; false where the bot can speak to them so nowhere."""
        ...

    async def spot_of(self, operation_id: str) -> Spot | None:
        """The thread of an operation's first card in the room where it was asked for; None where there is none."""
        ...

    def mention(self, person: str, room: Room) -> tuple[str, ...]:
        """The account by which a card in a room calls somebody; none where they have none there."""
        ...


@dataclass(frozen=True)
class Watch(Declaration, Generic[ServicesT]):
    """Something that a subject looks after by itself, once a minute, one look after the other.

    Attributes:
        name: identifies it, as ``service:NAME`` in the audit trail.
        rights: what it may ask for, such as ``terminate``.
        look: looks once. What it raises is logged, and the next minute tries again.
    """

    name: str
    rights: tuple[str, ...]
    look: Callable[[ServicesT, WatchHost], Awaitable[None]]

    def __post_init__(self) -> None:
        check_text("A watch", "name", self.name)
        if _NAME.fullmatch(self.name) is None:
            raise DeclarationError(f"A watch cannot be called {self.name!r}: use lower case and hyphens.")
        check_tuple(f"The watch {self.name}", "rights", self.rights, str)
        check_callables(f"The watch {self.name}", self, ("look",))
