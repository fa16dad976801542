"""Telling owners that the end of their machines is near, and editing that once it is no longer so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slipway.bot.chat.model import Card, Consequence, Tone
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.leases.repository import Notes
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

_MORE = timedelta(hours=1)
_PREFIX = "ends"


@dataclass(frozen=True)
class Notice:
    """One message about the end of some machines.

    Attributes:
        group: the launch or the machine that it is about.
        label: how long before, such as ``30m``.
        owner: whom it was told.
        at: the end that it tells of, in seconds since 1970.
    """

    group: str
    label: str
    owner: str
    at: int

    @property
    def key(self) -> str:
        """Names the message."""
        return f"ends {self.group} {self.label} {self.owner} {self.at}"

    @property
    def entry(self) -> str:
        """Names it among what a machine's owner was told."""
        return f"{_PREFIX} {self.label} {self.owner}"

    @property
    def moment(self) -> str:
        """The end that it tells of, in words."""
        return f"{datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M} UTC"

    def holds(self, machine: Machine) -> bool:
        """Whether it is still so of a machine."""
        return machine.living and machine.owner == self.owner and _end(machine) == self.at


class Notices:
    """All that is told of near ends in one pass."""

    def __init__(self, services: MachineServices, sight: Sight, teller: Teller) -> None:
        self._services = services
        self._sight = sight
        self._teller = teller

    async def tell(self) -> None:
        """Say what is new, and edit what is not so any more."""
        living = await self._services.leases.living()
        gone = await self._services.leases.gone_since(self._sight.now - REMEMBERED)
        about: dict[Notice, list[Machine]] = defaultdict(list)
        fresh: set[Notice] = set()
        for machine in (*living, *gone):
            for notice in _told(machine):
                about[notice].append(machine)
            new = self._due(machine) if machine.living else None
            if new is not None and machine.told.get(new.entry) != new.at:
                about[new].append(machine)
                fresh.add(new)
        for notice, machines in about.items():
            outdated = [each for each in machines if not notice.holds(each)]
            if notice in fresh or outdated:
                await self._say(notice, machines, outdated)

    def _due(self, machine: Machine) -> Notice | None:
        """The notice that it is time for: the shortest, where several are. Nobody waits for the end of what a step
        made for itself."""
        if machine.of_step:
            return None
        left = _ends_at(machine) - self._sight.now
        whole = _ends_at(machine) - machine.launched_at  # who asks for 20 minutes is not warned 30 before
        short = timedelta() < whole <= max(self._services.rules.warn, default=timedelta())
        due = [each for each in self._services.rules.warn if left <= each and not (short and each >= whole)]
        if not due or left <= timedelta():
            return None
        return Notice(group_of(machine), format_duration(min(due)), machine.owner, _end(machine))

    async def _say(self, notice: Notice, machines: Sequence[Machine], outdated: Sequence[Machine]) -> None:
        current = [each for each in machines if each not in outdated]
        card = self._card(notice, current) if current else _no_longer(notice, outdated)
        await self._teller.tell(notice.key, card, notice.owner, machines[0].reservation_id)
        noted: list[tuple[Machine, Notes]] = []
        for machine in machines:
            told = {entry: at for entry, at in machine.told.items() if entry != notice.entry}
            if machine in current:
                told[notice.entry] = notice.at
            if told != machine.told:
                noted.append((machine, {"told": told}))
        await self._services.leases.note_each(noted)

    def _card(self, notice: Notice, machines: Sequence[Machine]) -> Card:
        ids, one = names(machines), len(machines) == 1
        room = min(each.cap_ends_at - each.lease_ends_at for each in machines) // timedelta(minutes=1)
        more = format_duration(min(_MORE, timedelta(minutes=room)))
        card = Card(
            tone=Tone.WARNING,
            title=f"{ids if one else f'{len(machines)} machines'} {'ends' if one else 'end'} at {notice.moment}",
            text=f"{ids}: terminated then, with all that is on {'it' if one else 'them'}."
            + ("" if room else " The whole life is over then, so nothing extends it."),
        )
        longer = f"Let {'it' if one else 'them'} live longer"
        offers = (
            Offer("extend", longer, f"extend {ids} --for {more}", f"Extend {more}"),
            Offer("terminate", "End now", f"terminate {ids}", "Terminate", Consequence.ENDING),
            Offer("handover", "Give to somebody else", f"handover {ids}", "Hand over"),
        )
        return offering(self._services, card, notice.owner, *offers[0 if room else 1 :])


def _no_longer(notice: Notice, machines: Sequence[Machine]) -> Card:
    each = [f"{machine.instance_id}: {_now(notice, machine)}" for machine in machines]
    if len(each) == 1:
        return Card(tone=Tone.DONE, title=each[0])
    return Card(
        tone=Tone.DONE, title=f"{len(each)} machines: {_now(notice, machines[0])}", text="\n".join(each)
    )


def _now(notice: Notice, machine: Machine) -> str:
    if not machine.living:
        return "ended"
    if machine.owner != notice.owner:
        return f"{machine.owner}'s now"
    return f"until {_ends_at(machine):%Y-%m-%d %H:%M} UTC now"


def _told(machine: Machine) -> list[Notice]:
    """What its owners were told of its end."""
    found = []
    for entry, at in machine.told.items():
        prefix, _, rest = entry.partition(" ")
        if prefix == _PREFIX:
            label, _, owner = rest.partition(" ")
            found.append(Notice(group_of(machine), label, owner, at))
    return found


def _ends_at(machine: Machine) -> datetime:
    return min(machine.lease_ends_at, machine.cap_ends_at)


def _end(machine: Machine) -> int:
    return int(_ends_at(machine).timestamp())
