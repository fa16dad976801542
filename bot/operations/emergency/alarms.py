"""Tells every room that somebody let something run which nobody else agreed to."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.chat.model import Card, Field, Room, Tone
from slipway.bot.core.model import Json
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.emergency.model import Emergency
from slipway.bot.operations.emergency.store import EmergencyStore
from slipway.bot.people import People


class EmergencyAlarms:
    """Tells of emergencies, once a room each: right away, and once a minute what a crash left untold.

    Args:
        store: which there are.
        messages: says it.
        people: how those are called who did it.
        rooms: where.
        prefix: what commands start with.
    """

    def __init__(
        self,
        store: EmergencyStore,
        messages: MessageService,
        people: People,
        rooms: Sequence[Room],
        prefix: str,
    ) -> None:
        self._store = store
        self._messages = messages
        self._people = people
        self._rooms = tuple(rooms)
        self._prefix = prefix

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
        for room in self._rooms:
            key = f"{found.operation_id}:emergency:{room.platform}:{room.id}"
            await self._messages.say(room, card, key=key, lifetime=Lifetime.REPORT)
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
