"""`!reject`: refuse a proposed operation."""

from __future__ import annotations

import click

from slipway.bot.chat.model import Choice
from slipway.commands.call import Call, Moved
from slipway.commands.choosing import WAITING, the_operation
from slipway.commands.grammar import Group, command
from slipway.commands.values import OPERATION_ID


@command(
    "reject",
    summary="Refuse a proposed operation; one refusal ends it.",
    examples=("reject op-7k3f", "reject op-7k3f the boot test has not run yet"),
    group=Group.OPERATIONS,
    decides=True,
)
@click.argument(
    "operation", type=OPERATION_ID, required=False, help="An operation's id, as its card shows it."
)
@click.argument("reason", nargs=-1, help="Why; it is shown and kept.")
async def reject(call: Call, operation: str | None, reason: tuple[str, ...]) -> Moved:
    """Without an ID, the one operation that waits is meant. If you asked for it yourself, it is cancelled."""
    # Here, because it brings the database along, which a look at the commands' names need not load.
    from slipway.bot.operations.deciding import Decision

    operation_id = await the_operation(call, operation, WAITING)
    words = " ".join(reason)
    decision = Decision(operation_id, call.person, Choice.REJECT, call.event_key, reason=words)
    return Moved((await call.services.deciding.decide(decision)).id)
