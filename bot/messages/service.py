"""Everything the bot says goes through here: each message once by its key, edits only when something changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from slipway.bot.chat.model import Card, Chat, KnowsRooms, Platform, Room, SendsUnrecorded
from slipway.bot.core.errors import ChatError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.text import counted
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.messages.delivery import Delivery
from slipway.bot.messages.model import WORKING, Dropped, Lifetime, Message
from slipway.bot.messages.outbox import Outbox
from slipway.bot.store.database import Database

log = structlog.get_logger(__name__)

SLOW_EDIT_SECONDS = 5.0

DROPPED_WITHIN = timedelta(days=1)
"""Of how long :meth:`MessageService.backlog` counts what was dropped."""


SUCCEEDED = "A newer card of this stands below: vote there."
"""What earlier cards of an operation say where it was shown once more. A vote by one of them counts all the same."""


@dataclass(frozen=True)
class Report:
    """What is said when an operation has ended; without a thread, in that of its first card in the room."""

    key: str
    room: Room
    thread: str | None
    card: Card


@dataclass(frozen=True)
class Lost:
    """Messages for one room that nobody will see.

    Attributes:
        key: stands for the room.
        where: the room in words; a direct chat is not named, as nobody else learns who speaks with the bot alone.
        why: what they were dropped for, as a sentence.
        count: how many.
        last: when the newest was dropped.
    """

    key: str
    where: str
    why: str
    count: int
    last: datetime


@dataclass(frozen=True)
class Backlog:
    """What could not be said: how many messages wait, by platform, and how many were dropped lately.

    ``hindrances`` holds a sentence for each room that takes nothing until somebody changes that, ``lost`` what was
    dropped, by room and reason.
    """

    waiting: Mapping[str, int]
    dropped: int
    hindrances: tuple[str, ...] = ()
    lost: tuple[Lost, ...] = ()


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
        fence: Fence = NO_FENCE,
    ) -> None:
        self._clock = clock
        self._chats = chats
        self._outbox = Outbox(database, clock)
        self._delivery = Delivery(self._outbox, chats, clock, sleep, fence)

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

    @property
    def gone_rooms(self) -> Mapping[Room, str]:
        """The rooms that take nothing any more, as far as something was to be said there; with why."""
        return self._delivery.gone

    @property
    def behind_since(self) -> Mapping[Room, datetime]:
        """The rooms in which something waits to be said, and since when, as far as this process knows."""
        return self._delivery.behind_since

    def heard_from(self, room: Room) -> None:
        """Somebody spoke in a room, or its platform told of it: what waits for it is tried now."""
        self._delivery.heard_from(room)

    async def say(
        self,
        room: Room,
        card: Card,
        *,
        key: str,
        thread: str | None = None,
        below: str | None = None,
        operation_id: str | None = None,
        lifetime: Lifetime = Lifetime.ANSWER,
        answers: str | None = None,
    ) -> str | None:
        """Send a card once for its key, or edit the message that was sent with that key before.

        ``answers`` is the platform's id of the message that it answers. In no other thread, it stands in that of the
        message with the key ``below``, which may have to wait itself.

        Returns the platform's message id; None if the platform did not take it yet, or refused it.
        """
        until = self._clock() + (Lifetime.REPORT if operation_id is not None else lifetime).value
        async with self._delivery.holding(room):
            found, root = await self._outbox.find(key), below if thread is None else None
            message = found[0] if found else Message(key, room, until, thread, root, answers=answers)
            if operation_id is not None:  # “Working on it…” becomes the operation's card
                message = replace(message, operation_id=operation_id)
            wanted = message.showing(card, until)
            if (operation_id is not None or card == WORKING) and wanted.message_id is None:
                # Where a card stands must be known before anything follows it, also after a crash; and that something
                # stands there in an answer's place.
                behind = self._delivery.is_behind(room)
                await self._outbox.keep([wanted if behind else wanted.trying(self._clock())])
                (wanted,) = await self._outbox.find(key)
            elif found and wanted == found[0]:
                return wanted.message_id
            (message,) = await self._delivery.bring(room, [wanted])
        return message.message_id

    async def knows(self, key: str) -> bool:
        """Whether something was said with this key, or is to be, that is not forgotten yet."""
        return bool(await self._outbox.find(key))

    async def mention(self, room: Room, card: Card) -> None:
        """Say what is worth saying only now: once, without keeping it.

        Never where something waits already, but for what one person alone is to see in a room that takes nothing: a
        platform may have another way to tell them.
        """
        chat: object = self._chats.get(room.platform)
        waits = self._delivery.is_behind(room)
        hindered = card.private_to is not None and room in self._delivery.hindrances
        if not isinstance(chat, SendsUnrecorded) or (waits and not hindered):
            return
        try:
            await chat.send_unrecorded(room.id, card)
        except ChatError as error:
            log.info("what was worth saying only now was not said", room=room.id, why=str(error))

    async def show(self, operation_id: str, card: Card, origin: str = "") -> None:
        """Edit every card of an operation, in whichever rooms they stand, to show this.

        Side by side: a platform that is slow keeps no other one waiting. ``origin`` is the key of the card that the
        operation was proposed by; of the others in a room, the newest alone can be voted by.
        """
        shown = await self._outbox.of_operation(operation_id)
        rooms = dict.fromkeys(each.room for each in shown)
        await _side_by_side(self._conclude(room, operation_id, _Wanted(card, origin)) for room in rooms)

    async def succeed(self, operation_id: str, room: Room, card: Card, origin: str) -> None:
        """A card of an operation was shown once more in a room: those shown so before say where the newest stands.

        ``card`` is what they would show else; ``origin`` as for :meth:`show`.
        """
        until = self._clock() + Lifetime.REPORT.value
        async with self._delivery.holding(room):
            found = await self._outbox.of_operation(operation_id)
            here = [each for each in found if each.room == room and not _lost(each)]
            wanted = [
                each.showing(_succeeded(card), until) for each in here if each.key in _older(here, origin)
            ]
            changed = [each for each in wanted if each not in here]
            if changed:
                await self._delivery.bring(room, changed)

    async def conclude(self, operation_id: str, card: Card, report: Report | None, origin: str = "") -> None:
        """Edit every card of an operation to show how it ended, and say its report, once for its key.

        Where nothing of the operation stands in the report's room yet, as it ended before its card was said, the card
        comes first, with the key ``origin``: a report stands below a card.
        """
        if report is None:
            await self.show(operation_id, card, origin)
            return
        wanted = _Wanted(card, origin)
        elsewhere: asyncio.Future[tuple[Room, ...]] = asyncio.get_running_loop().create_future()

        async def others() -> None:
            rooms = await elsewhere
            await _side_by_side(self._conclude(room, operation_id, wanted) for room in rooms)

        await _side_by_side([self._conclude(report.room, operation_id, wanted, report, elsewhere), others()])

    async def _conclude(
        self,
        room: Room,
        operation_id: str,
        shown: _Wanted,
        report: Report | None = None,
        elsewhere: asyncio.Future[tuple[Room, ...]] | None = None,
    ) -> None:
        """Bring what stands in one room up to date; ``elsewhere`` hears at once in which others something stands."""
        until = self._clock() + Lifetime.REPORT.value
        async with self._delivery.holding(room):
            keys = () if report is None else (report.key, shown.origin)
            found: tuple[Message, ...] = ()
            try:
                found = await self._outbox.of_operation(operation_id, *keys)
            finally:  # whoever waits for it goes on, too, where this fails
                if elsewhere is not None:
                    elsewhere.set_result(tuple({each.room: None for each in found if each.room != room}))
            here = [each for each in found if each.room == room]
            cards = [each for each in here if each.operation_id == operation_id and not _lost(each)]
            if report is not None and not cards:
                cards = _first(here, operation_id, Message(shown.origin, room, until, report.thread))
            older = _older(cards, shown.origin)
            wanted = [each.showing(shown.card_of(each, older), until) for each in cards]
            if report is not None:
                said = next((each for each in here if each.key == report.key), None)
                if said is None:
                    said = _below(cards, Message(report.key, room, until, report.thread))
                wanted.append(said.showing(report.card, until))
            changed = [each for each in wanted if each not in here]
            if changed:
                await self._delivery.bring(room, changed)

    async def shows_operation(self, key: str, operation_id: str) -> bool:
        """Whether the message with this key stands in its room as a card of this operation."""
        found = await self._outbox.find(key)
        return any(each.operation_id == operation_id and each.message_id is not None for each in found)

    async def said_of(self, operation_id: str, *keys: str) -> tuple[Message, ...]:
        """The cards of an operation, in whichever rooms, and the messages with these keys."""
        return await self._outbox.of_operation(operation_id, *keys)

    async def card_of(self, operation_id: str, room: Room) -> Message | None:
        """The first card of an operation in a room; in the room it was asked for, its thread holds the details."""
        cards = await self._outbox.of_operation(operation_id)
        return next((each for each in cards if each.room == room and not _lost(each)), None)

    async def shows(self, operation_id: str, room: Room, event_key: str) -> bool:
        """Whether a room has a card of an operation that says all there is to say to an event.

        Where something was said to the event itself (that it is being worked on, before a crash), that has to become
        an answer.
        """
        found = await self._outbox.of_operation(operation_id, event_key)
        here = [each for each in found if each.room == room and not _lost(each)]
        return bool(here) and all(each.key != event_key for each in here)

    async def card_at(self, room: Room, message_id: str) -> Message | None:
        """The message of the bot with this id, if it is an operation's card.

        A card can be seen, and pressed, before the platform has said that it was sent; so what is on its way
        into the room is waited for.
        """
        async with self._delivery.holding(room):
            return await self._outbox.card_at(room, message_id)

    async def chosen(self, room: Room, message_id: str, card: Card) -> None:
        """Have this card stand where a message of the bot offered choices, of which one was made; nothing where it is
        not known any more, or shows an operation."""
        async with self._delivery.holding(room):
            found = await self._outbox.at(room, message_id)
        if found is not None and found.operation_id is None:
            await self.say(room, card, key=found.key, thread=found.thread)

    def edit_interval(self, room: Room | None) -> float:
        """Seconds that must lie between two edits of one message in this room; of none, those of a slow one."""
        if room is None:
            return SLOW_EDIT_SECONDS
        chat = self._chats.get(room.platform)
        return chat.edit_interval.total_seconds() if chat else 0.0

    async def backlog(self) -> Backlog:
        """What waits for a platform, and what was dropped within :data:`DROPPED_WITHIN`."""
        waiting, dropped = await self._outbox.backlog(self._clock() - DROPPED_WITHIN)
        lost = tuple(map(self._lost, dropped))
        return Backlog(waiting, sum(each.count for each in lost), self.hindrances(), lost)

    def _lost(self, dropped: Dropped) -> Lost:
        room, why = dropped.room, dropped.why
        key = hashlib.sha256(f"{room.platform} {room.id}".encode()).hexdigest()[:16]
        if not self._is_private(room):
            return Lost(key, f"{room.id} of {room.platform}", why, dropped.count, dropped.last)
        told = "The log says why." if room.id in why else why
        return Lost(key, f"a direct chat of {room.platform}", told, dropped.count, dropped.last)

    def hindrances(self) -> tuple[str, ...]:
        """Why rooms take nothing until somebody changes that, a sentence for each reason.

        Direct chats are counted, and no more: nobody else learns who speaks with the bot alone.
        """
        rooms: dict[tuple[str, Platform], list[str]] = {}
        alone: dict[tuple[str, Platform], int] = {}
        for room, why in self._delivery.hindrances.items():
            if self._is_private(room):
                reason = ("The log says why." if room.id in why else why, room.platform)
                alone[reason] = alone.get(reason, 0) + 1
            else:
                rooms.setdefault((why, room.platform), []).append(room.id)
        named = {reason: counted(ids, "room") for reason, ids in rooms.items()}
        unnamed = {reason: "a direct chat" if n == 1 else f"{n} direct chats" for reason, n in alone.items()}
        return tuple(
            f"What is to be said in {where} of {platform} waits. {why}"
            for (why, platform), where in (*named.items(), *unnamed.items())
        )

    def _is_private(self, room: Room) -> bool:
        chat: object = self._chats.get(room.platform)
        return isinstance(chat, KnowsRooms) and chat.is_private(room.id)


@dataclass(frozen=True)
class _Wanted:
    """What the cards of an operation are to show, and the key of the one that it was proposed by."""

    card: Card
    origin: str

    def card_of(self, message: Message, older: Collection[str]) -> Card:
        """What one of them is to show; ``older`` are the keys of those that a newer one has succeeded."""
        return _succeeded(self.card) if message.key in older else self.card


def _first(here: Sequence[Message], operation_id: str, message: Message) -> list[Message]:
    """The card of an operation that has none yet: this message, or what was said with its key before, such as
    “Working on it…”. None where its key is not known, or its platform refused it."""
    if not message.key:
        return []
    said = next((each for each in here if each.key == message.key), message)
    return [] if _lost(said) else [replace(said, operation_id=operation_id)]


def _older(cards: Sequence[Message], origin: str) -> Collection[str]:
    """The keys of an operation's cards in a room that a newer one has succeeded; the first one of all stays."""
    return {each.key for each in [one for one in cards if one.key != origin][:-1]}


def _succeeded(card: Card) -> Card:
    """A card that a newer one has succeeded. It can be read, and a vote on it counts; one that nobody can decide on
    any more is as the others are."""
    if not card.buttons:
        return card
    return card.model_copy(update={"notes": (SUCCEEDED, *card.notes), "buttons": ()})


def _below(cards: Sequence[Message], message: Message) -> Message:
    """What is said of an operation, in the thread of its card where it was given none. Of several the one that stands
    in the room itself begins a thread: the others stand in those of people who asked for the same."""
    if message.thread is not None or not cards:
        return message
    first = next((each for each in cards if each.thread is None and each.thread_of is None), None)
    if first is not None:
        return replace(message, thread_of=first.key)
    return replace(message, thread=cards[0].thread, thread_of=cards[0].thread_of)


def _lost(card: Message) -> bool:
    """Whether nobody ever saw a card, and nobody will: its platform refused it."""
    return card.message_id is None and bool(card.dropped)


async def _side_by_side(work: Iterable[Awaitable[None]]) -> None:
    """A platform that is slow keeps no other one waiting, and one that fails ends no other."""
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
