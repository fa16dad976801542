"""`!whoami`: who the bot takes you for."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Field
from slipway.bot.core.commands import Access, command
from slipway.commands.dispatch.context import CardReply, CommandContext


@command(
    "whoami",
    summary="Who you are to the bot, and what you may do.",
    examples=("whoami",),
    access=Access.OPEN,
)
async def whoami(call: CommandContext) -> CardReply:
    """People are known by the ids of their accounts, as the configuration lists them; never by display name."""
    identity, people = call.asker.identity, call.services.people
    known = people.by_account(identity.platform, identity.account)
    if known is None:
        return CardReply(
            Card(
                title="I do not know you.",
                text="Whoever runs Slipway can add this identity to a `[[person]]` in slipway.toml.",
                fields=(Field(label="Identity", value=f"`{identity}`"),),
            )
        )
    may = [
        command.name
        for command in call.registry.commands
        if command.access is Access.OPEN or people.may(known, command.right, changes=command.changes)
    ]
    return CardReply(
        Card(
            title=f"You are {known.name}.",
            fields=(
                Field(label="Identity", value=f"`{identity}`"),
                Field(label="Roles", value=", ".join(known.roles) or "none"),
                Field(label="You may", value=", ".join(may)),
            ),
        )
    )


PARTS = (whoami,)
