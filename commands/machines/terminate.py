"""`!terminate`: end machines."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.requests import Terminate
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.machines.values import INSTANCE_ID, no_instance_id


@command(
    "terminate",
    summary="End machines that Slipway launched.",
    examples=("terminate i-0f1e2d3c4b5a69788", "terminate --overdue --dry-run"),
    access=Access.CHANGE,
)
@click.argument("instances", nargs=-1, type=INSTANCE_ID, help="Ids of machines, as `instances` shows them.")
@click.option("--overdue", is_flag=True, help="Every machine whose time is up.")
@dry_run
async def terminate(
    call: CommandContext, instances: tuple[str, ...], overdue: bool, dry_run: bool
) -> ChangeRequest:
    """Only machines that carry this Slipway's tag are touched. Each one is ended on its own, so that one that
    cannot be ended does not keep the others."""
    if bool(instances) == overdue:
        which = "both ids and `--overdue`" if overdue else "neither an id nor `--overdue`"
        raise UserError(f"You gave {which}; give one of them.", hint="instances")
    ids = tuple(dict.fromkeys(instances))
    could_be = call.services.get(MachineServices).could_be_instance_id
    odd = next((each for each in ids if not could_be(each)), None)
    if odd is not None:
        raise MisuseError(f"`{INSTANCE_ID.placeholder}`: {no_instance_id(odd)}.", terminate)
    return ChangeRequest(Terminate(instance_ids=ids, overdue=overdue, requester=call.person.id), dry_run)


PARTS = (terminate,)
