"""Asking for the removal of what launches left behind, once it was seen at two looks: a launch may be at it still."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

import structlog

from slipway.bot.core.errors import CloudError
from slipway.bot.operations.watches import WatchHost
from slipway.bot.subjects.machines.ending.leftovers import leftovers_in
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.watching.sight import Sight

EVERY = timedelta(minutes=15)
"""How often it is looked for."""

_MEMORY = "leases leftovers"

log = structlog.get_logger(__name__)


async def look_for_leftovers(services: MachineServices, sight: Sight, host: WatchHost) -> None:
    """Look, if the last look was long enough ago, and ask for the removal of what was seen then, too."""
    last: dict[str, object] = json.loads(await services.memory.load(_MEMORY) or "{}")
    at = last.get("at")
    if isinstance(at, str) and timedelta() <= sight.now - datetime.fromisoformat(at) < EVERY:
        return
    try:
        found = await leftovers_in(services.clouds, services.leases)
    except CloudError as error:
        log.warning("what launches left behind could not be looked for", why=error.words)
        return
    before = last.get("seen")
    seen = [f"{each.cloud} {each.region} {each.id}" for each in found]
    await services.memory.save(_MEMORY, json.dumps({"at": sight.now.isoformat(), "seen": seen}))
    if await host.frozen("remove-leftovers"):
        return
    if seen and isinstance(before, list) and set(seen) & set(before):
        which = hashlib.sha256(repr((sorted(seen), sight.now.date())).encode()).hexdigest()[:16]
        await host.ask(f"leftovers {which}", "terminate --leftovers", None)
