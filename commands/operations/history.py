"""`!history`: what was done lately."""

from __future__ import annotations

import click

from slipway.bot.chat.model import Card
from slipway.bot.chat.tables import moment, table_of, text
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_time
from slipway.bot.operations.presentation.cards import state_word
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.grammar.values import WholeNumber

MOST = 50

_COLUMNS = {"id": "ID", "asked_at": "Asked at", "requester": "By", "state": "State", "command": "What"}


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
    rows = [
        {
            "id": text(operation.id),
            "kind": text(operation.kind),
            "asked_at": moment(operation.created_at, format_time(operation.created_at, view.zone)),
            "ended_at": moment(operation.ended_at, ""),
            "requester": text(operation.requester, view.name(operation.requester)),
            "state": text(operation.state.value, state_word(operation)),
            "command": text(operation.plan.command),
        }
        for operation in operations
    ]
    table = table_of(_COLUMNS, rows)
    title = "The newest operation" if len(rows) == 1 else f"The newest {len(rows)} operations"
    return CardReply(Card(title=title, tables=(table,)))


PARTS = (history,)
