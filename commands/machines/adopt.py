"""`!instance adopt`: take in a machine of which nothing is stored."""

from __future__ import annotations

from datetime import timedelta

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.machines.leases.requests import InstanceAdopt
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.grammar.values import DURATION, NAME
from slipway.commands.machines.values import INSTANCE_ID, checked_ids


@command(
    "instance adopt",
    summary="Take in a machine that carries this Slipway's tag and of which nothing is stored.",
    examples=(
        "instance adopt i-0f1e2d3c4b5a69788",
        "instance adopt i-0f1e2d3c4b5a69788 --owner bob --for 4h",
    ),
    access=Access.CHANGE,
)
@click.argument("instance", type=INSTANCE_ID, help="Its id, as `instances` shows it.")
@click.option("--owner", type=NAME, help="Whose it becomes; without, whom its tags name.")
@click.option(
    "--for", "duration", type=DURATION, help="How long it lives from now; without, what its tags say."
)
@dry_run
async def adopt(
    call: CommandContext, instance: str, owner: str | None, duration: timedelta | None, dry_run: bool
) -> ChangeRequest:
    """For machines that outlived the database, as when it was lost: their tags say whose they were, and until when.
    From then on they are looked after as all others are."""
    (instance_id,) = checked_ids(call, adopt, (instance,))
    request = InstanceAdopt(
        instance_id=instance_id,
        owner=owner or "",
        seconds=int(duration.total_seconds()) if duration else None,
        requester=call.person.id,
    )
    return ChangeRequest(request, dry_run)


PARTS = (adopt,)
