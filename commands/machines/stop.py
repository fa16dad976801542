"""`!stop` and `!start`: let machines rest, and start them again."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.leases.requests import Start, Stop
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.machines.values import INSTANCE_ID, checked_ids


@command(
    "stop",
    summary="Stop your machines, so that only their disks cost.",
    examples=("stop i-0f1e2d3c4b5a69788",),
    access=Access.CHANGE,
)
@click.argument("instances", nargs=-1, type=INSTANCE_ID, help="Ids of machines, as `instances` shows them.")
@dry_run
async def stop(call: CommandContext, instances: tuple[str, ...], dry_run: bool) -> ChangeRequest:
    """Their leases go on: at the end of its time a machine is terminated, whether it runs or not. `start` starts it
    again. An operation of Slipway's is stopped by `cancel`."""
    ids = checked_ids(call, stop, instances)
    if not ids:
        raise UserError(_which(call), hint="instances")
    return ChangeRequest(Stop(instance_ids=ids, requester=call.person.id), dry_run)


def _which(call: CommandContext) -> str:
    """What else could have been meant by `stop`, as far as whoever asks may do it."""
    prefix, others = call.prefix, []
    if call.may("cancel"):
        others.append(f"`{prefix}cancel` stops an operation")
    if call.may("freeze"):
        others.append(f"`{prefix}freeze` lets nothing be changed at all")
    also = f" Something else: {', '.join(others)}." if others else ""
    return f"Say which machine to stop.{also}"


@command(
    "start",
    summary="Start your machines that were stopped.",
    examples=("start i-0f1e2d3c4b5a69788",),
    access=Access.CHANGE,
)
@click.argument("instances", nargs=-1, type=INSTANCE_ID, help="Ids of machines, as `instances` shows them.")
@dry_run
async def start(call: CommandContext, instances: tuple[str, ...], dry_run: bool) -> ChangeRequest:
    """Their leases went on meanwhile; `extend` lets them live longer."""
    ids = checked_ids(call, start, instances)
    if not ids:
        raise UserError("Say which machine to start.", hint="instances")
    return ChangeRequest(Start(instance_ids=ids, requester=call.person.id), dry_run)


PARTS = (stop, start)
