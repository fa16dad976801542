"""Telling rooms that the state folder cannot be written, which stops the bot from taking anything in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from slipway.bot.chat.model import Card, Chat, Platform, Room, SendsUnrecorded, Tone
from slipway.bot.chat.named_rooms import room_called
from slipway.bot.core.errors import ChatError
from slipway.bot.core.storage_errors import StoragePlace
from slipway.bot.core.times import Clock, format_span, format_time
from slipway.bot.core.waiting import Backoff, Sleep, first_of
from slipway.bot.health.notice_memory import NoticeMemory, StandingNotice

SAME_WITHIN = timedelta(hours=1)
"""Trouble that comes again so soon after it began is told by an edit of what was said: a disk at its limit would
otherwise fill the room as well."""

TOLD_WITHIN = timedelta(days=7)
"""How long it is tried to say that trouble is over, as with cards of operations."""

STOP_SECONDS = 3.0
"""How long a stop waits for the rooms to be told of it."""

Watch = Callable[[Callable[[str], None]], Awaitable[None]]
"""Calls back with what is wrong, first as it is and then whenever that changes, "" for nothing, until it is
cancelled."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Words:
    """How trouble at a place is told: what could not be done, and what whoever runs Slipway does."""

    past: str
    remedy: str


_WORDS = {
    StoragePlace.FOLDER: _Words(
        "the state folder could not be written", "make space there, or make it writable"
    ),
    StoragePlace.DATABASE: _Words(
        "the database could not be used", "see that PostgreSQL runs, can be reached and can be written"
    ),
}


async def _at_once() -> None:
    """Whoever is alone may tell."""


@dataclass
class _Message:
    """What was said in one room of trouble, and how often it was edited."""

    id: str
    at: datetime
    edits: int = 0


@dataclass
class _RoomNotice:
    """What one room knows.

    Attributes:
        shown: the problem that its message names; "" for none, None where that is not known.
        message: what was said of the newest trouble, or of what came again soon after.
        since: when trouble began that its message names, or that it should have been told of; None for none.
    """

    shown: str | None = ""
    message: _Message | None = None
    since: datetime | None = None


