"""`!op ID`: everything about one operation."""

from __future__ import annotations

import click

from slipway.bot.core.commands import command
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.presentation.cards import full_card
from slipway.bot.operations.presentation.whole_plan import whole_plan_card
from slipway.bot.operations.presentation.why import why_card
from slipway.bot.subjects.emergencies.services import EmergencyServices
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.grammar.values import OPERATION_ID


@command(
    "op",
    summary="Everything about one operation: plan, votes, steps, end.",
    examples=("op op-7k3f", "op 7k3f --plan", "op 7k3f --why"),
)
@click.argument("operation", type=OPERATION_ID, help="An operation's id, as its card shows it.")
@click.option("--plan", is_flag=True, help="Its plan alone: every step, and why it is done.")
@click.option("--why", is_flag=True, help="Why it asks for whom it asks, and whose word counted.")
async def op(call: CommandContext, operation: str, plan: bool, why: bool) -> CardReply:
    """Shows every step of the plan, where the card in the room shows the first ones.

    While it waits, it can be approved and rejected here, too.
    """
    found = await call.services.approvals.find(operation)
    if plan:
        return CardReply(whole_plan_card(found))
    if why:
        withdrawn = await call.services.operations.withdrawn_votes(found.id)
        emergency = None
        if found.plan.policy.emergency:
            emergency = await call.services.get(EmergencyServices).store.find(found.id)
        return CardReply(why_card(found, withdrawn, call.services.cards, emergency))
    waits = found.state is OperationState.PROPOSED
    return CardReply(full_card(found, call.services.cards), about=found if waits else None)


PARTS = (op,)
