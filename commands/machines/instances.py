"""`!instances`: the machines that Slipway launched."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Table, Tone
from slipway.bot.clouds.model import Instance
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_span, format_time
from slipway.bot.operations.services import Services
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.tags import is_overdue, owner_of, until_of
from slipway.commands.dispatch.context import CardReply, CommandContext


@command(
    "instances",
    summary="Machines that Slipway launched, whose they are, and until when.",
    examples=("instances",),
    aliases=("machines",),
)
async def instances(call: CommandContext) -> CardReply:
    """Oldest first. Machines that are gone are not shown."""
    found = sorted(await call.services.get(MachineServices).instances(), key=lambda each: each.launched_at)
    if not found:
        return CardReply(
            Card(title="No machine is running.", notes=(f"Launch one: `{call.prefix}help launch`",))
        )
    rows = tuple(instance_row(instance, call.services) for instance in found)
    overdue = any(is_overdue(instance, call.services.clock()) for instance in found)
    notes = [f"End one: `{call.prefix}terminate {found[0].id}`"]
    if overdue:
        notes.append(f"End all that are overdue: `{call.prefix}terminate --overdue`")
    table = Table(columns=("ID", "Of", "State", "Type", "Address", "Until"), rows=rows)
    word = "machine" if len(rows) == 1 else "machines"
    tone = Tone.WARNING if overdue else Tone.INFO
    return CardReply(Card(tone=tone, title=f"{len(rows)} {word}", tables=(table,), notes=tuple(notes)))


def instance_row(instance: Instance, services: Services) -> tuple[str, ...]:
    """A machine as a row: id, owner, state, type, address, until."""
    view = services.cards
    owner = owner_of(instance)
    return (
        instance.id,
        view.name(owner) if owner else "-",
        instance.state.value,
        instance.instance_type,
        instance.address or "-",
        _until(instance, services),
    )


def _until(instance: Instance, services: Services) -> str:
    until = until_of(instance)
    if until is None:
        return "-"
    left = until - services.clock()
    words = f"{format_span(left)} left" if left.total_seconds() > 0 else "⚠ overdue"
    return f"{format_time(until, services.cards.zone)} ({words})"


PARTS = (instances,)
