"""What reports say of machines: which there are, what they cost, whose leases end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.chat.tables import Cell, Row, moment, number, table_of, text
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.operations.services import Services
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.model import Period, ReportKind, ReportView, Section, Severity
from slipway.bot.subjects.machines.launching.prices import PriceSettings, money
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.listing import found_by_account
from slipway.bot.subjects.machines.reporting.costs import UNKNOWN, Cost
from slipway.bot.subjects.machines.reporting.report import Report, who_runs_what
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.steps import LaunchMachines

MOST_SHOWN = 15
"""Rows of a table; more are counted."""

ENDS_SOON = timedelta(days=1)

_HOUR = 3600.0


@dataclass(frozen=True)
class Running:
    """Who runs what, and in which currency prices are."""

    report: Report
    currency: str


async def look_at_machines(services: Services, _period: Period) -> Running:
    """Looks at every account once."""
    machines = services.get(MachineServices)
    return Running(await who_runs_what(machines), machines.prices.currency)


def tell_machines(running: Running, view: ReportView) -> Section | None:
    """Each person's machines and their cost so far; what belongs to nobody, and what could not be read."""
    found, currency = running.report, running.currency
    if found.empty:
        return None
    everybody = found.everybody
    told = [
        *([f"{len(found.orphans)} belong to nobody that is known"] if found.orphans else []),
        *([f"{len(found.leftovers)} things are left over"] if found.leftovers else []),
        *([f"{everybody.idle} seem not to be used"] if everybody.idle else []),
    ]
    rows: list[Row] = [
        {
            "owner": text(each.owner, view.name(each.owner)),
            "machines": number(each.machines),
            "cost": Cell(_so_far(each.cost, currency), each.cost.so_far),
        }
        for each in found.people[:MOST_SHOWN]
    ]
    columns = {"owner": "Person", "machines": "Machines", "cost": "Cost so far"}
    return Section(
        summary=f"{everybody.machines}, {_per_hour(everybody.cost, currency)}",
        severity=Severity.ATTENTION if found.unread else Severity.NEWS if told else Severity.ROUTINE,
        lines=(*(f"{words}." for words in told), *found.unread),
        tables=(table_of(columns, rows),) if rows else (),
        notes=tuple(note for words, line in _next_steps(found) for note in view.offer(words, line)),
    )


def _next_steps(found: Report) -> tuple[tuple[str, str], ...]:
    leftovers = (("Remove what is left over", "terminate --leftovers"),) if found.leftovers else ()
    return (("More", "instances --report"), *leftovers)


def _per_hour(cost: Cost, currency: str) -> str:
    if cost.per_hour is None:
        return f"cost {UNKNOWN}" if cost.unpriced else "no cost"
    return f"{money(cost.per_hour)} {currency} an hour"


def _so_far(cost: Cost, currency: str) -> str:
    if cost.so_far is None:
        return UNKNOWN
    return f"{money(cost.so_far)} {currency}{f', {cost.unpriced} {UNKNOWN}' if cost.unpriced else ''}"


async def look_at_leases(services: Services, _period: Period) -> tuple[Machine, ...]:
    """All machines that are stored, those of people: a step that made one for itself ends it."""
    machines = services.get(MachineServices)
    return tuple(each for each in await machines.leases.living() if not each.of_step)


def tell_leases(machines: Sequence[Machine], view: ReportView) -> Section | None:
    """What ends within a day, and what should have ended. Owners are reminded alone."""
    soon = sorted((each for each in machines if _end(each) < view.now + ENDS_SOON), key=_end)
    overdue = [each for each in soon if each.due(view.now)]
    if not soon:
        return None
    ending = len(soon) - len(overdue)
    parts = [f"{ending} end{'s' if ending == 1 else ''} within a day"] if ending else []
    parts += [f"{len(overdue)} overdue"] if overdue else []
    rows: list[Row] = [
        {
            "id": text(each.instance_id),
            "owner": text(each.owner, view.name(each.owner)),
            "ends": moment(_end(each), f"{view.when(_end(each))}{', overdue' if each in overdue else ''}"),
        }
        for each in soon[:MOST_SHOWN]
    ]
    more = len(soon) - MOST_SHOWN
    return Section(
        summary=", ".join(parts),
        severity=Severity.ATTENTION if overdue else Severity.NEWS,
        lines=(f"{more} more are not shown.",) if more > 0 else (),
        tables=(table_of({"id": "Machine", "owner": "Of", "ends": "Ends"}, rows),),
        notes=view.offer("Keep one for longer", f"extend {soon[0].instance_id} 2h"),
    )


