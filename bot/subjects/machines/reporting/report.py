"""Who runs what: each person's machines with their lease hours, cost and limits, and what belongs to nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.clouds.machine_model import Instance, InstanceState, Leftover
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.machines.ending.leftovers import leftovers_in
from slipway.bot.subjects.machines.leases.limits import LimitUse, lease_hours
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.listing import Found, found_by_account
from slipway.bot.subjects.machines.reporting.costs import Cost, cost_of, total
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.tags import TOKEN


@dataclass(frozen=True)
class Holding:
    """What one person runs, or everybody together.

    Attributes:
        owner: a person's id; empty for everybody.
        machines: how many there are.
        resting: how many of them are stopped.
        idle: how many of them nobody seems to use.
        overdue: how many of them should have ended.
        hours_left: until their leases end, of all of them together.
        limits: those that count for the owner alone, or for everybody together.
    """

    owner: str
    machines: int
    resting: int
    idle: int
    overdue: int
    hours_left: float
    cost: Cost
    limits: tuple[LimitUse, ...]


@dataclass(frozen=True)
class Report:
    """Who runs what now.

    Attributes:
        people: by who has most machines.
        everybody: all of them together.
        idle: machines that nobody seems to use.
        orphans: machines that carry this deployment's tag and of which nothing is stored.
        leftovers: what belongs to no machine any more; None where that could not be looked up.
        unread: what could not be read, a sentence each. Machines in such an account count as far as they are stored.
    """

    people: tuple[Holding, ...]
    everybody: Holding
    idle: tuple[Machine, ...]
    orphans: tuple[Instance, ...]
    leftovers: tuple[Leftover, ...] | None
    unread: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell of."""
        return not (self.people or self.orphans or self.leftovers or self.unread)


@dataclass(frozen=True)
class _Known:
    """A machine that is stored and not gone, and as its cloud has it; None where that could not be read."""

    machine: Machine
    instance: Instance | None = None


async def who_runs_what(services: MachineServices) -> Report:
    """Look at what is stored and at every account once.

    Raises:
        UserError: no cloud for machines is configured.
    """
    if not services.clouds.all(MACHINES):
        await services.clouds.only(MACHINES).instances()  # which says so
    seen, failures = await found_by_account(services.clouds, services.leases)
    under_way = {claim.token for claim in await services.leases.open_claims()}
    known = [_Known(each.machine, each.instance) for each in seen if each.machine is not None]
    read = services.clouds.all(MACHINES).keys() - failures
    known += [_Known(each) for each in await services.leases.living() if each.cloud not in read]
    leftovers, trouble = await _leftovers(services)
    usage = await services.leases.usage()
    by_owner: dict[str, list[_Known]] = defaultdict(list)
    for each in known:
        by_owner[each.machine.owner].append(each)
    allowance = services.allowance
    people = [
        _holding(services, owner, held, (each for each in allowance.uses_in(usage, owner) if each.whose))
        for owner, held in by_owner.items()
    ]
    return Report(
        people=tuple(sorted(people, key=lambda each: (-each.machines, each.owner))),
        everybody=_holding(services, "", known, allowance.common_uses_in(usage)),
        idle=tuple(each.machine for each in known if _idle(each)),
        orphans=tuple(each.instance for each in seen if _orphan(each, under_way)),
        leftovers=leftovers,
        unread=(*(each.words for each in failures.values()), *trouble),
    )


async def _leftovers(services: MachineServices) -> tuple[tuple[Leftover, ...] | None, tuple[str, ...]]:
    try:
        return await leftovers_in(services.clouds, services.leases), ()
    except CloudError as error:
        return None, (error.words,)


def _orphan(found: Found, under_way: Collection[str]) -> bool:
    """Whether nothing is stored of it, and no launch is making it just now."""
    return found.machine is None and found.instance.tags.get(TOKEN, "") not in under_way


def _holding(
    services: MachineServices, owner: str, machines: Iterable[_Known], limits: Iterable[LimitUse]
) -> Holding:
    held, now = tuple(machines), services.clock()
    return Holding(
        owner=owner,
        machines=len(held),
        resting=sum(_rests(each) for each in held),
        idle=sum(map(_idle, held)),
        overdue=sum(each.machine.due(now) for each in held),
        hours_left=sum(lease_hours(now, _end(each.machine)) for each in held),
        cost=total(_cost(services, each, now) for each in held),
        limits=tuple(limits),
    )


def _end(machine: Machine) -> datetime:
    return min(machine.lease_ends_at, machine.cap_ends_at)


def _rests(known: _Known) -> bool:
    if known.instance is None:
        return known.machine.stopped_at is not None
    return known.instance.state is InstanceState.STOPPED


def _idle(known: _Known) -> bool:
    return known.machine.idle_since is not None and not _rests(known)


def _cost(services: MachineServices, known: _Known, now: datetime) -> Cost:
    """Unknown, too, where it is not known of what type it is."""
    if known.instance is None:
        return Cost(None, None, unpriced=1)
    return cost_of(Found(known.instance, known.machine), services.prices, now)
