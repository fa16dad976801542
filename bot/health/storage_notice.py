"""Telling rooms that the state folder cannot be written, which stops the bot from taking anything in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from slipway.bot.chat.model import Card, Chat, Platform, Room, SendsUnrecorded, Tone
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock

SAME_WITHIN = timedelta(hours=1)
"""Trouble that comes again so soon after it began is told by an edit of what was said: a disk at its limit would
otherwise fill the room as well."""

Watch = Callable[[Callable[[str], None]], Awaitable[None]]
"""Calls back with what is wrong whenever that changes, "" for nothing, until it is cancelled."""

log = structlog.get_logger(__name__)


@dataclass
class _Told:
    """What was said in one room of trouble, and how often that message was edited."""

    message_id: str
    at: datetime
    edits: int = 0


class StorageNotice:
    """Says once in each room what is wrong, and edits that when it is over. Nothing of it is stored: it cannot be.

    A room hears of it in its own time: one whose platform does not answer keeps no other waiting, and is told of what
    holds when it can be.

    Where it could not be said, such as in an encrypted room, whose keys change with each message and have to be
    stored, that it was so is said when it is over.

    Args:
        chats: the platforms.
        rooms: where it is said.
        clock: the time.
    """

    def __init__(self, chats: Mapping[Platform, Chat], rooms: Iterable[Room], clock: Clock) -> None:
        self._chats = chats
        self._rooms = tuple(dict.fromkeys(room for room in rooms if room.platform in chats))
        self._clock = clock
        self._problem = ""
        self._news = {room: asyncio.Event() for room in self._rooms}
        self._told: dict[Room, _Told] = {}
        self._untold: set[Room] = set()  # rooms that could not be told of the trouble there is

    async def run(self, watch: Watch) -> None:
        """Tell every room of what is seen, until cancelled."""
        async with asyncio.TaskGroup() as telling:
            for room in self._rooms:
                telling.create_task(self._keep_told(room), name=f"telling {room.id} of the storage")
            await watch(self._changed)

    def _changed(self, problem: str) -> None:
        if problem:
            log.error("nothing new is taken in", problem=problem)
        else:
            log.info("the state folder can be written again")
        self._problem = problem
        for news in self._news.values():
            news.set()

    async def _keep_told(self, room: Room) -> None:
        news, said = self._news[room], ""
        while True:
            await news.wait()
            news.clear()
            if self._problem != said:
                said = self._problem
                await self._tell(room, said)

    async def _tell(self, room: Room, problem: str) -> None:
        chat, told = self._chats[room.platform], self._told.get(room)
        card = _trouble(problem) if problem else _over()
        try:
            if told is not None and (not problem or self._clock() - told.at <= SAME_WITHIN):
                told.edits += 1
                key = f"storage:{room.id}:{told.at.isoformat()}:{told.edits}"
                await chat.edit(room.id, told.message_id, card, thread=None, key=key)
            elif problem or room in self._untold:
                now = self._clock()
                sent = await _send(chat, room.id, card, f"storage:{room.id}:{now.isoformat()}")
                self._told[room] = _Told(sent, now)
            self._untold.discard(room)
        except ChatError as error:
            self._untold.add(room)
            log.warning("a room could not be told of the state folder", room=room.id, why=str(error))


async def _send(chat: Chat, room: str, card: Card, key: str) -> str:
    """Without anything stored for it, where the platform's adapter would: it would wait for what it tells of."""
    if isinstance(chat, SendsUnrecorded):
        return await chat.send_unrecorded(room, card)
    return await chat.send(room, card, thread=None, key=key)


def _trouble(problem: str) -> Card:
    return Card(
        tone=Tone.WARNING,
        title="I take nothing in now, as I could not keep it.",
        text=f"{problem} What is under way stands still and is not lost. Whoever runs Slipway: make space there, or "
        "make it writable. I go on by myself then, and you need not say again what you say in the next minutes.",
    )


def _over() -> Card:
    return Card(
        tone=Tone.INFO,
        title="I take everything in again.",
        text="For a while the state folder could not be written. What stood still goes on now.",
    )
