"""Telling people alone, once, that an account from which their SSH keys come was renamed or taken over."""

from __future__ import annotations

from datetime import timedelta

import structlog

from slipway.bot.chat.model import Card, Tone
from slipway.bot.operations.watches import WatchHost
from slipway.bot.subjects.machines.keys.model import LostAccount
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.watching.sight import Offer, offering

GIVEN_UP = timedelta(days=1)
"""How long a person is tried to be reached; the card of each launch says it as well."""

log = structlog.get_logger(__name__)


async def tell_of_lost_accounts(services: MachineServices, host: WatchHost) -> None:
    """Tell of each that nobody was told of; nobody else than its person is told."""
    stored = services.keys.stored
    for lost in await stored.lost_untold():
        key = f"lost account {lost.account} {int(lost.since.timestamp())}"
        if await host.say_alone(key, _card(services, lost), lost.person):
            await stored.told(lost)
        elif lost.since + GIVEN_UP <= services.clock():
            log.warning("nobody could be told of an account", person=lost.person, account=str(lost.account))
            await stored.told(lost)


def _card(services: MachineServices, lost: LostAccount) -> Card:
    card = Card(
        tone=Tone.WARNING,
        title=f"Your SSH keys of {lost.account} are not used any more",
        text=f"{lost.why[:1].upper()}{lost.why[1:]} Whoever has that name by now gets into nothing that you launch. "
        "Machines that run already keep the keys that they were launched with.",
        notes=("Was it you who renamed it? Have whoever runs Slipway write its new name, and add it then.",),
    )
    removal = Offer("sshkey.remove", "Forget its keys", f"sshkey remove {lost.account}", "Forget its keys")
    return offering(services, card, lost.person, removal)
