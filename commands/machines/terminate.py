"""`!terminate`: end machines."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.requests import Expire, RemoveLeftovers, Terminate
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.machines.values import INSTANCE_ID, checked_ids


@command(
    "terminate",
    summary="End machines that Slipway launched.",
    examples=("terminate i-0f1e2d3c4b5a69788", "terminate --overdue --dry-run", "terminate --leftovers"),
    access=Access.CHANGE,
)
@click.argument("instances", nargs=-1, type=INSTANCE_ID, help="Ids of machines, as `instances` shows them.")
@click.option(
    "--overdue", is_flag=True, help="Every machine whose time is up; with ids, those of them that it is of."
)
@click.option(
    "--leftovers", is_flag=True, help="What launches left behind and belongs to no machine, instead."
)
@dry_run
async def terminate(
    call: CommandContext, instances: tuple[str, ...], overdue: bool, leftovers: bool, dry_run: bool
) -> ChangeRequest:
    """Only machines that carry this Slipway's tag are touched. Each one is ended on its own, so that one that
    cannot be ended does not keep the others. Machines whose time is up are ended without anybody's asking."""
    ids = checked_ids(call, terminate, instances)
    if leftovers:
        if ids or overdue:
            raise UserError(
                "`--leftovers` stands alone: it is about no machine.", hint="terminate --leftovers"
            )
        return ChangeRequest(RemoveLeftovers(requester=call.person.id), dry_run)
    if overdue:
        return ChangeRequest(Expire(instance_ids=ids, requester=call.person.id), dry_run)
    if not ids:
        raise UserError(
            "You gave neither an id, nor `--overdue`, nor `--leftovers`; give one of them.", hint="instances"
        )
    return ChangeRequest(Terminate(instance_ids=ids, requester=call.person.id), dry_run)


PARTS = (terminate,)
