"""Bringing messages to their platforms: at once where it can be, else later, in the order in which they were said.

A room is *behind* while something in it waits: then whatever else is said there waits, too, and one task tries again
and again, ever later, until all is shown or given up. That task is the only one that ends a room's being behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from slipway.bot.chat.model import AnswersElsewhere, Chat, DatesEdits, Platform, Room
from slipway.bot.core.errors import ChatError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.model import digest
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Backoff, Sleep, first_of
from slipway.bot.messages.model import WORKING, Message
from slipway.bot.messages.outbox import Outbox

FIRST_PAUSE_SECONDS = 1.0

LONGEST_PAUSE_SECONDS = 60.0
"""How long the pause between two tries gets by itself."""

LONGEST_ASKED_SECONDS = 900.0
"""The longest that a platform may ask to wait before the next try."""

GONE_PAUSE_SECONDS = 300.0
"""Seconds between two tries in a room that is gone, unless somebody speaks there again."""

CLOSE_SECONDS = 10.0
"""How long a message that is on its way when the bot stops gets to end."""

log = structlog.get_logger(__name__)


def _backoff() -> Backoff:
    return Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, LONGEST_ASKED_SECONDS)


class Delivery:
    """Brings messages to rooms.

    Args:
        outbox: where they are kept.
        chats: the platforms.
        clock: the time, for what is too old.
        sleep: lets time pass between two tries.
        fence: asked right before something is said.
    """

    def __init__(
        self,
        outbox: Outbox,
        chats: Mapping[Platform, Chat],
        clock: Clock,
        sleep: Sleep,
        fence: Fence = NO_FENCE,
    ) -> None:
        self._fence = fence
        self._outbox = outbox
        self._chats = chats
        self._clock = clock
        self._sleep = sleep
        self._locks: dict[Room, asyncio.Lock] = {}
        self._behind: dict[Room, asyncio.Task[None]] = {}
        self._since: dict[Room, datetime] = {}  # rooms behind, and when they fell so in this process
        self._answering: dict[Platform, asyncio.Event] = {platform: asyncio.Event() for platform in chats}
        self._gone: dict[Room, str] = {}  # rooms behind that take nothing at all, and why
        self._barred: dict[Room, str] = {}  # rooms behind in which the bot lacks a right, and which
        self._heard: dict[Room, asyncio.Event] = {}  # of rooms behind: whether one may be there again
        self._closing = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def open(self) -> None:
        """Go on with what a former process left."""
        for room in await self._outbox.rooms_that_wait():
            if room.platform in self._chats:
                self._fall_behind(room, _backoff(), 0.0)
            else:
                log.warning("what waits for a chat that is not configured is kept", platform=room.platform)

    async def close(self) -> None:
        """Stop trying, once what is on its way has ended. What waits is kept for the next start."""
        self._closing.set()
        if tasks := tuple(self._behind.values()):
            # Not cancelled at once: a write of the database that is cut off could leave it locked.
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing waits."""
        await self._idle.wait()

    def answers(self, platform: Platform) -> None:
        """A platform answers again: what waits for it is tried now."""
        if (event := self._answering.get(platform)) is not None:
            event.set()

    @property
    def gone(self) -> Mapping[Room, str]:
        """The rooms that take nothing until somebody changes that, with why."""
        return self._gone

    @property
    def hindrances(self) -> Mapping[Room, str]:
        """Why rooms take nothing until somebody changes that: they are gone, or the bot lacks a right there."""
        return {**self._barred, **self._gone}

    def heard_from(self, room: Room) -> None:
        """Somebody spoke in a room, or its platform told of it: if it was gone, it may be there again."""
        if (event := self._heard.get(room)) is not None:
            event.set()

    @asynccontextmanager
    async def holding(self, room: Room) -> AsyncIterator[None]:
        """While nothing is on its way into a room, and nobody else says anything there."""
        async with self._locks.setdefault(room, asyncio.Lock()):
            yield

    def is_behind(self, room: Room) -> bool:
        """Whether something waits in a room, so that nothing is tried there at once."""
        return room in self._behind

    @property
    def behind_since(self) -> Mapping[Room, datetime]:
        """The rooms in which something waits, and since when, as far as this process knows."""
        return self._since

    async def bring(self, room: Room, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Have messages shown, as far as that can be at once; they are kept as they are then, and given.

        Call it while :meth:`holding` the room.
        """
        attempt = Attempt(tuple(messages))
        if room.platform not in self._chats:
            log.error("no chat is there for this platform", platform=room.platform)
        elif room not in self._behind:
            attempt = await self._try(messages)
        else:
            await self._tell_why(room, messages)
        await self._outbox.keep(attempt.messages)
        if attempt.stopped_by is not None:
            log.warning("a room takes no message now", room=room.id, why=str(attempt.stopped_by))
            backoff, asked = _backoff(), attempt.stopped_by.retry_after
            self._fall_behind(room, backoff, backoff.next(asked), asked)
            self._note_why(room, attempt.stopped_by)
        return attempt.messages

    async def _tell_why(self, room: Room, messages: Sequence[Message]) -> None:
        """In a room that takes nothing until somebody changes that, say so to those who wait for answers."""
        why, chat = self.hindrances.get(room), self._chats[room.platform]
        if why is not None and isinstance(chat, AnswersElsewhere):
            for each in messages:
                if each.waits and each.message_id is None:
                    await chat.answer_elsewhere(each.key, why)

    def _fall_behind(self, room: Room, backoff: Backoff, pause: float, asked: float = 0.0) -> None:
        self._idle.clear()
        self._since[room] = self._clock()
        self._heard[room] = asyncio.Event()
        work = self._catch_up(room, backoff, pause, asked)
        self._behind[room] = asyncio.create_task(work, name=f"messages for {room.platform} {room.id}")

    async def _catch_up(self, room: Room, backoff: Backoff, pause: float, asked: float) -> None:
        while True:
            await self._pause(room, pause, asked=bool(asked))
            if self._closing.is_set():
                return
            self._heard[room].clear()
            async with self.holding(room):
                try:
                    attempt = await self._go_on(room)
                except Exception:
                    # A boundary: what waits is kept, whatever else went wrong (a full disk, say).
                    log.exception("what waits for a room could not be brought there", room=room.id)
                    pause, asked = backoff.next(), 0.0
                    continue
                if attempt is None:
                    log.info("all that waited for a room was said", room=room.id)
                    del self._behind[room], self._heard[room], self._since[room]
                    self._note_why(room, None)
                    return
            if attempt.progress:
                backoff.reset()
            error = attempt.stopped_by
            self._note_why(room, error)
            asked = 0.0 if error is None else error.retry_after
            pause = 0.0 if error is None else backoff.next(asked)

    async def _go_on(self, room: Room) -> Attempt | None:
        """Try what waits in a room; None where nothing does."""
        waiting = await self._outbox.waiting(room)
        if not waiting:
            return None
        now = self._clock()
        attempt = await self._try([_unless_too_late(each, now) for each in waiting])
        await self._outbox.keep(attempt.messages)
        return attempt

    def _note_why(self, room: Room, error: ChatError | None) -> None:
        """Take note of why a room takes nothing. What waits in one that is gone keeps nobody waiting."""
        before = self.hindrances.get(room)
        self._gone.pop(room, None)
        self._barred.pop(room, None)
        if error is not None and error.room_gone:
            self._gone[room] = str(error)
        elif error is not None and error.locked_out:
            self._barred[room] = str(error)
        if (now := self.hindrances.get(room)) is not None and now != before:
            log.warning("what is to be said waits until somebody mends this", room=room.id, why=now)
        if self._behind.keys() <= self._gone.keys():
            self._idle.set()
        else:
            self._idle.clear()

    async def _pause(self, room: Room, seconds: float, *, asked: bool) -> None:
        """Let time pass, or wait until the bot stops, the platform answers again or somebody speaks in the room; a
        platform is given what it asked for."""
        if seconds <= 0:
            return
        answering, heard = self._answering[room.platform], self._heard[room]
        answering.clear()
        if room in self._gone:
            seconds = max(seconds, GONE_PAUSE_SECONDS)
        sooner = [] if asked else [answering.wait(), heard.wait()]
        await first_of(self._sleep(seconds), self._closing.wait(), *sooner)

    async def _try(self, messages: Sequence[Message]) -> Attempt:
        """Show one after another, until the platform says that a later try may succeed."""
        done: list[Message] = []
        for index, each in enumerate(messages):
            if each.card is None:
                done.append(each)
                continue
            try:
                done.append(await self._show(each, done))
            except ChatError as error:
                if not (error.passing or error.room_gone or error.locked_out):
                    log.error("a message was refused", room=each.room.id, key=each.key, why=str(error))
                    done.append(each.given_up(str(error)))
                    continue
                stands = error.message_id
                tried = each.trying(self._clock()) if stands is None else each.stands(stands, self._clock())
                return Attempt((*done, tried, *messages[index + 1 :]), error, progress=bool(done))
        return Attempt(tuple(done), progress=True)

    async def _show(self, each: Message, before: Sequence[Message]) -> Message:
        """Send or edit one message.

        Raises:
            ChatError: its platform did not take it.
        """
        card, chat = each.card, self._chats[each.room.platform]
        assert card is not None  # noqa: S101 - for the type checker; the caller looked
        await self._fence.held()
        if each.message_id is not None and not (each.incomplete and digest(card) == each.shown):
            # Counted, as a platform drops an edit whose key it knows, and a card can come to look as it did before.
            key = f"{each.key}:{each.edits + 1}:{digest(card)[:16]}"
            await chat.edit(each.room.id, each.message_id, card, thread=each.thread, key=key)
            return each.taken(each.message_id, self._edited_at(each.room, each.message_id))
        placed = replace(each, thread=each.thread or await self._root(each, before))
        if each.in_doubt:
            # Whatever was tried before keeps its place. So something that all may see is put there, if nothing is
            # there yet, and becomes what it should be.
            card = WORKING if card.private_to is not None else card
        if each.answers is not None:
            card = card.model_copy(update={"answers": each.answers})
        sent = await chat.send(each.room.id, card, thread=placed.thread, key=each.key)
        if not each.in_doubt:
            return placed.taken(sent, self._clock())
        try:
            return await self._show(placed.stands(sent, self._clock()), before)
        except ChatError as error:
            error.message_id = sent
            raise

    def _edited_at(self, room: Room, message_id: str) -> datetime:
        """Since when a message shows what it does: people may have seen it before its buttons stood below it."""
        chat: object = self._chats[room.platform]
        known = chat.edited_at(room.id, message_id) if isinstance(chat, DatesEdits) else None
        return known or self._clock()

    async def _root(self, each: Message, before: Sequence[Message]) -> str | None:
        """The id of the message in whose thread one is to stand; None for none, or for one that nobody saw."""
        if each.thread_of is None:
            return None
        found = [one for one in before if one.key == each.thread_of] or await self._outbox.find(
            each.thread_of
        )
        return found[0].message_id if found else None


@dataclass(frozen=True)
class Attempt:
    """Messages after a try: those shown, those refused, and those that wait behind ``stopped_by``."""

    messages: tuple[Message, ...]
    stopped_by: ChatError | None = None
    progress: bool = False


def _unless_too_late(each: Message, now: datetime) -> Message:
    """A message that waited, or what is left of it where nobody needs it any more, or nobody can read it."""
    if each.card is None:
        why = "Another version of Slipway wrote it."
    elif each.until <= now:
        why = "Its platform did not take it in time."
    else:
        return each
    log.warning("a message was given up", room=each.room.id, key=each.key, why=why)
    return each.given_up(why)
