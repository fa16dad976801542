"""`!approve`: agree to a proposed operation."""

from __future__ import annotations

import click

from slipway.bot.chat.model import Choice
from slipway.bot.core.commands import Access, command
from slipway.commands.dispatch.context import CommandContext, OperationUpdate
from slipway.commands.grammar.values import OPERATION_ID
from slipway.commands.operations.choosing import WAITING, the_operation


@command(
    "approve",
    summary="Agree to a proposed operation.",
    examples=("approve op-7k3f", "approve op-7k3f 1b9f03ac"),
    access=Access.DECIDE,
)
@click.argument(
    "operation", type=OPERATION_ID, required=False, help="An operation's id, as its card shows it."
)
@click.argument("digest", required=False, help="First digits of the plan, as its card shows them.")
async def approve(call: CommandContext, operation: str | None, digest: str | None) -> OperationUpdate:
    """Without an ID, the one operation that waits is meant. Your approval counts if the policy says so: you
    hold the role it names, and by default you did not ask for it yourself. When enough have agreed, the plan
    is made again; only if nothing changed it runs."""
    # Here, because it brings the database along, which a look at the commands' names need not load.
    from slipway.bot.operations.approval_service import Decision

    operation_id = await the_operation(call, operation, WAITING)
    decision = Decision(operation_id, call.person, Choice.APPROVE, call.event_key, digest)
    return OperationUpdate((await call.services.approvals.decide(decision)).id)


PARTS = (approve,)
