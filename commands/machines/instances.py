"""`!instances`: the machines that Slipway launched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import click

from slipway.bot.chat.model import NONE, Card, Consequence, Field, Shortcut, Table, Tone
from slipway.bot.chat.tables import Cell, Row, moment, span, table_of, text
from slipway.bot.clouds.capabilities import unknown_account
from slipway.bot.clouds.machine_model import InstanceState
from slipway.bot.clouds.ports.machines import MACHINES, StopsMachines
from slipway.bot.core.commands import command
from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_span, format_time
from slipway.bot.operations.services import Services
from slipway.bot.subjects.machines.leases.care import named_person
from slipway.bot.subjects.machines.listing import Found
from slipway.bot.subjects.machines.reporting.costs import cost_of, total
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.grammar.values import NAME
from slipway.commands.machines.costs import amount_in_words
from slipway.commands.machines.report import report

_COLUMNS = {
    "id": "ID",
    "owner": "Of",
    "state": "State",
    "type": "Type",
    "image": "Image",
    "address": "Address",
    "age": "Age",
    "until": "Until",
    "cost": "Cost",
}

_MORE = timedelta(hours=1)


@command(
    "instances",
    summary="Your machines, or everybody's: whose they are, and until when.",
    examples=("instances", "instances --all", "instances --of bob --cloud aws", "instances --report"),
    aliases=("machines", "instance"),
)
@click.option("--all", "everybody", is_flag=True, help="Everybody's.")
@click.option("--of", "whose", type=NAME, metavar="PERSON", help="Those of this person.")
@click.option("--cloud", type=NAME, metavar="NAME", help="Those of this account, such as `aws`.")
@click.option("--report", "summed", is_flag=True, help="Who runs what, a line a person, for a schedule.")
async def instances(
    call: CommandContext, everybody: bool, whose: str | None, cloud: str | None, summed: bool
) -> CardReply:
    """Oldest first. Machines that are gone are not shown. Where a schedule asks, everybody's are. The cost is an
    estimate by the configured prices of what ran so far."""
    if summed:
        if whose is not None or cloud is not None:
            raise UserError(
                "`--report` is about everybody's machines in all clouds; leave `--of` and `--cloud` out.",
                hint="instances --report",
            )
        return await report(call)
    if everybody and whose is not None:
        raise UserError("You gave both `--all` and `--of`; give one of them.", hint="instances --all")
    everybody = everybody or (whose is None and call.person.automatic)
    owner = None if everybody else call.person.id if whose is None else _person(call, whose)
    if cloud is not None:
        _check_cloud(call, cloud)
    every = await call.services.get(MachineServices).found()
    here = [each for each in every if cloud in (None, each.instance.cloud)]
    found = sorted(
        (each for each in here if owner in (None, each.owner)),
        key=lambda each: each.launched_at,
    )
    if not found:
        return CardReply(_none(call, owner, len(here) if owner is not None else 0))
    images = await call.services.get(MachineServices).image_names(found)
    return CardReply(_listing(call, found, len(here) - len(found), images))


def _listing(call: CommandContext, found: Sequence[Found], others: int, images: Mapping[str, str]) -> Card:
    now = call.services.clock()
    mine = next((each.instance.id for each in found if each.owner == call.person.id), None)
    due = any(each.due(now) for each in found)
    orphan = next((each.instance.id for each in found if each.machine is None), None)
    steps = [
        (f"terminate {mine or found[0].instance.id}", "End one"),
        (f"extend {mine}", "Let one live longer") if mine else None,  # which only its owner can
        (f"instance adopt {orphan}", "Take in one of which nothing is stored") if orphan else None,
        ("terminate --overdue", "End all that are overdue") if due else None,
    ]
    notes = [f"{words}: `{call.prefix}{line}`" for line, words in filter(None, steps) if call.may(line)]
    if others:
        notes.append(f"Everybody's: `{call.prefix}instances --all`")
    machines = call.services.get(MachineServices)
    cost = total(cost_of(each, machines.prices, now) for each in found)
    word = "machine" if len(found) == 1 else "machines"
    return Card(
        tone=Tone.WARNING if due else Tone.INFO,
        title=f"{len(found)} {word}",
        fields=(Field(label="Cost so far", value=cost.in_words(machines.prices.currency)),),
        tables=(instance_table(found, call.services, images),),
        notes=tuple(notes),
    )


def _none(call: CommandContext, owner: str | None, others: int) -> Card:
    notes = [f"How to launch one: `{call.prefix}help launch`"]
    if others:
        notes.append(f"Everybody's: `{call.prefix}instances --all`")
    if owner is None or not others:
        return Card(title="No machine is running.", notes=tuple(notes))
    whose = "You have" if owner == call.person.id else f"{call.services.people.name(owner)} has"
    return Card(title=f"{whose} no machine.", notes=tuple(notes))


def _person(call: CommandContext, wanted: str) -> str:
    """The id of a person."""
    try:
        return named_person(call.services.people, wanted).id
    except UserError as error:
        raise UserError(
            error.sentence, nearest=error.nearest, given=wanted, hint="instances --all"
        ) from error


def _check_cloud(call: CommandContext, cloud: str) -> None:
    known = call.services.clouds.all(MACHINES)
    if cloud not in known:
        if cloud not in call.services.clouds.contacts:
            raise unknown_account(cloud, call.services.clouds.contacts, "instances")
        where = f"they are in {' and '.join(known)}" if known else "nor anywhere else"
        raise UserError(
            f"No machines are launched in {cloud}; {where}.",
            nearest=nearest(cloud, known),
            given=cloud,
            hint="instances",
        )


def instance_table(found: Sequence[Found], services: Services, images: Mapping[str, str]) -> Table:
    """Machines, a row each; ``images`` are the names of their images, by id."""
    return table_of(_COLUMNS, [_row(each, services, images) for each in found])


def machine_shortcuts(found: Found, services: Services) -> tuple[Shortcut, ...]:
    """What the owner of a machine may want to do with it. One that cannot live longer, or of which nothing is stored,
    is not offered what would be refused."""
    return tuple(_shortcuts(found, services))


def _shortcuts(found: Found, services: Services) -> Iterator[Shortcut]:
    machine, name, state = found.machine, found.instance.id, found.instance.state
    if machine is not None and machine.lease_ends_at + _MORE <= machine.cap_ends_at:
        yield Shortcut(label="Extend by 1h", command=f"extend {name} --for 1h")
    rests = isinstance(services.clouds.get(MACHINES, found.instance.cloud), StopsMachines)
    if machine is not None and rests and state is InstanceState.RUNNING:
        yield Shortcut(label="Stop", command=f"stop {name}")
    if machine is not None and rests and state is InstanceState.STOPPED:
        yield Shortcut(label="Start", command=f"start {name}")
    yield Shortcut(label="Terminate", command=f"terminate {name}", consequence=Consequence.ENDING)


def _row(found: Found, services: Services, images: Mapping[str, str]) -> Row:
    instance, now = found.instance, services.clock()
    age = now - found.launched_at
    prices = services.get(MachineServices).prices
    cost = cost_of(found, prices, now)
    return {
        "id": text(instance.id),
        "owner": text(found.owner, services.cards.name(found.owner) if found.owner else NONE),
        "state": text(instance.state.value),
        "type": text(instance.instance_type),
        "image": text(instance.image_id, images.get(instance.image_id)),
        "address": text(instance.address),
        "age": span(age, format_span(age)),
        "launched_at": moment(found.launched_at, ""),
        "until": moment(found.until, until_in_words(found, services)),
        "cost": Cell(amount_in_words(cost, prices.currency), cost.so_far),
        "cost_per_hour": Cell("", cost.per_hour),
        "currency": text(prices.currency),
    }


def image_in_words(found: Found, images: Mapping[str, str]) -> str:
    """The image of a machine, by its name where that is known, and its id."""
    image_id = found.instance.image_id
    name = images.get(image_id, image_id)
    return name if name == image_id else f"{name} ({image_id})"


def until_in_words(found: Found, services: Services) -> str:
    """Until when a machine lives, and how long that is from now; a dash where nobody said."""
    until = found.until
    if until is None:
        return "-"
    left = until - services.clock()
    words = f"{format_span(left)} left" if left.total_seconds() > 0 else "⚠ overdue"
    return f"{format_time(until, services.cards.zone)} ({words})"


PARTS = (instances,)