def _end(machine: Machine) -> datetime:
    return min(machine.lease_ends_at, machine.cap_ends_at)


@dataclass(frozen=True)
class Lived:
    """Machines that there were in a period.

    Attributes:
        machines: as they are stored.
        types: their types, by cloud and id, as far as they are known.
        prices: what an hour of a type costs.
    """

    machines: tuple[Machine, ...]
    types: Mapping[tuple[str, str], str]
    prices: PriceSettings


async def look_at_lived(services: Services, period: Period) -> Lived:
    """What is stored of a period's machines. Of those that are there the clouds know the types, of others their
    launches may."""
    held = services.get(MachineServices)
    machines = await held.leases.lived(period.begin, period.end)
    found, _ = await found_by_account(held.clouds, held.leases)
    types = {(each.instance.cloud, each.instance.id): each.instance.instance_type for each in found}
    launches = await services.ended.between(period.begin, period.end, kinds=("launch",))
    launched = {
        each.id: step.instance_type
        for each in launches
        for step in each.plan.steps
        if isinstance(step, LaunchMachines) and step.instance_type is not None
    }
    for each in machines:
        if (named := launched.get(each.operation_id or "")) is not None:
            types.setdefault((each.cloud, each.instance_id), named)
    return Lived(machines, types, held.prices)


def tell_lived(lived: Lived, view: ReportView) -> Section | None:
    """How many ran for how long, by person, and what that cost as far as there are prices."""
    if not lived.machines:
        return None
    period, by_owner = view.period, defaultdict[str, list[Machine]](list)
    for each in lived.machines:
        by_owner[each.owner].append(each)
    launched = sum(period.holds(each.launched_at) for each in lived.machines)
    ranking = sorted(
        by_owner, key=lambda owner: (-sum(_hours(each, view) for each in by_owner[owner]), owner)
    )
    rows: list[Row] = []
    for owner in ranking[:MOST_SHOWN]:
        spent = sum(_hours(each, view) for each in by_owner[owner])
        cost = _cost(by_owner[owner], lived, view)
        rows.append(
            {
                "owner": text(owner, view.name(owner)),
                "hours": Cell(f"{spent:.0f}", round(spent, 1)),
                "cost": Cell(_so_far(cost, lived.prices.currency), cost.so_far),
                "machines": number(len(by_owner[owner])),
            }
        )
    every = _cost(lived.machines, lived, view)
    without = f"Of {every.unpriced} of them there is no price: their type is not known any more, or has none."
    return Section(
        summary=f"{len(lived.machines)}, {launched} launched, {_so_far(every, lived.prices.currency)}",
        severity=Severity.NEWS,
        lines=(without,) if every.unpriced else (),
        tables=(table_of({"owner": "Person", "hours": "Hours", "cost": "Cost"}, rows),),
        notes=("An estimate of running alone: disks, addresses and traffic come on top.",),
    )


def _hours(machine: Machine, view: ReportView) -> float:
    """How long it ran in the period. What it rested before it ran last is taken off, whenever that was."""
    begin = max(machine.launched_at, view.period.begin)
    end = min(machine.ended_at or view.now, machine.stopped_at or view.now, view.period.end)
    return max(0.0, (end - begin).total_seconds() - machine.rested_seconds) / _HOUR


def _cost(machines: Sequence[Machine], lived: Lived, view: ReportView) -> Cost:
    so_far, priced, unpriced = 0.0, 0, 0
    for each in machines:
        price = lived.prices.of(each.cloud, each.region, lived.types.get((each.cloud, each.instance_id)))
        if price is None:
            unpriced += 1
        else:
            priced += 1
            so_far += price * _hours(each, view)
    return Cost(so_far if priced else None, None, unpriced)


def _configured(services: Services) -> bool:
    return bool(services.clouds.all(MACHINES))


SECTIONS = (
    ReportSection(
        "machines", "Machines", (ReportKind.DAILY,), look_at_machines, tell_machines, wanted=_configured
    ),
    ReportSection("leases", "Leases", (ReportKind.DAILY,), look_at_leases, tell_leases, wanted=_configured),
    ReportSection(
        "machines-of-month", "Machines", (ReportKind.MONTHLY,), look_at_lived, tell_lived, wanted=_configured
    ),
)
