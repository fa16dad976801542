"""What a sink is, and how one fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from slipway.bot.core.errors import SlipwayError
from slipway.bot.operations.audit import Recorded


class SinkError(SlipwayError):
    """A sink did not take what it was given. Its words complete “SINK does not take entries of the audit trail: ”."""


class Sink(Protocol):
    """Takes entries, in order. What was given before may be given again: the number tells."""

    @property
    def name(self) -> str:
        """Names it for people, and for the place up to which it has everything."""
        ...

    @property
    def setting(self) -> str:
        """The key of slipway.toml that names it."""
        ...

    async def try_it(self) -> None:
        """See, as far as that can be seen without giving it anything, that it would take entries.

        Raises:
            SinkError: it would not.
        """
        ...

    async def take(self, entries: Sequence[Recorded]) -> None:
        """Take these; when it returns, a crash of this process loses none of them.

        Raises:
            SinkError: it did not, or not all of them.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...


@dataclass(frozen=True)
class SinkTrouble:
    """A sink that does not take entries: since when, and why."""

    name: str
    since: datetime
    why: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{self.name} does not take entries of the audit trail: {self.why}."
