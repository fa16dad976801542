"""Asking for the end of machines whose time is up until they are gone, and an alarm where that fails."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
_ALARM_BYTES = 6  # of what tells one alarm from another

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
        due = await self._services.leases.due(self._sight.now, PAUSES[-1])
        for machine in due:
            if not self._sight.missing(machine):  # gone, or not ours any more
                groups[group_of(machine)].append(machine)
        for group, machines in groups.items():
            await self._end(group, machines, "--overdue")
        for machine in await self._left():
            if machine not in due and not self._sight.missing(machine):
                await self._end(group_of(machine), [machine])
        await self._take_alarms_back()

    async def _left(self) -> list[Machine]:
        """Machines that steps made for themselves, and whose operation has ended without ending them."""
        left = []
        for machine in await self._services.leases.living():
            if not machine.of_step or (machine.next_attempt_at or self._sight.now) > self._sight.now:
                continue
            operation = await self._services.operations.find(machine.operation_id or "")
            if operation is None or operation.state.ended:
                left.append(machine)
        return left

    async def _end(self, group: str, machines: Sequence[Machine], *options: str) -> None:
        first, kind = machines[0], "expire" if options else "terminate"
        if await self._host.frozen(kind, cloud=first.cloud, name=first.instance_id):
            return  # they go on, and no try is counted
        attempts = max(each.attempts for each in machines)
        late = attempts >= self._services.rules.attempts
        seen = all(self._sight.of(each) is not None for each in machines)
        if late:
            await self._alarm(group, machines)
        which = hashlib.sha256(repr([(each.place, each.revision) for each in machines]).encode())
        key = f"expire {group} {which.hexdigest()[:16]} {attempts}"
        launch = machines[0].operation_id
        told = launch is not None and seen and not late  # that a cloud cannot be read is not told each minute
        spot = await self._host.spot_of(launch) if launch is not None and told else None
        await self._host.ask(key, " ".join(("terminate", names(machines), *options)), spot)
        pause = PAUSES[min(attempts, len(PAUSES) - 1)]
        next_at = self._sight.now + pause
        await self._services.leases.note_each(
            [(each, {"attempts": attempts + 1, "next_attempt_at": next_at}) for each in machines]
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
            text=f"{ids}: {self._why(untold)}, and {tries} tries to end {'it' if len(untold) == 1 else 'them'} "
            "failed, so the cost goes on. Slipway tries again each hour without saying so.",
            notes=("Whose move: whoever runs Slipway.",),
        )
        now = Offer("terminate", "Try at once, and see why", f"terminate {ids}")
        # Of the same machines it is the same one: broken off before it is noted, it is told once all the same.
        which = hashlib.sha256(repr(sorted((each.place, each.revision) for each in untold)).encode())
        number = int.from_bytes(which.digest()[:_ALARM_BYTES], "big")
        key = f"alarm {group} {number}"
        await self._teller.tell(
            key,
            offering(self._services, card, untold[0].owner, now),
            untold[0].owner,
            untold[0].reservation_id,
        )
        await self._services.leases.note_each(
            [(each, {"told": {**each.told, ALARM: number}}) for each in untold]
        )

    def _why(self, machines: Sequence[Machine]) -> str:
        """Why these are to end."""
        until = min(each.lease_ends_at for each in machines)
        if until > self._sight.now:
            return "what made it for itself has ended"
        return f"the time was up at {until:%Y-%m-%d %H:%M} UTC"

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
            await leases.note_each([(each, {"told": _without_alarm(each)}) for each in machines])


def _without_alarm(machine: Machine) -> Mapping[str, int]:
    """What else was told of a machine."""
    return {entry: at for entry, at in machine.told.items() if entry != ALARM}
