"""`!instance logs`: what a machine wrote to its console, for its owner alone."""

from __future__ import annotations

import click

from slipway.bot.chat.model import Card, PrivateFile, Tone
from slipway.bot.clouds.ports.machines import ShowsConsole
from slipway.bot.core.commands import Access, command
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.consoles import readable
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.machines.values import INSTANCE_ID, checked_ids


@command(
    "instance logs",
    summary="What your machine wrote to its console, sent to you alone.",
    examples=("instance logs i-0f1e2d3c4b5a69788",),
    access=Access.GUARDED,
    people_only="A console may hold passwords, so it is sent to people alone, and not where a schedule asks.",
)
@click.argument("instance", type=INSTANCE_ID, help="Its id, as `instances` shows it.")
async def logs(call: CommandContext, instance: str) -> CardReply:
    """It may hold passwords: it comes as a file in a direct message, and Slipway keeps nothing of it. Only the owner
    of a machine may ask for it."""
    (instance_id,) = checked_ids(call, logs, (instance,))
    holdings = call.services.get(MachineServices).holdings
    machine = await holdings.own(instance_id, call.person.id)
    account = holdings.at(machine)
    if not isinstance(account, ShowsConsole):
        raise UserError(f"{account.title} does not show what machines write to their consoles.")
    text = readable(await account.console_output(machine.instance_id))
    if not text:
        return CardReply(
            Card(
                tone=Tone.WAITING,
                title=f"{account.title} shows nothing of the console of {machine.instance_id} yet",
                text="That can take some minutes after its start.",
                notes=(f"Look again: `{call.prefix}instance logs {machine.instance_id}`",),
            )
        )
    file = PrivateFile(
        name=f"{machine.instance_id}-console.txt",
        title=f"What {machine.instance_id} wrote to its console. It may hold passwords.",
        text=text,
    )
    from slipway.bot.messages.private_files import (
        send_privately,  # loads the log's libraries, for one command
    )

    await send_privately(
        call.services.chats,
        call.person,
        file,
        asked_on=call.asker.identity.platform,
        key=f"{call.event_key}:console",
    )
    sent = f"The console output of {machine.instance_id} was sent to you alone."
    return CardReply(Card(tone=Tone.DONE, title=sent))


PARTS = (logs,)
