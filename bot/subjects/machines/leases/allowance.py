"""What the limits leave to the owners of machines."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.people import People
from slipway.bot.subjects.machines.leases.limits import (
    LimitSettings,
    LimitUse,
    Usage,
    Wanted,
    check_limits,
    common_limit_uses,
    left_in_words,
    limit_uses,
)

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases


class Allowance:
    """Compares what somebody wants with what is in use.

    Args:
        leases: what is in use.
        limits: ``[limits]``.
        people: the roles that they hold.
    """

    def __init__(self, leases: Leases, limits: LimitSettings, people: People) -> None:
        self._leases = leases
        self._limits = limits
        self._people = people

    def check(self, usage: Usage, owner: str, machines: int, hours: float, now: datetime) -> None:
        """Raise LimitReachedError where the owner cannot have so much more."""
        check_limits(self._limits, usage, Wanted(owner, self._roles(owner), machines, hours), now)

    async def usage(self) -> Usage:
        """What is in use now."""
        return await self._leases.usage()

    async def uses(self, owner: str) -> tuple[LimitUse, ...]:
        """Every limit that counts for somebody, their own first, and how much of it is in use now."""
        return self.uses_in(await self._leases.usage(), owner)

    def uses_in(self, usage: Usage, owner: str) -> tuple[LimitUse, ...]:
        """The same of what was read before."""
        return limit_uses(self._limits, usage, owner, self._roles(owner))

    def common_uses_in(self, usage: Usage) -> tuple[LimitUse, ...]:
        """The limits on what everybody has together, and how much of them was in use."""
        return common_limit_uses(self._limits, usage)

    async def left(self, owner: str, machines: int, hours: float, now: datetime) -> str:
        """What the owner may have beside so much more, in words; empty where nothing limits it.

        Raises:
            LimitReachedError: they cannot have it.
        """
        usage = await self._leases.usage()
        self.check(usage, owner, machines, hours, now)
        words = left_in_words(each.with_more(machines, hours) for each in self.uses_in(usage, owner))
        return f"{words} after this" if words else ""

    def _roles(self, owner: str) -> tuple[str, ...]:
        person = self._people.by_id(owner)
        return person.roles if person is not None else ()
