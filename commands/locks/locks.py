"""`!locks`: which operation works on what, and who waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipway.bot.chat.model import NONE, Card
from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_time
from slipway.bot.operations.locking.model import Claim, lines
from slipway.bot.operations.model import OPEN, Operation
from slipway.commands.dispatch.context import CardReply, CommandContext

MOST_SHOWN = 50
"""Rows; more are counted."""

_COLUMNS = {
    "target": "What",
    "operation": "Operation",
    "requester": "Asked by",
    "since": "Since",
    "waiting": "Waiting behind it",
}


@command(
    "locks",
    summary="Which operation works on what, and which wait for it.",
    examples=("locks",),
    aliases=("lock",),
)
async def locks(call: CommandContext) -> CardReply:
    """One operation at a time works on a definition, a machine or a credential; the others wait in the order in which
    they came. A lock goes with its operation's end: `cancel` stops that."""
    claims = await call.services.locks.all()
    if not claims:
        return CardReply(Card(title="Nothing is locked."))
    found = {each.id: each for each in await call.services.operations.in_states(OPEN)}
    rows = [_row(target, line, found, call) for target, line in lines(claims).items()]
    more = len(rows) - MOST_SHOWN
    notes = (f"{more} more are not shown.",) if more > 0 else ()
    first = next((each for each in claims if each.held), None)
    if first is not None and call.may(line := f"cancel {first.operation_id}"):
        notes = (*notes, f"To stop one before its next step: `{call.prefix}{line}`")
    title = "1 lock" if len(rows) == 1 else f"{len(rows)} locks"
    return CardReply(Card(title=title, tables=(table_of(_COLUMNS, rows[:MOST_SHOWN]),), notes=notes))


def _row(target: str, line: Sequence[Claim], found: Mapping[str, Operation], call: CommandContext) -> Row:
    """One target: who has it, or is to have it next."""
    first, *others = line
    holder = found.get(first.operation_id)
    requester = holder.requester if holder is not None else ""
    view = call.services.cards
    since = "next in line" if first.since is None else format_time(first.since, view.zone)
    waiting = ", ".join(each.operation_id for each in others)
    return {
        "target": text(target),
        "operation": text(first.operation_id),
        "requester": text(requester, view.name(requester) if requester else NONE),
        "since": moment(first.since, since),
        "waiting": text(waiting, waiting or NONE),
    }


PARTS = (locks,)
