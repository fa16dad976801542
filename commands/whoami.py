"""`!whoami`: who the bot takes you for."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Field
from slipway.commands.call import Answer, Call
from slipway.commands.grammar import Group, command


@command(
    "whoami",
    summary="Who you are to the bot, and what you may do.",
    examples=("whoami",),
    group=Group.SLIPWAY,
)
async def whoami(call: Call) -> Answer:
    """People are known by the ids of their accounts, as the configuration lists them; never by display name."""
    account = f"{call.heard.room.platform}:{call.heard.speaker}"
    people = call.services.people
    known = people.by_account(call.heard.room.platform, call.heard.speaker)
    if known is None:
        return Answer(
            Card(
                title="I do not know you.",
                text="Whoever runs Slipway can add this identity to a `[[person]]` in slipway.toml.",
                fields=(Field(label="Identity", value=f"`{account}`"),),
            )
        )
    may = [spec.name for spec in call.registry.specs if people.may(known, spec.name, changes=spec.changes)]
    return Answer(
        Card(
            title=f"You are {known.name}.",
            fields=(
                Field(label="Identity", value=f"`{account}`"),
                Field(label="Roles", value=", ".join(known.roles) or "none"),
                Field(label="You may", value=", ".join(may)),
            ),
        )
    )
