"""Everything the bot says goes through here: each message once by its key, edits only when something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from slipway.bot.chat.model import Card, Chat, Platform, Room
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.messages.delivery import Delivery
from slipway.bot.messages.model import Lifetime, Message
from slipway.bot.messages.outbox import Outbox
from slipway.bot.store.database import Database

SLOW_EDIT_SECONDS = 5.0

DROPPED_WITHIN = timedelta(days=1)
"""Of how long :meth:`MessageService.backlog` counts what was dropped."""


@dataclass(frozen=True)
class Report:
    """What is said when an operation has ended; without a thread, in that of its first card in the room."""

    key: str
    room: Room
    thread: str | None
    card: Card


@dataclass(frozen=True)
class Backlog:
    """What could not be said: how many messages wait, by platform, and how many were dropped lately."""

    waiting: Mapping[str, int]
    dropped: int


class MessageService:
    """Sends and edits cards on every platform, and remembers which message shows what.

    What a platform does not take now is kept, and brought there once it does: across restarts, in order in its room,
    each message as it is to look by then. What the bot does never depends on whether it could say so.
    """

    def __init__(
        self,
        database: Database,
        chats: Mapping[Platform, Chat],
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._chats = chats
        self._outbox = Outbox(database, clock)
        self._delivery = Delivery(self._outbox, chats, clock, sleep)

    async def open(self) -> None:
        """Go on with what a former process left. What is said before that could overtake it."""
        await self._delivery.open()

    async def close(self) -> None:
        """Stop trying; what waits is kept for the next start."""
        await self._delivery.close()

    async def idle(self) -> None:
        """Wait until nothing waits to be said."""
        await self._delivery.idle()

    def answers(self, platform: Platform) -> None:
        """A platform answers again after it did not: what waits for it is tried now."""
        self._delivery.answers(platform)

    async def say(
        self,
        room: Room,
        card: Card,
        *,
        key: str,
        thread: str | None = None,
        operation_id: str | None = None,
        lifetime: Lifetime = Lifetime.ANSWER,
    ) -> str | None:
        """Send a card once for its key, or edit the message that was sent with that key before.

        Returns the platform's message id; None if the platform did not take it yet, or refused it.
        """
        until = self._clock() + (Lifetime.REPORT if operation_id is not None else lifetime).value
        async with self._delivery.holding(room):
            found = await self._outbox.find(key)
            message = found[0] if found else Message(key, room, until, thread)
            if operation_id is not None:  # “Working on it…” becomes the operation's card
                message = replace(message, operation_id=operation_id)
            wanted = message.showing(card, until)
            if operation_id is not None and wanted.message_id is None:
                # Where a card stands must be known before anything follows it, also after a crash.
                await self._outbox.keep([wanted])
                (wanted,) = await self._outbox.find(key)
            elif found and wanted == found[0]:
                return wanted.message_id
            (message,) = await self._delivery.bring(room, [wanted])
        return message.message_id

    async def show(self, operation_id: str, card: Card) -> None:
        """Edit every card of an operation, in whichever rooms they stand, to show this.

        Side by side: a platform that is slow keeps no other one waiting.
        """
        shown = await self._outbox.of_operation(operation_id)
        rooms = dict.fromkeys(each.room for each in shown)
        await _side_by_side(self._conclude(room, operation_id, card, None) for room in rooms)

    async def conclude(self, operation_id: str, card: Card, report: Report | None) -> None:
        """Edit every card of an operation to show how it ended, and say its report, once for its key."""
        if report is None:
            await self.show(operation_id, card)
            return
        elsewhere: asyncio.Future[tuple[Room, ...]] = asyncio.get_running_loop().create_future()

        async def others() -> None:
            rooms = await elsewhere
            await _side_by_side(self._conclude(room, operation_id, card, None) for room in rooms)

        await _side_by_side([self._conclude(report.room, operation_id, card, report, elsewhere), others()])

    async def _conclude(
        self,
        room: Room,
        operation_id: str,
        card: Card,
        report: Report | None,
        elsewhere: asyncio.Future[tuple[Room, ...]] | None = None,
    ) -> None:
        """Bring what stands in one room up to date; ``elsewhere`` hears at once in which others something stands."""
        until = self._clock() + Lifetime.REPORT.value
        async with self._delivery.holding(room):
            keys = () if report is None else (report.key,)
            found: tuple[Message, ...] = ()
            try:
                found = await self._outbox.of_operation(operation_id, *keys)
            finally:  # whoever waits for it goes on, too, where this fails
                if elsewhere is not None:
                    elsewhere.set_result(tuple({each.room: None for each in found if each.room != room}))
            here = [each for each in found if each.room == room]
            cards = [each for each in here if each.operation_id == operation_id and not _lost(each)]
            wanted = [each.showing(card, until) for each in cards]
            if report is not None:
                said = next((each for each in here if each.key == report.key), None)
                if said is None:
                    root = wanted[0].key if wanted and report.thread is None else None
                    said = Message(report.key, room, until, report.thread, root)
                wanted.append(said.showing(report.card, until))
            changed = [each for each in wanted if each not in here]
            if changed:
                await self._delivery.bring(room, changed)

    async def card_of(self, operation_id: str, room: Room) -> Message | None:
        """The first card of an operation in a room; in the room it was asked for, its thread holds the details."""
        cards = await self._outbox.of_operation(operation_id)
        return next((each for each in cards if each.room == room and not _lost(each)), None)

    async def card_at(self, room: Room, message_id: str) -> Message | None:
        """The message of the bot with this id, if it is an operation's card.

        A card can be seen, and pressed, before the platform has said that it was sent; so what is on its way
        into the room is waited for.
        """
        async with self._delivery.holding(room):
            return await self._outbox.card_at(room, message_id)

    def edit_interval(self, room: Room | None) -> float:
        """Seconds that must lie between two edits of one message in this room; of none, those of a slow one."""
        if room is None:
            return SLOW_EDIT_SECONDS
        chat = self._chats.get(room.platform)
        return chat.edit_interval.total_seconds() if chat else 0.0

    async def backlog(self) -> Backlog:
        """What waits for a platform, and what was dropped within :data:`DROPPED_WITHIN`."""
        return Backlog(*await self._outbox.backlog(self._clock() - DROPPED_WITHIN))


def _lost(card: Message) -> bool:
    """Whether nobody ever saw a card, and nobody will: its platform refused it."""
    return card.message_id is None and bool(card.dropped)


async def _side_by_side(work: Iterable[Awaitable[None]]) -> None:
    """A platform that is slow keeps no other one waiting, and one that fails ends no other."""
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
