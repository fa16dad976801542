"""`!instance show`: one machine."""

from __future__ import annotations

from collections.abc import Mapping

import click

from slipway.bot.chat.model import Card, Field
from slipway.bot.core.commands import command
from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_span, format_time
from slipway.bot.subjects.machines.listing import Found
from slipway.bot.subjects.machines.reporting.costs import cost_of, price_in_words
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.machines.costs import amount_in_words
from slipway.commands.machines.instances import image_in_words, machine_shortcuts
from slipway.commands.machines.values import INSTANCE_ID


@command(
    "instance show",
    summary="One machine: whose, until when, and what it was launched from.",
    examples=("instance show i-0f1e2d3c4b5a69788",),
)
@click.argument("instance", type=INSTANCE_ID, help="Its id, as `instances` shows it.")
async def show(call: CommandContext, instance: str) -> CardReply:
    """Looks at the cloud. Whose it is shows what may be done with it."""
    held = {row.instance.id: row for row in await call.services.get(MachineServices).found()}
    found = held.get(instance)
    if found is None:
        raise UserError(
            f"There is no machine {instance}.",
            nearest=nearest(instance, held),
            given=instance,
            hint="instances",
        )
    images = await call.services.get(MachineServices).image_names([found])
    return CardReply(
        Card(
            title=f"{found.instance.id} is {found.instance.state.value}",
            fields=tuple(
                Field(label=label, value=value) for label, value in _facts(call, found, images) if value
            ),
            shortcuts=machine_shortcuts(found, call.services) if found.owner == call.person.id else (),
        )
    )


def _facts(call: CommandContext, row: Found, images: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    services, machine, zone = call.services, row.machine, call.services.cards.zone
    now, prices = services.clock(), services.get(MachineServices).prices
    unknown = (
        "" if machine is not None else f"nothing; take it in: `{call.prefix}instance adopt {row.instance.id}`"
    )
    return (
        ("Owner", services.people.name(row.owner) if row.owner else "nobody known"),
        ("Until", format_time(row.until, zone) if row.until else "no time was set"),
        ("Whole life ends", format_time(machine.cap_ends_at, zone) if machine is not None else ""),
        ("Age", format_span(now - row.launched_at)),
        ("Stopped since", format_time(machine.stopped_at, zone) if machine and machine.stopped_at else ""),
        ("Image", image_in_words(row, images)),
        ("Machine", row.instance.instance_type),
        ("Profile", machine.profile if machine is not None else ""),
        ("Where", f"{row.instance.cloud}, {row.instance.region}"),
        ("Address", row.instance.address),
        ("Cost so far", amount_in_words(cost_of(row, prices, now), prices.currency)),
        ("Price", price_in_words(row, prices)),
        ("Stored", unknown),
    )


PARTS = (show,)
