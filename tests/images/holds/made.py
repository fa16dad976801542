"""Holds, each in one line, and what reads them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from slipway.bot.subjects.images.holds.model import WHOLE_DEFINITION, Holds, PlacedHold
from tests.support.azure import X64
from tests.support.clock import NOW


def placed(
    version: str = WHOLE_DEFINITION,
    *,
    definition: str = X64,
    cloud: str = "azure",
    person: str = "alice",
    reason: str = "it is looked at",
    until: datetime | None = None,
) -> PlacedHold:
    """A hold of Alice's on all of X64, unless told otherwise."""
    key = f"{person} {version}"
    return PlacedHold(cloud, definition, version, person, reason, NOW, until, key)


class Held:
    """Fulfils :class:`slipway.bot.subjects.images.holds.model.HoldReader`."""

    def __init__(self, holds: Iterable[PlacedHold]) -> None:
        self.known = Holds(holds, str.capitalize)

    async def read(self) -> Holds:
        """As they are."""
        return self.known
