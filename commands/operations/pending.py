"""`!pending`: what waits for somebody, or runs."""

from __future__ import annotations

from slipway.bot.chat.model import NONE, Card
from slipway.bot.chat.tables import Cell, Row, moment, table_of, text
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_span
from slipway.bot.operations.model import OPEN, Operation, OperationState
from slipway.bot.operations.policy import Missing, approval_status, may_decide
from slipway.bot.operations.presentation.cards import (
    approvals,
    operation_card,
    show_operation,
    silent,
    state_in_words,
)
from slipway.commands.dispatch.context import CardReply, CommandContext

_COLUMNS = {
    "id": "ID",
    "command": "What",
    "requester": "Asked by",
    "approvals_missing": "Waits for",
    "expires_at": "Open for",
}


MOST_SHOWN = 10
"""Buttons that show an operation; more are shown by their ids."""

MOST_FOLLOWING = 5
"""Cards that follow where there are no such buttons: each is a message."""


@command(
    "pending",
    summary="Operations that wait for approval, or run.",
    examples=("pending",),
)
async def pending(call: CommandContext) -> CardReply:
    """Each with what it waits for, how long it stays open, and whether you can approve it.

    Nobody agrees to a line of a list: where several are open, a button shows each that waits, or its card follows,
    with all there is to know for that. Where one is all that is open, all that and its buttons are there at once.
    """
    waiting = await call.services.operations.in_states(OPEN)
    if not waiting:
        return CardReply(Card(title="Nothing waits, and nothing runs."))
    table = table_of(_COLUMNS, [_row(operation, call) for operation in waiting])
    proposed = [each for each in waiting if each.state is OperationState.PROPOSED and not each.plan.unknown]
    mine = [operation for operation in proposed if _decidable(operation, call)]
    title = f"{len(waiting)} open {'operation' if len(waiting) == 1 else 'operations'}"
    if len(waiting) == len(proposed) == 1:  # what has an operation's buttons becomes its end in time
        card = silent(operation_card(proposed[0], call.services.cards))
        whole = card.model_copy(update={"title": title, "tables": (table, *card.tables)})
        return CardReply(whole, about=proposed[0])
    notes = (f"You can approve: `{call.prefix}approve {mine[0].id}`",) if mine else ()
    if proposed:
        notes = (*notes, f"With its buttons: `{call.prefix}op {proposed[0].id}`")
    shortcuts = tuple(show_operation(each) for each in proposed[:MOST_SHOWN])
    card = Card(title=title, tables=(table,), notes=notes, shortcuts=shortcuts)
    return CardReply(card, shown_by=tuple(mine[:MOST_FOLLOWING]))


def _row(operation: Operation, call: CommandContext) -> Row:
    view = call.services.cards
    left = operation.expires_at - call.services.clock()
    proposed, count = operation.state is OperationState.PROPOSED, 0
    if proposed:
        where = approval_status(operation, operation.votes, view.people)
        count = where.count if isinstance(where, Missing) else 0
    return {
        "id": text(operation.id),
        "kind": text(operation.kind),
        "state": text(operation.state.value),
        "command": text(operation.plan.command),
        "requester": text(operation.requester, view.name(operation.requester)),
        "approvals_missing": Cell(approvals(count) if proposed else state_in_words(operation, view), count),
        "expires_at": moment(
            operation.expires_at if proposed else None, format_span(left) if proposed else NONE
        ),
    }


def _decidable(operation: Operation, call: CommandContext) -> bool:
    proposed = operation.state is OperationState.PROPOSED
    able = proposed and may_decide(call.person, operation, call.services.cards.people)
    return able and call.may(f"approve {operation.id}")


PARTS = (pending,)
