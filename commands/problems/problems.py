"""`!problems`: what is wrong and needs a person."""

from __future__ import annotations

import click

from slipway.bot.core.commands import command
from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest
from slipway.bot.problems.cards import entry_card, list_card
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.problems.values import PROBLEM_ID


@command(
    "problems",
    summary="What is wrong and needs a person, until it is seen to be over.",
    examples=("problems", "problems pb-7k3f"),
    aliases=("problem",),
)
@click.argument("problem", type=PROBLEM_ID, required=False, help="One of them, by its id; without, all.")
async def problems(call: CommandContext, problem: str | None) -> CardReply:
    """Each is looked at again and again: it leaves the list when what found it sees that it is over, and not because
    somebody says so."""
    services = call.services
    entries = await services.problems.open_problems()
    now, view = services.clock(), services.problem_view
    if problem is None:
        return CardReply(list_card(entries, view, now, call.may), nothing_to_do=not entries)
    found = await services.problems.find(problem)
    if found is None:
        near = nearest(problem, [each.id for each in entries])
        raise UserError(f"There is no problem {problem}.", nearest=near, given=problem, hint="problems")
    return CardReply(entry_card(found, view, now, call.may))


PARTS = (problems,)
