"""The ears: the sync loop. What was heard is taken in first, and only then is the token kept."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog

from bot.chat.matrix.connection import Connection, HomeserverError
from bot.chat.matrix.memory import MatrixMemory
from bot.chat.matrix.receive import Me, since_own_join, understand
from bot.chat.matrix.rooms import Rooms
from bot.chat.matrix.send import Voice
from bot.chat.model import Accept
from bot.errors import ChatError
from bot.times import Clock

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
_LONGEST_ASKED_WAIT = 300.0  # what a server may ask for; more is not believed

Sleep = Callable[[float], Awaitable[None]]

log = structlog.get_logger(__name__)


class Backoff:
    """Seconds to wait after the n-th failure in a row: doubling, at most a minute, half of it by chance."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()
        self.failures = 0

    def next(self, asked: float = 0.0) -> float:
        """How long to wait now; not less than the server ``asked`` for, within reason."""
        wait: float = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(self.failures, 10))
        self.failures += 1
        return max(wait * self._random.uniform(0.5, 1.0), min(asked, _LONGEST_ASKED_WAIT))

    def reset(self) -> None:
        """After a success."""
        self.failures = 0


class Ears:
    """Hears what is new, batch by batch, in order."""

    def __init__(
        self,
        connection: Connection,
        rooms: Rooms,
        voice: Voice,
        memory: MatrixMemory,
        clock: Clock,
        *,
        poll: float,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._rooms = rooms
        self._voice = voice
        self._memory = memory
        self._clock = clock
        self._poll = poll
        self._sleep = sleep
        self._refused: set[str] = set()
        self._silent: set[str] = set()
        self.last_heard: datetime | None = None
        self.trouble = ""  # the last failure, as long as it lasts

    async def listen(self, accept: Accept) -> None:
        """Listen until cancelled. What ``accept`` raises comes out, and its batch is heard again next time.

        Raises:
            ChatError: the homeserver will not let the bot in any more; waiting does not help.
        """
        since = await self._memory.load_next_batch()
        full_state = True  # nio must learn of every room before anything in it can be judged
        backoff = Backoff()
        while True:
            try:
                await self._rooms.enter_missing()
                batch = await self._connection.sync(since, full_state=full_state, poll=self._poll)
            except ChatError as error:
                await self._wait_after(error, backoff)
                continue
            backoff.reset()
            self.trouble = ""
            self.last_heard = self._clock()
            await self._take_in(batch, accept, first=since is None)
            await self._memory.save_next_batch(batch.next_batch)
            since, full_state = batch.next_batch, False

    async def _wait_after(self, error: ChatError, backoff: Backoff) -> None:
        self.trouble = str(error)
        if not error.passing:
            raise error
        wait = backoff.next(error.retry_after if isinstance(error, HomeserverError) else 0.0)
        log.warning("matrix does not answer", problem=str(error), wait=round(wait, 1))
        await self._sleep(wait)

    async def _take_in(self, batch: Any, accept: Accept, *, first: bool) -> None:
        """Hand on what a batch holds. The very first one is history, and only shows which rooms there are."""
        await self._rooms.answer_invites(batch.rooms.invite)
        me = Me(self._connection.user_id, self._connection.display_name)
        for room, info in batch.rooms.join.items():
            events = [] if first else [event.source for event in info.timeline.events]
            if info.timeline.limited and not first and self._rooms.configured(room):
                log.warning("the homeserver left out older messages", room=room)
            if await self._rooms.encrypted(room):
                if self._rooms.configured(room) or any(
                    self._rooms.listens(room, event.get("sender")) for event in events
                ):
                    await self._refuse(room)
                continue
            for event in since_own_join(events, me.user_id):
                address = self._rooms.listens(room, event.get("sender"))
                heard = None if address is None else understand(event, room=room, me=me, address=address)
                if heard is not None:
                    await accept(heard)

    async def _refuse(self, room: str) -> None:
        """Say once in an encrypted room that the bot does not work there."""
        if room not in self._refused:
            self._refused.add(room)
            log.warning("an encrypted room is refused", room=room)
        if room in self._silent or await self._memory.was_told(room):
            return
        try:
            await self._voice.say_encrypted(room)
        except ChatError as error:
            log.warning("could not tell a room that it is encrypted", room=room, problem=str(error))
            if not error.passing:
                self._silent.add(room)  # the bot may not speak there; not tried again before a restart
            return
        await self._memory.remember_told(room)

    @property
    def refused(self) -> frozenset[str]:
        """The encrypted rooms that the bot is in and does not listen in."""
        return frozenset(self._refused)
