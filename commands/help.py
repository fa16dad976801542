"""`!help`: what can be typed."""

from __future__ import annotations

import click

from slipway.bot.errors import Mistake
from slipway.commands.call import Answer, Call
from slipway.commands.grammar import Group, command
from slipway.commands.manual import help_command, help_overview


@command(
    "help",
    summary="All commands, or one of them with examples.",
    examples=("help", "help launch"),
    group=Group.SLIPWAY,
)
@click.argument("name", metavar="COMMAND", required=False, help="Which one; without, all.")
async def help_(call: Call, name: str | None) -> Answer:
    """Whatever a command says here comes from how it is declared, so it is what the command does."""
    if name is None:
        return Answer(help_overview(call.registry, call.prefix))
    spec = call.registry.find(name.removeprefix(call.prefix))
    if spec is None:
        raise Mistake(f"There is no command {name}.", nearest=call.registry.nearest(name), hint="help")
    return Answer(help_command(spec, call.prefix))
