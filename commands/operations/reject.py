"""`!reject`: refuse a proposed operation."""

from __future__ import annotations

import click

from slipway.bot.chat.model import Choice
from slipway.bot.core.commands import Access, command
from slipway.commands.dispatch.context import CommandContext, OperationUpdate
from slipway.commands.grammar.values import FREE_TEXT, OPERATION_OR_TEXT
from slipway.commands.operations.choosing import choose, said


@command(
    "reject",
    summary="Refuse a proposed operation; one refusal ends it.",
    examples=("reject op-7k3f", "reject op-7k3f the boot test has not run yet"),
    access=Access.DECIDE,
)
@click.argument(
    "operation", type=OPERATION_OR_TEXT, required=False, help="An operation's id, as its card shows it."
)
@click.argument("reason", nargs=-1, type=FREE_TEXT, help="Why; it is shown and kept.")
async def reject(call: CommandContext, operation: str | None, reason: tuple[str, ...]) -> OperationUpdate:
    """Without an ID, the operation is meant whose card you answer, or else the one that waits with its card in
    this room. If you asked for it yourself, it is cancelled."""
    # Here, because it brings the database along, which a look at the commands' names need not load.
    from slipway.bot.operations.decisions import Decision

    chosen = await choose(call, said(operation, *reason), prose=True)
    words = " ".join(chosen.words)
    decision = Decision(
        chosen.operation_id, call.person, Choice.REJECT, call.event_key, reason=words, doubt=call.asker.doubt
    )
    return OperationUpdate((await call.services.approvals.decide(decision)).id)


PARTS = (reject,)
