"""`!help`: what can be typed."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command
from slipway.bot.core.errors import UserError
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.dispatch.manual import help_command, help_overview
from slipway.commands.grammar.values import NAME


@command(
    "help",
    summary="All commands, or one of them with examples.",
    examples=("help", "help launch"),
    access=Access.OPEN,
)
@click.argument("name", type=NAME, metavar="COMMAND", required=False, help="Which one; without, all.")
@click.argument("verb", type=NAME, metavar="", required=False)
async def help_(call: CommandContext, name: str | None, verb: str | None) -> CardReply:
    """Whatever a command says here comes from how it is declared, so it is what the command does."""
    if name is None:
        return CardReply(help_overview(call.registry, call.prefix))
    words = (*name.removeprefix(call.prefix).split(), *filter(None, (verb,)))  # `region retry` in quotes, too
    found = call.registry.find(words)
    if found is not None and (len(words) == 1 or (found.noun and len(words) == 2)):
        return CardReply(help_command(found, call.prefix, call.registry.verbs_of(found)))
    wanted = " ".join(words) if verb else name
    raise UserError(
        f"There is no command {wanted}.", nearest=call.registry.nearest(wanted), given=wanted, hint="help"
    )


PARTS = (help_,)
