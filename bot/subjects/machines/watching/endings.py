"""Asking for the end of machines whose time is up until they are gone, and an alarm where that fails."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog

from slipway.bot.chat.model import Card, Tone
from slipway.bot.operations.watches import WatchHost
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.watching.sight import (
    REMEMBERED,
    Offer,
    Sight,
    Teller,
    group_of,
    names,
    offering,
)

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""How long after each attempt the next one is; the last and longest of these for all that follow."""

ALARM = "alarm"


log = structlog.get_logger(__name__)


class Endings:
    """All that is asked for in one pass."""

    def __init__(self, services: MachineServices, sight: Sight, host: WatchHost, teller: Teller) -> None:
        self._services = services
        self._sight = sight
        self._host = host
        self._teller = teller

    async def ask(self) -> None:
        """Ask for one end a launch, also where an account could not be listed: it may be another of its regions that
        cannot be read. What is not there any more is left to the records."""
        groups: dict[str, list[Machine]] = defaultdict(list)
        for machine in await self._services.leases.due(self._sight.now, PAUSES[-1]):
            if not self._sight.missing(machine):  # gone, or not ours any more
                groups[group_of(machine)].append(machine)
        for group, machines in groups.items():
            await self._end(group, machines)
        await self._take_alarms_back()

    async def _end(self, group: str, machines: Sequence[Machine]) -> None:
        attempts = max(each.attempts for each in machines)
        late = attempts >= self._services.rules.attempts
        seen = all(self._sight.of(each) is not None for each in machines)
        if late:
            await self._alarm(group, machines)
        which = hashlib.sha256(repr([(each.place, each.revision) for each in machines]).encode())
        key = f"expire {group} {which.hexdigest()[:16]} {attempts}"
        reservation = machines[0].reservation_id
        told = (
            reservation is not None and seen and not late
        )  # that a cloud cannot be read is not told each minute
        spot = await self._host.spot_of(reservation) if reservation is not None and told else None
        await self._host.ask(key, f"terminate {names(machines)} --overdue", spot)
        pause = PAUSES[min(attempts, len(PAUSES) - 1)]
        for machine in machines:
            await self._services.leases.note(
                machine, attempts=attempts + 1, next_attempt_at=self._sight.now + pause
            )

    async def _alarm(self, group: str, machines: Sequence[Machine]) -> None:
        """Tell once that they do not end."""
        untold = [each for each in machines if ALARM not in each.told]
        if not untold:
            return
        ids, tries = names(untold), self._services.rules.attempts
        log.error("machines do not end at their time", machines=ids, attempts=tries)
        card = Card(
            tone=Tone.FAILED,
            title=f"{ids if len(untold) == 1 else f'{len(untold)} machines'} could not be ended",
            text=f"{ids}: the time was up at {min(each.lease_ends_at for each in untold):%Y-%m-%d %H:%M} UTC, and "
            f"{tries} tries to end {'it' if len(untold) == 1 else 'them'} failed, so the cost goes on. Slipway tries "
            "again each hour without saying so.",
            notes=("Whose move: whoever runs Slipway.",),
        )
        now = Offer("terminate", "Try at once, and see why", f"terminate {ids}")
        number = int(self._sight.now.timestamp())
        key = f"alarm {group} {number}"
        await self._teller.tell(
            key,
            offering(self._services, card, untold[0].owner, now),
            untold[0].owner,
            untold[0].reservation_id,
        )
        for machine in untold:
            await self._services.leases.note(machine, told={**machine.told, ALARM: number})

    async def _take_alarms_back(self) -> None:
        """Say of machines whose end failed so often that they are gone after all, once all of one alarm are."""
        leases = self._services.leases
        still = {(group_of(each), each.told.get(ALARM)) for each in await leases.living()}
        alarms: dict[tuple[str, int], list[Machine]] = defaultdict(list)
        for machine in await leases.gone_since(self._sight.now - REMEMBERED):
            about = (group_of(machine), machine.told.get(ALARM, 0))
            if ALARM in machine.told and about not in still:
                alarms[about].append(machine)
        for (group, number), machines in alarms.items():
            card = Card(tone=Tone.DONE, title=f"{names(machines)}: ended after all")
            first = machines[0]
            await self._teller.tell(f"alarm {group} {number}", card, first.owner, first.reservation_id)
            for machine in machines:
                told = {entry: at for entry, at in machine.told.items() if entry != ALARM}
                await leases.note(machine, told=told)
