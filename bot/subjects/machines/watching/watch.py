"""The watch `leases`: what is done once a minute for machines, in its order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.operations.watches import WatchHost
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.watching.arrivals import Arrivals
from slipway.bot.subjects.machines.watching.endings import Endings
from slipway.bot.subjects.machines.watching.idle import IdleMachines
from slipway.bot.subjects.machines.watching.leftovers import look_for_leftovers
from slipway.bot.subjects.machines.watching.lost_accounts import tell_of_lost_accounts
from slipway.bot.subjects.machines.watching.notices import Notices
from slipway.bot.subjects.machines.watching.records import Records
from slipway.bot.subjects.machines.watching.sight import Teller, look_around

log = structlog.get_logger(__name__)


async def look(services: MachineServices, host: WatchHost) -> None:
    """Look at every account once, bring what is stored and what is there together, tell, and ask for ends."""
    parts: list[Callable[[], Awaitable[None]]] = [partial(tell_of_lost_accounts, services, host)]
    if services.clouds.all(MACHINES):
        sight, teller = await look_around(services), Teller(host)
        parts = [
            Records(services, sight, host, teller).settle,
            Arrivals(services, sight, teller).tell,
            Endings(services, sight, host, teller).ask,
            Notices(services, sight, teller).tell,
            IdleMachines(services, sight, host, teller).look,
            partial(look_for_leftovers, services, sight, host),
            *parts,
        ]
    for work in parts:
        try:
            await work()
        except Exception:
            # A boundary: whatever is wrong with one part, above all machines have to end at their time.
            log.exception("a part of looking after machines failed")
