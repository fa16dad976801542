"""`!whoami`: who the bot takes you for."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Field
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.grammar.declaration import Group, command


@command(
    "whoami",
    summary="Who you are to the bot, and what you may do.",
    examples=("whoami",),
    group=Group.SLIPWAY,
)
async def whoami(call: CommandContext) -> CardReply:
    """People are known by the ids of their accounts, as the configuration lists them; never by display name."""
    account = f"{call.heard.room.platform}:{call.heard.speaker}"
    people = call.services.people
    known = people.by_account(call.heard.room.platform, call.heard.speaker)
    if known is None:
        return CardReply(
            Card(
                title="I do not know you.",
                text="Whoever runs Slipway can add this identity to a `[[person]]` in slipway.toml.",
                fields=(Field(label="Identity", value=f"`{account}`"),),
            )
        )
    may = [spec.name for spec in call.registry.specs if people.may(known, spec.name, changes=spec.changes)]
    return CardReply(
        Card(
            title=f"You are {known.name}.",
            fields=(
                Field(label="Identity", value=f"`{account}`"),
                Field(label="Roles", value=", ".join(known.roles) or "none"),
                Field(label="You may", value=", ".join(may)),
            ),
        )
    )
