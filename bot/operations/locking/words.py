"""Whom an operation waits for, in words."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from slipway.bot.core.times import format_time
from slipway.bot.operations.locking.model import Claim
from slipway.bot.operations.locking.store import Turn
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.people import People


class LockWords:
    """Says who has what.

    Args:
        operations: where it stands whose an operation is.
        people: how they are called.
        zone: of times that are shown.
    """

    def __init__(self, operations: OperationRepository, people: People, zone: ZoneInfo) -> None:
        self._operations = operations
        self._people = people
        self._zone = zone

    async def waits_for(self, turn: Turn) -> str:
        """What one that is not first in line waits for, as its card says behind “Now:”."""
        first, *others = turn.before
        more = f", and for {len(others)} more in line before it" if others else ""
        return f"waits for {await self.holder(first, turn.claim.targets)}{more}"

    async def holder(self, claim: Claim, targets: Iterable[str]) -> str:
        """An operation that has, or is to have next, some of these targets: ``op-7k3f, Alice's promote, which …``."""
        found = await self._operations.find(claim.operation_id)
        whose = f", {self._people.name(found.requester)}'s {found.kind}," if found is not None else ","
        what = ", ".join(sorted(claim.targets & frozenset(targets)))
        since = "" if claim.since is None else f" since {format_time(claim.since, self._zone)}"
        does = "works on" if claim.held else "is before it in line for"
        return f"{claim.operation_id}{whose} which {does} {what}{since}"
