"""`!op ID`: everything about one operation."""

from __future__ import annotations

import click

from slipway.bot.operations.cards import full_card
from slipway.commands.call import Answer, Call
from slipway.commands.grammar import Group, command
from slipway.commands.values import OPERATION_ID


@command(
    "op",
    summary="Everything about one operation: plan, votes, steps, end.",
    examples=("op op-7k3f", "op 7k3f"),
    group=Group.OPERATIONS,
)
@click.argument("operation", type=OPERATION_ID, help="An operation's id, as its card shows it.")
async def op(call: Call, operation: str) -> Answer:
    """Shows every step of the plan, where the card in the room shows the first ones."""
    found = await call.services.deciding.find(operation)
    return Answer(full_card(found, call.services.view))
