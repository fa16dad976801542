"""`!digest`: how things stand today, and who has to do something about it."""

from __future__ import annotations

from slipway.bot.core.commands import command
from slipway.bot.reports.periods import last_day
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.reports.making import report_of


@command(
    "digest",
    summary="How things stand today, and what needs a person.",
    examples=("digest",),
)
async def digest(call: CommandContext) -> CardReply:
    """What waits for approval, what is wrong, what failed, machines and their cost, leases and credentials that end,
    holds, regions that are owed. The message says it in a few words, its thread has the rest.

    A schedule says it each day. It calls those who have to act, and with `quiet = true` it says nothing on a day on
    which nothing happened and nobody has to do anything."""
    return await report_of(call, last_day(call.services.clock()))


PARTS = (digest,)
