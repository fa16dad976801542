"""Tells every room that somebody let something run which nobody else agreed to."""

from __future__ import annotations

import structlog

from slipway.bot.chat.model import Card, Field, Tone
from slipway.bot.chat.named_rooms import NamedRooms
from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.emergency.model import Emergency
from slipway.bot.operations.emergency.store import EmergencyStore
from slipway.bot.people import People

log = structlog.get_logger(__name__)


class EmergencyAlarms:
    """Tells of emergencies, once a room each: right away, and once a minute what a crash left untold.

    Args:
        store: which there are.
        messages: says it.
        people: how those are called who did it.
        rooms: where. One by a name is told once its platform says where the name leads, if that is while a report is
            worth saying.
        prefix: what commands start with.
        clock: the present.
    """

    def __init__(
        self,
        store: EmergencyStore,
        messages: MessageService,
        people: People,
        rooms: NamedRooms,
        prefix: str,
        clock: Clock,
    ) -> None:
        self._store = store
        self._messages = messages
        self._people = people
        self._rooms = rooms
        self._prefix = prefix
        self._clock = clock

    async def tell(self, operation_id: str) -> Json:
        """Tell of the emergency by which an operation was let run; nothing where it was by none."""
        found = await self._store.find(operation_id)
        if found is not None and not found.told:
            await self._tell(found)
        return None

    async def sweep(self) -> None:
        """Tell of all that is untold."""
        for each in await self._store.untold():
            await self._tell(each)

    async def _tell(self, found: Emergency) -> None:
        card = alarm_card(found, self._people.name(found.person), self._prefix)
        for room in self._rooms.known:
            key = f"{found.operation_id}:emergency:{room.platform}:{room.id}"
            await self._messages.say(room, card, key=key, lifetime=Lifetime.REPORT)
        untold = [each.id for each in self._rooms.unknown]
        if untold and self._clock() - found.at < Lifetime.REPORT.value:
            return
        if untold:
            log.error("rooms were not told of an emergency", operation=found.operation_id, rooms=untold)
        await self._store.told(found.operation_id)


def alarm_card(found: Emergency, name: str, prefix: str) -> Card:
    """Who lets what run, and why."""
    return Card(
        tone=Tone.WARNING,
        title=f"Emergency: {name} lets {found.operation_id} run without the approvals that it takes",
        text=f"Why: {found.reason}",
        fields=(Field(label="What", value=f"`{prefix}{found.command}`"),),
        notes=(
            f"Everything: `{prefix}op {found.operation_id}`   Stop it: `{prefix}cancel {found.operation_id}`",
            f"Somebody else has to review it: `{prefix}emergency review {found.operation_id} justified REASON`",
        ),
    )
