"""Operations whose room takes no message any more: it was archived or replaced, or the bot was put out of it.

A room is known to be gone where a message was refused for that, or where its platform says so, which is asked: at the
start, when the platform answers again after it did not, and when it tells of something that happened to the room.
Nobody concludes it from silence.

Whoever asked, and those who can decide, are told by direct message, each once: with the operation's card, which is
kept up to date and pressed there like any other, and at its end with the report. What was to be said in the room
waits for it. Those who can decide about what was asked for in a direct chat, which nobody else reads, get its card in
the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import structlog

from slipway.bot.chat.model import Card, Chat, KnowsRooms, Platform, Room
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock
from slipway.bot.messages.direct import direct_room
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.calls import concerned, who_is_called
from slipway.bot.operations.model import OPEN, Operation, OperationState
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.policy import deciders
from slipway.bot.operations.presentation.cards import CardContext, operation_card, report_card
from slipway.bot.people import Person

TOLD_WITHIN = timedelta(days=7)
"""How long after its end whoever asked for an operation is told of it in this way."""

log = structlog.get_logger(__name__)


class GoneRooms:
    """Knows which rooms are gone, and tells people of operations that these rooms do not."""

    def __init__(
        self,
        *,
        operations: OperationRepository,
        messages: MessageService,
        chats: Mapping[Platform, Chat],
        cards: CardContext,
        clock: Clock,
    ) -> None:
        self._operations = operations
        self._messages = messages
        self._chats = chats
        self._cards = cards
        self._clock = clock
        self._gone: dict[Room, str] = {}  # as their platforms say, and why
        self._to_ask_about: set[Room] = set()
        self._to_ask: set[Platform] = set(chats)  # about all rooms in which an operation is open

    def ask(self, room: Room) -> None:
        """A platform told of something by which a room may be gone, or back: soon it is asked which."""
        self._to_ask_about.add(room)
        self._messages.heard_from(room)

    def ask_all(self, platform: Platform) -> None:
        """A platform may have told of rooms while nobody listened: soon it is asked about all that matter."""
        self._to_ask.add(platform)

    async def sweep(self) -> None:
        """Ask what has to be asked, and tell whoever has to know, once."""
        await self._ask()
        await self._tell_of_direct_chats()
        gone = {**dict.fromkeys(self._messages.gone_rooms, ""), **self._gone}
        if not gone:
            return
        since = self._clock() - TOLD_WITHIN
        for operation in await self._operations.told_in(tuple(gone), OPEN, since):
            with _next_minute_again(operation):
                await self._tell(operation, gone)

    async def _tell_of_direct_chats(self) -> None:
        """Call upon those who can decide about what nobody else reads of, each once."""
        waiting = (OperationState.PROPOSED,)
        direct = [each for each in await self._operations.rooms_of(waiting) if await self._is_direct(each)]
        for operation in await self._operations.told_in(direct, waiting, self._clock()) if direct else ():
            with _next_minute_again(operation):
                await self._call(operation)

    async def _is_direct(self, room: Room) -> bool:
        chat: object = self._chats.get(room.platform)
        return isinstance(chat, KnowsRooms) and await chat.is_direct(room.id)

    async def _call(self, operation: Operation) -> None:
        if operation.room is None or operation.state is not OperationState.PROPOSED:
            return
        people = self._cards.people
        asked = people.name(operation.requester)
        note = (
            f"{asked} asked for this in a direct chat with me, which nobody else reads, so I tell you here."
        )
        for person in who_is_called(operation, people, self._cards.mentions):
            key = _key(operation, person)
            if not any(each.key == key for each in await self._messages.said_of(operation.id, key)):
                await self._say_card(operation, person, note)

    async def _ask(self) -> None:
        if not self._to_ask_about and not self._to_ask:
            return
        found = {*await self._operations.rooms_of(OPEN), *self._gone}
        rooms, self._to_ask_about = self._to_ask_about, set()
        platforms, self._to_ask = self._to_ask, set()
        for room in found:
            if room in rooms or room.platform in platforms:
                await self._ask_about(room)

    async def _ask_about(self, room: Room) -> None:
        chat: object = self._chats.get(room.platform)
        if not isinstance(chat, KnowsRooms):
            return
        try:
            why = await chat.why_gone(room.id)
        except ChatError as error:
            if error.passing:  # at the start, it may not be connected yet
                log.info("it is not known yet whether a room is gone", room=room.id, why=str(error))
                self._to_ask_about.add(room)
            else:
                log.warning("it is not known whether a room is gone", room=room.id, why=str(error))
            return
        if why is None:
            if self._gone.pop(room, None) is not None:
                log.info("a room is back", platform=room.platform, room=room.id)
                self._messages.heard_from(room)
        elif self._gone.get(room) != why:
            self._gone[room] = why
            log.warning("a room is gone", platform=room.platform, room=room.id, why=why)

    async def _tell(self, operation: Operation, gone: Mapping[Room, str]) -> None:
        assert operation.room is not None  # noqa: S101 - for the type checker; it was looked up by its room
        people = self._cards.people
        asked = people.by_id(operation.requester)
        told = [asked] if asked is not None and asked.human else []
        told += concerned(operation, people)
        if operation.state is OperationState.PROPOSED:
            told += [each for each in deciders(operation, people) if each is not asked]
        for person in told:
            key = _key(operation, person)
            if operation.state.ended and not await self._owed(operation, key):
                continue
            note = self._note(operation.room, gone[operation.room])
            room = await self._say_card(operation, person, note)
            if room is not None and operation.state.ended:
                account = person.account_on(room.platform)
                report = _with_note(report_card(operation, self._cards, (account,) if account else ()), note)
                await self._messages.say(room, report, key=f"{key}:report", lifetime=Lifetime.REPORT)

    def _note(self, room: Room, why: str) -> str:
        chat: object = self._chats.get(room.platform)
        if isinstance(chat, KnowsRooms) and chat.is_private(room.id):
            return "The direct chat of this takes no messages of mine any more, so I tell you here."
        if why:
            return f"{why} So I tell you here."
        return f"The room {room.id} of this takes no messages of mine any more, so I tell you here."

    async def _say_card(self, operation: Operation, person: Person, note: str) -> Room | None:
        """Show somebody an operation's card alone, calling them; where that was, None where it cannot be."""
        assert operation.room is not None  # noqa: S101 - for the type checker; it was looked up by its room
        room = await direct_room(self._chats, person, operation.room.platform)
        if room is None:
            return None
        account = person.account_on(room.platform)
        card = _with_note(operation_card(operation, self._cards), note)
        card = card.model_copy(update={"mentions": (account,) if account else ()})
        key = _key(operation, person)
        await self._messages.say(room, card, key=key, operation_id=operation.id, lifetime=Lifetime.REPORT)
        return room

    async def _owed(self, operation: Operation, key: str) -> bool:
        """Whether somebody has to be told of an end: they were told before, or the room has yet to show it."""
        said = await self._messages.said_of(operation.id, key, f"{operation.id}:report")
        return any(each.key == key or (each.waits and each.room == operation.room) for each in said)


def _key(operation: Operation, person: Person) -> str:
    return f"{operation.id}:gone:{person.id}"


@contextmanager
def _next_minute_again(operation: Operation) -> Iterator[None]:
    """A boundary: whatever is wrong with one operation, the others are told of, and the next minute tries again."""
    try:
        yield
    except Exception:
        log.exception("people could not be told of an operation", operation=operation.id)


def _with_note(card: Card, note: str) -> Card:
    return card.model_copy(update={"notes": (note, *card.notes)})
