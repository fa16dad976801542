"""`!pending`: what waits for somebody, or runs."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Table
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_span
from slipway.bot.operations.cards import operation_buttons
from slipway.bot.operations.model import OPEN, Operation, OperationState
from slipway.bot.operations.policy import Missing, approval_status, may_decide
from slipway.commands.dispatch.context import CardReply, CommandContext


@command(
    "pending",
    summary="Operations that wait for approval, or run.",
    examples=("pending",),
)
async def pending(call: CommandContext) -> CardReply:
    """Each with what it waits for, how long it stays open, and whether you can approve it."""
    waiting = await call.services.operations.in_states(OPEN)
    if not waiting:
        return CardReply(Card(title="Nothing waits, and nothing runs."))
    rows = tuple(_row(operation, call) for operation in waiting)
    mine = [operation.id for operation in waiting if _decidable(operation, call)]
    notes = (f"You can approve: `{call.prefix}approve {mine[0]}`",) if mine else ()
    proposed = [each for each in waiting if each.state is OperationState.PROPOSED and not each.plan.unknown]
    alone = proposed[0] if len(proposed) == 1 else None
    if alone is None and proposed:
        notes = (*notes, f"With its buttons: `{call.prefix}op {proposed[0].id}`")
    table = Table(columns=("ID", "What", "Asked by", "Waits for", "Open for"), rows=rows)
    word = "operation" if len(rows) == 1 else "operations"
    buttons = operation_buttons(alone) if alone is not None else ()
    card = Card(title=f"{len(rows)} open {word}", tables=(table,), notes=notes, buttons=buttons)
    return CardReply(card, about=alone)


def _row(operation: Operation, call: CommandContext) -> tuple[str, ...]:
    view = call.services.cards
    left = operation.expires_at - call.services.clock()
    waits = operation.state.value
    if operation.state is OperationState.PROPOSED:
        where = approval_status(operation, operation.votes, view.people)
        count = where.count if isinstance(where, Missing) else 0
        waits = f"{count} approval{'s' if count != 1 else ''}"
    return (
        operation.id,
        operation.plan.command,
        view.name(operation.requester),
        waits,
        format_span(left) if operation.state is OperationState.PROPOSED else "-",
    )


def _decidable(operation: Operation, call: CommandContext) -> bool:
    proposed = operation.state is OperationState.PROPOSED
    return proposed and may_decide(call.person, operation, call.services.cards.people)


PARTS = (pending,)
