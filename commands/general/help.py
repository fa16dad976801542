"""`!help`: what can be typed."""

from __future__ import annotations

import click

from slipway.bot.core.errors import UserError
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.general.manual import help_command, help_overview
from slipway.commands.grammar.declaration import Group, command


@command(
    "help",
    summary="All commands, or one of them with examples.",
    examples=("help", "help launch"),
    group=Group.SLIPWAY,
)
@click.argument("name", metavar="COMMAND", required=False, help="Which one; without, all.")
async def help_(call: CommandContext, name: str | None) -> CardReply:
    """Whatever a command says here comes from how it is declared, so it is what the command does."""
    if name is None:
        return CardReply(help_overview(call.registry, call.prefix))
    spec = call.registry.find(name.removeprefix(call.prefix))
    if spec is None:
        raise UserError(f"There is no command {name}.", nearest=call.registry.nearest(name), hint="help")
    return CardReply(help_command(spec, call.prefix))
