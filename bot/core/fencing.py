"""Whether this process may act: of several replicas one works at a time, and one that was paused must not go on.

Whoever is about to change something outside of this process asks right before that. Where it is not certain, it waits
until it is; where another replica works by now, it is cut off.
"""

from __future__ import annotations

import asyncio
from typing import Protocol


class LeadershipLostError(asyncio.CancelledError):
    """Another replica works by now, and this process must do nothing more.

    It is a cancellation, and no failure: what is cut off stays as it is recorded, and the other one goes on with it.
    No boundary that turns failures into ends of operations may see it.
    """


class Fence(Protocol):
    """What stands before everything that changes something."""

    async def held(self) -> None:
        """Return where this process works, and certainly no other does; where that is not certain, once it is.

        Raises:
            LeadershipLostError: it does not, or not any more.
        """
        ...

    def held_in_thread(self) -> None:
        """The same as :meth:`held` for a thread that is not the event loop's."""
        ...

    async def undisputed(self) -> None:
        """As :meth:`held`; but one that never worked so far may pass: what hears may say what hearing asks for.

        Raises:
            LeadershipLostError: this process worked, and another one does by now.
        """
        ...


class NoFence:
    """For a process that is alone, as a lock on its state folder says."""

    async def held(self) -> None:
        """At once."""

    def held_in_thread(self) -> None:
        """At once."""

    async def undisputed(self) -> None:
        """At once."""


NO_FENCE = NoFence()
