"""`!withdraw`: take one's approval back."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command
from slipway.bot.operations.model import OperationState
from slipway.commands.dispatch.context import CommandContext, OperationUpdate
from slipway.commands.grammar.values import OPERATION_ID
from slipway.commands.operations.choosing import the_operation


@command(
    "withdraw",
    summary="Take your approval of an operation back, as long as it has not begun.",
    examples=("withdraw op-7k3f",),
    access=Access.DECIDE,
)
@click.argument(
    "operation", type=OPERATION_ID, required=False, help="An operation's id, as its card shows it."
)
async def withdraw(call: CommandContext, operation: str | None) -> OperationUpdate:
    """Without an ID, the operation is meant whose card you answer, or else the open one whose card stands in this
    room. It waits for approvals again, or ends if it had enough of them. On Matrix, taking your reaction back does
    the same. To refuse the operation, `reject` it."""
    operation_id = await the_operation(call, operation, (OperationState.PROPOSED, OperationState.APPROVED))
    return OperationUpdate(
        (await call.services.approvals.take_back(operation_id, call.person, call.event_key)).id
    )


PARTS = (withdraw,)
