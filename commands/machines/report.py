"""What `!instances --report` shows: who runs what, for a room that reads it each week."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.chat.model import Card, Field, Table, Tone
from slipway.bot.chat.tables import Cell, Row, moment, number, table_of, text
from slipway.bot.clouds.machine_model import Instance, Leftover
from slipway.bot.core.times import format_span, format_time
from slipway.bot.subjects.machines.leases.limits import used_in_words
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.reporting.costs import UNKNOWN, Cost
from slipway.bot.subjects.machines.reporting.report import Holding, Report, who_runs_what
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.tags import owner_of
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.machines.costs import amount_in_words

_PEOPLE = {
    "owner": "Person",
    "machines": "Machines",
    "hours_left": "Hours left",
    "cost": "Cost so far",
}
_LIMITS = {"limits": "Of limits"}
_IDLE = {"id": "Not used", "owner": "Of", "since": "Since"}
_ORPHANS = {"id": "Orphan", "owner": "Of, by its tags", "age": "Age", "where": "Where"}
_LEFTOVERS = {"id": "Left over", "kind": "What", "where": "Where"}


async def report(call: CommandContext) -> CardReply:
    """The card; a quiet schedule does not say that there is nothing."""
    found = await who_runs_what(call.services.get(MachineServices))
    return CardReply(_card(call, found), nothing_to_do=found.empty)


def _card(call: CommandContext, found: Report) -> Card:
    everybody, people = found.everybody, len(found.people)
    machines = f"{everybody.machines} machine{'' if everybody.machines == 1 else 's'}"
    owners = f" of {people} {'person' if people == 1 else 'people'}" if people else ""
    odd = found.orphans or found.leftovers or found.unread or everybody.overdue
    return Card(
        tone=Tone.WARNING if odd else Tone.INFO,
        title=f"Who runs what: {machines}{owners}",
        fields=tuple(Field(label=label, value=value) for label, value in _facts(call, found) if value),
        tables=tuple(filter(None, _tables(call, found))),
        notes=tuple(_notes(call, found)),
    )


def _facts(call: CommandContext, found: Report) -> tuple[tuple[str, str], ...]:
    everybody = found.everybody
    currency = call.services.get(MachineServices).prices.currency
    return (
        ("Hours left", _hours(everybody.hours_left) if everybody.machines else ""),
        ("Cost so far", everybody.cost.in_words(currency) if everybody.machines else ""),
        ("Limits", used_in_words(everybody.limits).removeprefix("in all ") or "none is set"),
        ("Not used", str(everybody.idle) if everybody.idle else "none that is known of"),
        ("Orphans", _how_many(found.orphans or (None if found.unread else ()))),
        ("Left over", _how_many(found.leftovers)),
        ("Overdue", str(everybody.overdue) if everybody.overdue else ""),
    )


def _how_many(found: Sequence[object] | None) -> str:
    if found is None:
        return "not known"
    return str(len(found)) if found else "none"


def _tables(call: CommandContext, found: Report) -> list[Table | None]:
    limited = any(each.limits for each in found.people)
    columns = {**_PEOPLE, **_LIMITS} if limited else _PEOPLE
    return [
        table_of(columns, [_person(call, each) for each in found.people]) if found.people else None,
        table_of(_IDLE, [_unused(call, each) for each in found.idle]) if found.idle else None,
        table_of(_ORPHANS, [_orphan(call, each) for each in found.orphans]) if found.orphans else None,
        table_of(_LEFTOVERS, [_left_over(each) for each in found.leftovers]) if found.leftovers else None,
    ]


def _person(call: CommandContext, holding: Holding) -> Row:
    currency = call.services.get(MachineServices).prices.currency
    parts = ((holding.resting, "stopped"), (holding.idle, "not used"), (holding.overdue, "overdue"))
    odd = ", ".join(f"{count} {word}" for count, word in parts if count)
    return {
        "owner": text(holding.owner, call.services.cards.name(holding.owner)),
        "machines": Cell(f"{holding.machines} ({odd})" if odd else str(holding.machines), holding.machines),
        "hours_left": Cell(_hours(holding.hours_left), round(holding.hours_left, 2)),
        "cost": Cell(_cost(holding.cost, currency), holding.cost.so_far),
        "limits": Cell(used_in_words(holding.limits) or "-", None),
        "resting": number(holding.resting),
        "idle": number(holding.idle),
        "overdue": number(holding.overdue),
        "unpriced": number(holding.cost.unpriced),
        "cost_per_hour": Cell("", holding.cost.per_hour),
        "currency": text(currency),
    }


def _cost(cost: Cost, currency: str) -> str:
    """Short, for a table: what has no price is counted as such."""
    if cost.so_far is None:
        return UNKNOWN
    without = f", and {cost.unpriced} {UNKNOWN}" if cost.unpriced else ""
    return f"{amount_in_words(cost, currency)}{without}"


def _unused(call: CommandContext, machine: Machine) -> Row:
    since = machine.idle_since
    return {
        "id": text(machine.instance_id),
        "owner": text(machine.owner, call.services.cards.name(machine.owner)),
        "since": moment(since, format_time(since, call.services.cards.zone) if since else "-"),
    }


def _orphan(call: CommandContext, instance: Instance) -> Row:
    age = call.services.clock() - instance.launched_at
    return {
        "id": text(instance.id),
        "owner": text(owner_of(instance)),
        "age": Cell(format_span(age), age.total_seconds()),
        "where": text(f"{instance.cloud}, {instance.region}"),
    }


def _left_over(leftover: Leftover) -> Row:
    return {
        "id": text(leftover.id),
        "kind": text(leftover.kind),
        "where": text(f"{leftover.cloud}, {leftover.region}"),
    }


def _notes(call: CommandContext, found: Report) -> list[str]:
    """What could not be read, and what may be done next: by those in the room, where a schedule asks."""
    steps = [
        (f"instance adopt {found.orphans[0].id}", "Take an orphan in") if found.orphans else None,
        ("terminate --leftovers", "Remove what is left over") if found.leftovers else None,
        ("instances --all", "Each machine") if found.people else None,
    ]
    notes = [f"⚠ Not all is known: {each}" for each in found.unread]
    for line, words in filter(None, steps):
        if call.person.automatic or call.may(line):
            notes.append(f"{words}: `{call.prefix}{line}`")
    return notes


def _hours(hours: float) -> str:
    return f"{hours:.1f}".removesuffix(".0")