class StorageNotice:
    """Says once in each room what is wrong, and edits that when it is over.

    A room hears of it in its own time: one whose platform does not answer keeps no other waiting, and is told of what
    holds when it can be. Where it could not be said while it was so (in an encrypted room, whose keys change with
    each message and have to be stored, or while the platform was away), one message says afterwards that it was so.

    Args:
        chats: the platforms.
        rooms: where it is said, as each room's chat calls it.
        clock: the time.
        zone: the zone in which times are told.
        memory: what is kept of it over a restart.
        sleep: lets time pass between two tries.
        place: where the database is, which all trouble is told of by.
        may_tell: returns once this process is the one that tells: not while another may.
    """

    def __init__(
        self,
        chats: Mapping[Platform, Chat],
        rooms: Iterable[Room],
        clock: Clock,
        zone: ZoneInfo,
        memory: NoticeMemory,
        sleep: Sleep = asyncio.sleep,
        place: StoragePlace = StoragePlace.FOLDER,
        may_tell: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._words = _WORDS[place]
        self._may_tell = may_tell
        self._chats = chats
        self._rooms = {room: _RoomNotice() for room in rooms if room.platform in chats}
        self._former: set[Room] = set()  # where a message is put right, and no more is said
        self._clock = clock
        self._zone = zone
        self._memory = memory
        self._keeping = asyncio.Lock()
        self._sleep = sleep
        self._problem = ""
        self._since: datetime | None = None
        self._over_at: datetime | None = None
        self._news: dict[Room, asyncio.Event] = {}

    async def run(self, watch: Watch) -> None:
        """Tell every room of what is seen, until cancelled."""
        for left in await asyncio.to_thread(self._memory.open):
            self._take_up(left)
        self._news = {room: asyncio.Event() for room in self._rooms}
        async with asyncio.TaskGroup() as telling:
            for room in self._rooms:
                telling.create_task(self._keep_told(room), name=f"telling {room.id} of the storage")
            await watch(self._changed)

    async def stopped(self) -> None:
        """Say in every message that names trouble now that the bot was stopped meanwhile, which stays true.

        To be called when :meth:`run` has ended.
        """
        if not self._problem:
            return
        telling = []
        for room, notice in self._rooms.items():
            if (message := notice.message) is not None and notice.shown != "":
                message.edits += 1
                chat, key, found = self._chats[room.platform], _key(room, message), self._found(room)
                if found is not None:
                    edit = chat.edit(found, message.id, _stopped(self._problem), thread=None, key=key)
                    telling.append(edit)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                results = await asyncio.gather(*telling, return_exceptions=True)
        except TimeoutError:
            log.warning("not every room could be told of the stop")
            return
        for result in results:
            if isinstance(result, ChatError):
                log.warning("a room could not be told of the stop", why=str(result))
            elif isinstance(result, Exception):
                log.error("a room could not be told of the stop", exc_info=result)

    def _take_up(self, left: StandingNotice) -> None:
        """What the process before left: a message that names trouble, or a room that was told nothing of it."""
        if left.room.platform not in self._chats:
            return
        if left.room not in self._rooms:
            self._former.add(left.room)
        message = _Message(left.message_id, self._clock()) if left.message_id else None
        self._rooms[left.room] = _RoomNotice(None, message, left.since)

    def _changed(self, problem: str) -> None:
        if problem:
            log.error("nothing new is taken in", problem=problem)
            self._since = self._since or self._clock()
        else:
            if self._problem:
                log.info("everything can be stored again")
            self._since, self._over_at = None, self._clock()
        self._problem = problem
        for news in self._news.values():
            news.set()

    async def _keep_told(self, room: Room) -> None:
        news, backoff = self._news[room], Backoff()
        while True:
            await news.wait()
            news.clear()
            backoff.reset()
            while self._is_due(room):
                await self._may_tell()
                if not self._is_due(room):  # it is over
                    break
                try:
                    await self._tell(room, self._problem)
                except ChatError as error:
                    if not backoff.failures:
                        log.warning(
                            "a room could not be told of the state folder", room=room.id, why=str(error)
                        )
                    if not error.passing:
                        await self._give_up(self._rooms[room], error)
                        break
                    await first_of(self._sleep(backoff.next(error.retry_after)), news.wait())

    def _is_due(self, room: Room) -> bool:
        """Whether a room is to hear of what holds now."""
        if self._problem:
            return room not in self._former and self._rooms[room].shown != self._problem
        late = self._over_at is not None and self._clock() - self._over_at > TOLD_WITHIN
        return self._rooms[room].shown != "" and not late

    async def _tell(self, room: Room, problem: str) -> None:
        chat, notice, found = self._chats[room.platform], self._rooms[room], self._found(room)
        if found is None:
            raise ChatError(f"It is not known yet which room {room.id} is.", passing=True)
        if found != room.id and Room(platform=room.platform, id=found) in self._rooms:
            notice.shown = problem  # the room is told by its id
            return
        if problem:
            await self._begin(notice)
        message, shown, notice.shown = notice.message, notice.shown, None
        if message is not None:
            message.edits += 1
            card = _trouble(problem, self._words) if problem else _over(self._words)
            await chat.edit(found, message.id, card, thread=None, key=_key(room, message))
        elif problem:
            now = self._clock()
            key = f"storage:{room.id}:{now.isoformat()}"
            sent = await _send(chat, found, _trouble(problem, self._words), key)
            notice.message = _Message(sent, now)
        else:
            await self._tell_late(chat, Room(platform=room.platform, id=found), notice)
        notice.shown = problem
        if not problem:
            notice.since = None
        if problem != shown:
            await self._keep()

    def _found(self, room: Room) -> str | None:
        """The id of a room; None while its platform did not say."""
        found = room_called(self._chats, room)
        return None if found is None else found.id

    async def _begin(self, notice: _RoomNotice) -> None:
        """Have the next start know that a room is told of trouble, before it is."""
        if notice.since is not None:
            return  # what stands there names trouble already
        if notice.message is not None and self._clock() - notice.message.at > SAME_WITHIN:
            notice.message = None
        notice.since = self._since
        await self._keep()

    async def _give_up(self, notice: _RoomNotice, error: ChatError) -> None:
        """Where no later try will succeed; in a room that may come back, the next start tries it again."""
        if not self._problem and not error.room_gone and not error.locked_out:
            notice.shown, notice.message, notice.since = "", None, None
            await self._keep()

    async def _tell_late(self, chat: Chat, room: Room, notice: _RoomNotice) -> None:
        """One message of what is over to a room that was told nothing of it; it is stored, as all is again."""
        since, over = notice.since, self._over_at
        if since is None or over is None:
            return
        when = f"That was until {format_time(over, self._zone)}: {self._words.past}."
        card = Card(
            tone=Tone.INFO,
            title=f"I took nothing in for {format_span(over - since)}, as I could not keep it.",
            text=f"{when} Now I do again, and what stood still goes on.",
        )
        await chat.send(room.id, card, thread=None, key=f"storage:{room.id}:{since.isoformat()}:over")

    async def _keep(self) -> None:
        """Have the next start know which rooms are to be told that it is over."""
        async with self._keeping:
            standing = [
                StandingNotice(
                    room=room, since=notice.since, message_id=notice.message.id if notice.message else ""
                )
                for room, notice in self._rooms.items()
                if notice.since is not None
            ]
            await asyncio.to_thread(self._memory.keep, standing)


async def _send(chat: Chat, room: str, card: Card, key: str) -> str:
    """Without anything stored for it, where the platform's adapter would: it would wait for what it tells of."""
    try:
        if isinstance(chat, SendsUnrecorded):
            return await chat.send_unrecorded(room, card)
        return await chat.send(room, card, thread=None, key=key)
    except ChatError as error:
        if error.message_id is not None:  # it stands there
            return error.message_id
        raise


def _key(room: Room, message: _Message) -> str:
    """Names the newest edit of a message."""
    return f"storage:{room.id}:{message.at.isoformat()}:{message.edits}"


def _trouble(problem: str, words: _Words) -> Card:
    return Card(
        tone=Tone.WARNING,
        title="I take nothing in now, as I could not keep it.",
        text=f"{problem} What is under way stands still and is not lost. Whoever runs Slipway: {words.remedy}. I go "
        "on by myself then, and you need not say again what you say in the next minutes.",
    )


def _over(words: _Words) -> Card:
    return Card(
        tone=Tone.INFO,
        title="I take everything in again.",
        text=f"For a while {words.past}. What stood still goes on now.",
    )


def _stopped(problem: str) -> Card:
    return Card(
        tone=Tone.WARNING,
        title="I was stopped while I could take nothing in.",
        text=f"{problem} What was under way is not lost, and goes on when I am started again.",
    )
