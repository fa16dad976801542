"""`!extend`: let machines live longer."""

from __future__ import annotations

from datetime import timedelta

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.leases.requests import Extend
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.grammar.values import DURATION
from slipway.commands.machines.values import INSTANCE_ID, checked_ids

_USUAL = timedelta(hours=1)


@command(
    "extend",
    summary="Let your machines live longer than they were to.",
    examples=("extend i-0f1e2d3c4b5a69788", "extend i-0f1e2d3c4b5a69788 --for 2h30m"),
    access=Access.CHANGE,
)
@click.argument("instances", nargs=-1, type=INSTANCE_ID, help="Ids of machines, as `instances` shows them.")
@click.option("--for", "duration", type=DURATION, help="How much longer; without, an hour.")
@dry_run
async def extend(
    call: CommandContext, instances: tuple[str, ...], duration: timedelta | None, dry_run: bool
) -> ChangeRequest:
    """Counted from when they were to end. Nothing lives longer than the whole life that its profile gives it, and
    lease hours count against the limits."""
    ids = checked_ids(call, extend, instances)
    if not ids:
        raise UserError("Say which machine is to live longer.", hint="instances")
    seconds = int((duration or _USUAL).total_seconds())
    return ChangeRequest(Extend(instance_ids=ids, seconds=seconds, requester=call.person.id), dry_run)


PARTS = (extend,)
