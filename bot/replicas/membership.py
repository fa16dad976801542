"""What the bot is told of its place among replicas, and the place of one that has none beside it."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Protocol

from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.replicas.model import ReplicaFacts


class Ending(StrEnum):
    """Why a process ends that leads, or is to."""

    LOST = "lost"  # another one leads by now
    WANTED = "wanted"  # a newer version is to lead


class Membership(Protocol):
    """What the bot is told of its place among the replicas."""

    @property
    def fence(self) -> Fence:
        """What stands before each change."""
        ...

    async def join(self) -> bool:
        """Become known to the others, and lead if nobody does; whether this one does.

        Raises:
            StateError: the database cannot be used, or another process has this one's id.
        """
        ...

    async def run(self) -> None:
        """Keep the lease, or watch it, until cancelled."""
        ...

    async def leading(self) -> None:
        """Wait until this one leads."""
        ...

    async def ended(self) -> Ending:
        """Wait until this one must not lead any more."""
        ...

    def want(self) -> None:
        """Have an older leader be asked for the lease, as only this version can migrate the schema."""
        ...

    async def leave(self) -> None:
        """Let the next one lead. Nothing may be under way any more."""
        ...

    async def reconfigured(self, configuration: str) -> None:
        """Another configuration counts here from now on; returns once the others can know, or after a few seconds."""
        ...

    @property
    def works(self) -> bool:
        """Whether this one leads."""
        ...

    @property
    def facts(self) -> ReplicaFacts | None:
        """How the replicas are; None where there can be only one."""
        ...


class Alone:
    """The membership of a process that can have no others beside it."""

    fence: Fence = NO_FENCE
    works = True
    facts: ReplicaFacts | None = None

    async def join(self) -> bool:
        """It leads."""
        return True

    async def run(self) -> None:
        """There is nothing to keep."""
        await asyncio.Event().wait()

    async def leading(self) -> None:
        """At once."""

    async def ended(self) -> Ending:
        """Never."""
        await asyncio.Event().wait()
        raise AssertionError

    def want(self) -> None:
        """It has it."""

    async def reconfigured(self, configuration: str) -> None:
        """Nobody has to know."""

    async def leave(self) -> None:
        """To nobody."""
