"""What subjects look after by themselves, once a minute: :class:`slipway.bot.operations.watches.Watch`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from slipway.bot.chat.model import Card, Chat, Platform, Room
from slipway.bot.core.times import Clock
from slipway.bot.messages.direct import direct_room
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.freezing.gate import FreezeGate
from slipway.bot.operations.freezing.model import Concern
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.registry import SubjectServices
from slipway.bot.operations.watches import Spot, Watch
from slipway.bot.people import People, service_id
from slipway.commands.dispatch.dispatcher import Dispatcher
from slipway.commands.dispatch.events import LineRequest

log = structlog.get_logger(__name__)


class Host:
    """Fulfils :class:`slipway.bot.operations.watches.WatchHost` for one watch."""

    def __init__(
        self,
        name: str,
        *,
        dispatcher: Dispatcher,
        messages: MessageService,
        operations: OperationRepository,
        chats: Mapping[Platform, Chat],
        people: People,
        clock: Clock,
        freezes: FreezeGate,
    ) -> None:
        self._freezes = freezes
        self._name = name
        self._dispatcher = dispatcher
        self._messages = messages
        self._operations = operations
        self._chats = chats
        self._people = people
        self._clock = clock

    async def ask(self, key: str, line: str, spot: Spot | None) -> None:
        """Take the line in as the service's, once for its key; where there is nothing to do, nothing is said."""
        request = LineRequest(
            event_key=f"watch:{self._name}:{key}",
            requester=service_id(self._name),
            text=line,
            room=spot.room if spot else None,
            thread=spot.thread if spot else None,
            at=self._clock(),
            quiet=True,
            decides=False,
        )
        await self._dispatcher.accept_line(request)

    async def frozen(self, kind: str, *, cloud: str = "", name: str = "") -> bool:
        """Whether such a change is frozen now."""
        clouds, names = frozenset(filter(None, (cloud,))), frozenset(filter(None, (name,)))
        concern = Concern(kind, requester=service_id(self._name), clouds=clouds, names=names)
        return await self._freezes.of(concern) is not None

    async def say(self, key: str, card: Card, spot: Spot, *, below: str | None = None) -> None:
        """Say a card, or edit the one that was said with that key before, in the thread of another."""
        await self._messages.say(
            spot.room,
            card,
            key=self._key(key),
            thread=spot.thread,
            below=None if below is None else self._key(below),
            lifetime=Lifetime.REPORT,
        )

    async def edit(self, key: str, card: Card, spot: Spot) -> None:
        """Edit what was said with that key, unless it is forgotten."""
        if await self._messages.knows(self._key(key)):
            await self.say(key, card, spot)

    def _key(self, key: str) -> str:
        return f"watch:{self._name}:{key}"

    async def say_alone(self, key: str, card: Card, person: str) -> bool:
        """As :meth:`say`, to one person alone, who is called; false where nothing lets the bot speak to them so."""
        found = self._people.by_id(person)
        room = await direct_room(self._chats, found) if found is not None else None
        if room is None:
            return False
        called = card.model_copy(update={"mentions": self.mention(person, room)})
        await self.say(f"{key}:{person}", called, Spot(room))
        return True

    async def spot_of(self, operation_id: str) -> Spot | None:
        """The thread of an operation's first card in the room where it was asked for; None where there is none."""
        operation = await self._operations.find(operation_id)
        if operation is None or operation.room is None:
            return None
        card = await self._messages.card_of(operation_id, operation.room)
        thread = operation.thread or (card.thread or card.message_id if card is not None else None)
        return Spot(operation.room, thread)

    def mention(self, person: str, room: Room) -> tuple[str, ...]:
        """The account by which a card in a room calls somebody; none where they have none there."""
        account = self._people.account(person, room.platform)
        return () if account is None else (account,)


class Watches:
    """Looks after everything that subjects declare, each in a task of its own: a slow one keeps no other waiting.

    Args:
        watches: each with the services that it looks with, and its host.
    """

    def __init__(self, watches: Sequence[tuple[Watch[Any], object, Host]]) -> None:
        self._watches = tuple(watches)
        self._looking: dict[str, asyncio.Task[None]] = {}

    @classmethod
    def of(cls, subjects: SubjectServices, **host: Any) -> Watches:
        """All that are declared; ``host`` is what a :class:`Host` is made of beside its name."""
        return cls(
            [
                (watch, subjects.by_subject[subject.name], Host(watch.name, **host))
                for subject in subjects.registry.subjects
                for watch in subject.watches
            ]
        )

    async def sweep(self) -> None:
        """Begin a look of each that is not at it still."""
        for watch, services, host in self._watches:
            if watch.name not in self._looking:
                task = asyncio.create_task(self._look(watch, services, host), name=f"watch {watch.name}")
                self._looking[watch.name] = task

    async def _look(self, watch: Watch[Any], services: object, host: Host) -> None:
        try:
            await watch.look(services, host)
        except Exception:
            # A boundary: whatever is wrong with one, the others are looked after, and the next minute tries again.
            log.exception("something could not be looked after", watch=watch.name)
        finally:
            del self._looking[watch.name]

    async def idle(self) -> None:
        """Wait until no look is under way."""
        while self._looking:
            await asyncio.wait(tuple(self._looking.values()))

    async def close(self) -> None:
        """Break off what is under way: nothing that a look does is lost by that, and the next start looks again."""
        tasks = tuple(self._looking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
