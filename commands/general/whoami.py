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
    """People are known by the ids of their accounts, as the configuration lists them; never by display name. What
    changes something can be looked at with `--dry-run` by whoever may read."""
    identity, people = call.asker.identity, call.services.people
    known = people.by_account(identity.platform, identity.account)
    if known is None:
        return CardReply(
            Card(
                title="I do not know you.",
                text=people.introduction(identity),
                fields=(Field(label="Identity", value=f"`{identity}`"),),
            )
        )
    may, see = [], []
    for each in call.registry.commands:
        if each.access is Access.OPEN or people.may(known, each.right, changes=each.guarded):
            may.append(each.name)
        elif each.changes and people.may(known, each.right, changes=False):
            see.append(each.name)
    return CardReply(
        Card(
            title=f"You are {known.name}.",
            fields=(
                Field(label="Identity", value=f"`{identity}`"),
                Field(label="Roles", value=", ".join(known.roles) or "none"),
                Field(label="You may", value=", ".join(may)),
                *([Field(label="With --dry-run alone", value=", ".join(see))] if see else ()),
            ),
        )
    )


PARTS = (whoami,)
