"""What the limits leave to the owners of machines."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.people import People
from slipway.bot.subjects.machines.leases.limits import LimitSettings, Usage, Wanted, check_limits, most_for

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
        person = self._people.by_id(owner)
        roles = person.roles if person is not None else ()
        check_limits(self._limits, usage, Wanted(owner, roles, machines, hours), now)

    async def usage(self) -> Usage:
        """What is in use now."""
        return await self._leases.usage()

    async def left(self, owner: str, machines: int, hours: float, now: datetime) -> str:
        """What the owner may have beside so much more, in words; empty where nothing limits it.

        Raises:
            LimitReachedError: they cannot have it.
        """
        usage = await self._leases.usage()
        self.check(usage, owner, machines, hours, now)
        person = self._people.by_id(owner)
        most, _hours = most_for(self._limits, person.roles if person is not None else ())
        if most is None:
            return ""
        used = sum(each.machines for each in usage.places if each.owner == owner)
        return f"{most - used - machines} of {most} machines after this"
