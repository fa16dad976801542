"""The ears: the sync loop. What was heard is taken in first, and only then is the place kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import structlog

from slipway.bot.chat.matrix.transport.backoff import Backoff, Sleep
from slipway.bot.chat.matrix.transport.connection import Connection, HomeserverError
from slipway.bot.chat.matrix.events.backfill import Gaps
from slipway.bot.chat.matrix.memory import MatrixMemory, Place
from slipway.bot.chat.matrix.rooms.activity import Presence
from slipway.bot.chat.matrix.events.parsing import Me, own_join, since_own_join, understand
from slipway.bot.chat.matrix.rooms.rooms import Rooms
from slipway.bot.chat.matrix.events.event_verifier import Seals
from slipway.bot.chat.matrix.messages.message_sender import Voice
from slipway.bot.chat.matrix.rooms.membership import RoomMembership
from slipway.bot.chat.model import Accept, Card, MessageEvent, Tone
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock

log = structlog.get_logger(__name__)


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
        seals: Seals,
        standing: RoomMembership,
        presence: Presence,
        introduce: Callable[[], Awaitable[None]],
        max_age: timedelta,
        poll: float,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._rooms = rooms
        self._voice = voice
        self._memory = memory
        self._clock = clock
        self._seals = seals
        self._standing = standing
        self._presence = presence
        self._introduce = introduce
        self._gaps = Gaps(connection, clock, max_age=max_age, sleep=sleep)
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
        place = await self._memory.load_place()
        since = None if place is None else place.next_batch
        full_state = True  # nio must learn of every room before anything in it can be judged
        backoff = Backoff()
        introduced = False
        while True:
            try:
                await self._rooms.enter_missing()
                batch = await self._connection.sync(since, full_state=full_state, poll=self._poll)
            except ChatError as error:
                if since is not None and _no_such_token(error):
                    log.warning("the homeserver no longer knows the token; going on from the last messages")
                    since, full_state = None, True
                else:
                    await self._wait_after(error, backoff)
                continue
            backoff.reset()
            self.trouble = ""
            self.last_heard = self._clock()
            await self._take_in(batch, accept, place, anew=since is None)
            place = _after(place, batch)
            await self._memory.save_place(place)
            since, full_state = place.next_batch, False
            if not introduced:
                introduced = True
                await self._introduce()

    async def _wait_after(self, error: ChatError, backoff: Backoff) -> None:
        self.trouble = str(error)
        if not error.passing:
            raise error
        wait = backoff.next(error.retry_after if isinstance(error, HomeserverError) else 0.0)
        log.warning("matrix does not answer", problem=str(error), wait=round(wait, 1))
        await self._sleep(wait)

    async def _take_in(self, batch: Any, accept: Accept, place: Place | None, *, anew: bool) -> None:
        """Hand on what a batch holds. The very first one is history, and only shows which rooms there are.

        Args:
            batch: nio's answer to a sync.
            accept: takes the events in.
            place: up to where the bot had listened before; None if never.
            anew: whether the batch was asked for without a token, so that it repeats what was heard.
        """
        await self._rooms.answer_invites(batch.rooms.invite)
        await self._standing.look(batch)
        for room, info in batch.rooms.join.items():
            events: Sequence[Any] = () if place is None else info.timeline.events
            if not self._connection.encrypts and await self._rooms.encrypted(room):
                if self._rooms.configured(room) or any(
                    self._rooms.listens(room, event.source.get("sender")) for event in events
                ):
                    await self._refuse(room)
                continue
            if place is not None and self._rooms.attends(room):
                events = await self._whole(room, info.timeline, place.seen.get(room), anew=anew)
            for event in events:
                await self._hear(room, event, accept)

    async def _whole(self, room: str, timeline: Any, last_seen: str | None, *, anew: bool) -> Sequence[Any]:
        """What is new in a room, its gap filled: nothing that was heard before, nothing before the bot came."""
        events: list[Any] = list(timeline.events)
        sources = [event.source for event in events]
        known = next((at for at, each in enumerate(sources) if each.get("event_id") == last_seen), None)
        if known is not None:
            del events[: known + 1]
        elif timeline.limited and timeline.prev_batch and not self._shows_coming(sources):
            earlier = await self._gaps.read_back(room, timeline.prev_batch, last_seen)
            events = [*earlier.events, *events]
            if not earlier.complete:
                await self._own_up(room, timeline.prev_batch, events, earlier.why)
        sources = [event.source for event in events]
        if anew and last_seen is None and not self._shows_coming(sources):
            return ()  # a room of which nothing is known: all of it may be history
        return events[len(events) - len(since_own_join(sources, self._connection.user_id)) :]

    def _shows_coming(self, events: Sequence[Mapping[str, Any]]) -> bool:
        return any(own_join(event, self._connection.user_id) for event in events)

    async def _own_up(self, room: str, before: str, events: Sequence[Any], why: str) -> None:
        """Tell a room that something said in it may not have been heard."""
        first = next((each.source.get("origin_server_ts") for each in events), None)
        until = (
            f" before {datetime.fromtimestamp(first / 1000, self._clock().tzinfo):%H:%M:%S %Z}"
            if isinstance(first, int)
            else ""
        )
        card = Card(
            tone=Tone.WARNING,
            title="I may have missed something here",
            text=f"I could not read what was said{until}, because {why}. Please say a command again if it "
            "got no answer; what I have done already I shall not do twice.",
        )
        try:
            await self._voice.say(room, card, thread=None, key=f"gap {before}")
        except ChatError as error:
            log.warning("could not tell a room of a gap", room=room, problem=str(error))

    async def _hear(self, room: str, event: Any, accept: Accept) -> None:
        """Hand on one event, if it means something."""
        me = Me(self._connection.user_id, self._connection.display_name)
        address = self._rooms.listens(room, event.source.get("sender"))
        seen = None if address is None else await self._seals.look(room, event.source)
        if address is None or seen is None:
            return
        heard = understand(
            event.source,
            room=room,
            me=me,
            address=address,
            judgement=seen.judgement,
            forgeable=seen.forgeable,
        )
        if heard is not None and await accept(heard):
            self._presence.handled(
                room, heard.event_id, heard.thread if isinstance(heard, MessageEvent) else None
            )

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


def _no_such_token(error: ChatError) -> bool:
    """Whether a sync was refused for its token: M_UNKNOWN from Synapse, M_INVALID_PARAM from others."""
    if not isinstance(error, HomeserverError) or error.status != HTTPStatus.BAD_REQUEST:
        return False
    return error.errcode in ("M_UNKNOWN", "M_INVALID_PARAM", "M_UNKNOWN_POS", "M_BAD_JSON")


def _after(place: Place | None, batch: Any) -> Place:
    """Where the bot has listened to after a batch."""
    seen = dict(place.seen) if place is not None else {}
    for room, info in batch.rooms.join.items():
        for event in info.timeline.events:
            event_id = event.source.get("event_id")
            if isinstance(event_id, str):
                seen[room] = event_id
    for room in batch.rooms.leave:
        seen.pop(room, None)
    return Place(batch.next_batch, seen)
