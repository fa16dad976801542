"""`!history`: what was done lately."""

from __future__ import annotations

import click

from slipway.bot.chat.model import Card, Table
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_time
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.grammar.values import WholeNumber

MOST = 50


@command(
    "history",
    summary="The newest operations and how they ended.",
    examples=("history", "history --limit 20"),
)
@click.option("--limit", type=WholeNumber(1, MOST), default=10, help="How many to show.")
async def history(call: CommandContext, limit: int) -> CardReply:
    """Newest first. The audit trail behind it is checked by `slipway audit verify`."""
    operations = await call.services.operations.recent(limit)
    if not operations:
        return CardReply(Card(title="Nothing was ever done here."))
    view = call.services.cards
    rows = tuple(
        (
            operation.id,
            format_time(operation.created_at, view.zone),
            view.name(operation.requester),
            operation.state.value,
            operation.plan.command,
        )
        for operation in operations
    )
    table = Table(columns=("ID", "Asked at", "By", "State", "What"), rows=rows)
    title = "The newest operation" if len(rows) == 1 else f"The newest {len(rows)} operations"
    return CardReply(Card(title=title, tables=(table,)))


PARTS = (history,)
