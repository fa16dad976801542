"""`!cancel`: withdraw a proposal, or stop a running operation."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command
from slipway.bot.operations.model import OPEN
from slipway.commands.dispatch.context import CommandContext, OperationUpdate
from slipway.commands.grammar.values import OPERATION_ID
from slipway.commands.operations.choosing import the_operation


@command(
    "cancel",
    summary="Withdraw a proposal, or stop a running operation before its next step.",
    examples=("cancel op-7k3f",),
    access=Access.DECIDE,
)
@click.argument(
    "operation", type=OPERATION_ID, required=False, help="An operation's id, as its card shows it."
)
async def cancel(call: CommandContext, operation: str | None) -> OperationUpdate:
    """Without an ID, the operation is meant whose card you answer, or else the open one whose card stands in this
    room. For whoever asked for it, and for those who decide on it. What was done already stays done; the step
    under way is finished, and the report says where it stopped."""
    operation_id = await the_operation(call, operation, OPEN)
    cancelled = await call.services.approvals.cancel(
        operation_id, call.person, call.event_key, doubt=call.asker.doubt
    )
    return OperationUpdate(cancelled.id)


PARTS = (cancel,)
