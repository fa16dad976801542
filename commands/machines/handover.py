"""`!handover`: give machines to another person."""

from __future__ import annotations

import shlex

import click

from slipway.bot.chat.model import Card, Consequence, Shortcut
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.leases.care import CARE, OwnersAction, may_look_after
from slipway.bot.subjects.machines.leases.requests import Handover
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.dispatch.context import CardReply, ChangeRequest, CommandContext
from slipway.commands.grammar.values import NAME
from slipway.commands.machines.values import INSTANCE_ID, checked_ids

_OFFERED = 5  # persons with a button; others are named by typing


@command(
    "handover",
    summary="Give your machines to another person.",
    examples=("handover i-0f1e2d3c4b5a69788 --to bob",),
    access=Access.CHANGE,
)
@click.argument("instances", nargs=-1, type=INSTANCE_ID, help="Ids of machines, as `instances` shows them.")
@click.option("--to", type=NAME, help="Whose they become: a person's id or name.")
@dry_run
async def handover(
    call: CommandContext, instances: tuple[str, ...], to: str | None, dry_run: bool
) -> ChangeRequest | CardReply:
    """Their leases stay as they are, and count for the new owner from then on. Without `--to`, you are asked who."""
    ids = checked_ids(call, handover, instances)
    if not ids:
        raise UserError("Say which machine to hand over.", hint="instances")
    if to is None:  # nobody chooses a person for what would be refused
        holdings = call.services.get(MachineServices).holdings
        await holdings.named(ids, call.person.id, OwnersAction.HAND_OVER)
        return CardReply(_who(call, ids))
    return ChangeRequest(Handover(instance_ids=ids, to=to, requester=call.person.id), dry_run)


def _who(call: CommandContext, ids: tuple[str, ...]) -> Card:
    people = call.services.people
    others = [each for each in people.persons if each.id != call.person.id and may_look_after(people, each)]
    if not others:
        rights = " and ".join(f"`{right}`" for right in CARE)
        raise UserError(
            f"Nobody else here could look after a machine: that takes the rights {rights}, which whoever runs "
            "Slipway can give."
        )
    lines = {person.name: shlex.join(("handover", *ids, "--to", person.id)) for person in others[:_OFFERED]}
    words = shlex.join(("handover", *ids, "--to"))
    return Card(
        title="To whom?",
        text=f"Say who gets {' and '.join(ids)}: `{call.prefix}{words} PERSON`.",
        notes=(f"Those who may look after machines: {', '.join(person.id for person in others)}",),
        shortcuts=tuple(
            Shortcut(label=f"To {name}", command=line, consequence=Consequence.CHOICE)
            for name, line in lines.items()
        ),
    )


PARTS = (handover,)
