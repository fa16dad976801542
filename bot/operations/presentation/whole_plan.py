"""The whole of a plan that is too long for its card: said once in its thread, and by `!op ID --plan` at any time."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Field
from slipway.bot.operations.model import Operation
from slipway.bot.operations.presentation.plan_words import rest_of
from slipway.bot.operations.presentation.step_tables import plan_table


def plan_key(operation_id: str) -> str:
    """Names the message that says an operation's whole plan: a plan never changes, and so it is said once."""
    return f"{operation_id}:plan"


def whole_plan_card(operation: Operation) -> Card:
    """Every step of a plan with its reason, in the order in which they are done, and what its card says in short.

    Nothing of it changes later, so that it is never edited. A platform without room for all of it in one message
    shows what there is room for, and attaches the whole as a file.
    """
    steps = len(operation.plan.steps)
    return Card(
        title=f"{operation.id} {operation.kind}: the whole plan, {steps} step{'' if steps == 1 else 's'}",
        fields=(Field(label="Plan", value=f"`{operation.digest_prefix}`"),),
        tables=(plan_table(operation.plan), *rest_of(operation.plan)),
    )
