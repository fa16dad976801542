"""`!whoami`: who the bot takes you for."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Field
from slipway.bot.core.commands import Access, command
from slipway.bot.people import Person
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
    decides = _decides(call, known)
    for each in call.registry.commands:
        if each.access is Access.DECIDE and not decides:
            continue
        if each.access is Access.OPEN or people.may(known, each.right, changes=each.guarded):
            may.append(each.name)
        elif each.changes and people.may(known, each.right, changes=False):
            see.append(each.name)
    further = call.services.subjects.registry.further_rights
    may += (f"`{right}`" for right in further if people.may(known, right, changes=True))
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


def _decides(call: CommandContext, person: Person) -> bool:
    """Whether there is anything on which their word counts: what they may ask for, or what a role of theirs
    approves. Whoever only looks may type `approve`, and is refused by every operation."""
    services = call.services
    asks = any(
        services.people.may(person, each.right, changes=True)
        for each in call.registry.commands
        if each.access is Access.CHANGE
    )
    return asks or any(policy.roles & set(person.roles) for policy in services.settings.policy.values())


PARTS = (whoami,)
