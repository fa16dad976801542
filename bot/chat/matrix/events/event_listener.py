"""The sync loop. The events of a response are accepted first, and only then is the position saved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import structlog

from slipway.bot.chat.matrix.events.backfill import Backfill
from slipway.bot.chat.matrix.events.event_verifier import EventVerifier
from slipway.bot.chat.matrix.events.mentions import BotUser
from slipway.bot.chat.matrix.events.parsing import events_since_own_join, is_own_join, parse_event, timestamp
from slipway.bot.chat.matrix.memory import MatrixMemory, SyncPosition
from slipway.bot.chat.matrix.messages.message_sender import MessageSender
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.matrix.rooms.activity import ActivityNotifier
from slipway.bot.chat.matrix.rooms.direct import DirectChats
from slipway.bot.chat.matrix.rooms.members import RoomMembers
from slipway.bot.chat.matrix.rooms.membership import RoomMembership
from slipway.bot.chat.matrix.rooms.rooms import Rooms
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.matrix.transport.errors import HomeserverError
from slipway.bot.chat.matrix.transport.retries import wait_for_answers
from slipway.bot.chat.model import Accept, Address, Card, Tone
from slipway.bot.chat.shared.outage import OutageLog
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Backoff, Sleep

LONGEST_PAUSE = 10.0
"""Seconds between two tries at most while the homeserver answers, and fails at what it is asked: as long as the bot
can be deaf once it does not any more."""

log = structlog.get_logger(__name__)


class EventListener:
    """Takes in what is new, response by response, in order."""

    def __init__(
        self,
        connection: Connection,
        rooms: Rooms,
        sender: MessageSender,
        memory: MatrixMemory,
        clock: Clock,
        *,
        verifier: EventVerifier,
        members: RoomMembers,
        direct: DirectChats,
        membership: RoomMembership,
        activity: ActivityNotifier,
        apply_profile: Callable[[], Awaitable[None]],
        max_age: timedelta,
        poll: float,
        sleep: Sleep = asyncio.sleep,
        answers: Callable[[], None] = lambda: None,
        works: Callable[[], bool] = lambda: True,
    ) -> None:
        self._works = works
        self._connection = connection
        self._rooms = rooms
        self._sender = sender
        self._memory = memory
        self._clock = clock
        self._verifier = verifier
        self._members = members
        self._direct = direct
        self._membership = membership
        self._activity = activity
        self._apply_profile = apply_profile
        self._backfill = Backfill(connection, clock, max_age=max_age, sleep=sleep)
        self._poll = poll
        self._sleep = sleep
        self._answers = answers
        self._refused_rooms: set[str] = set()
        self._cannot_notify: set[str] = set()
        self._outage = OutageLog(MATRIX, clock)
        self._away = False  # whether the homeserver did not answer at the last look
        self.last_sync_at: datetime | None = None
        self.problem = ""  # the last failure, as long as it lasts

    async def listen(self, accept: Accept) -> None:
        """Listen until cancelled. What ``accept`` raises comes out, and its response is processed again next time.

        Raises:
            ChatError: the homeserver will not let the bot in any more; waiting does not help.
        """
        position = await self._memory.load_position()
        since = None if position is None else position.next_batch
        full_state = True  # nio must learn of every room before anything in it can be judged
        backoff = Backoff(longest=LONGEST_PAUSE)
        profile_applied = False
        while True:
            try:
                await self._rooms.join_missing()
                response = await self._connection.sync(since, full_state=full_state, poll=self._poll)
            except ChatError as error:
                if since is not None and _is_unknown_token(error):
                    log.warning("the homeserver no longer knows the token; going on from the last messages")
                    since, full_state = None, True
                else:
                    await self._wait_after_error(error, backoff)
                continue
            backoff.reset()
            self._away = False
            self._outage.over()
            if self.problem:
                self.problem = ""
                self._answers()
            self.last_sync_at = self._clock()
            await self._process_response(response, accept, position, without_token=since is None)
            position = _position_after(position, response)
            await self._memory.save_position(position)
            since, full_state = position.next_batch, False
            if not profile_applied:
                profile_applied = True
                await self._apply_profile()

    async def _wait_after_error(self, error: ChatError, backoff: Backoff) -> None:
        self.problem = str(error)
        if not error.passing:
            raise error
        wait = backoff.next(error.retry_after)
        self._outage.failed(str(error), wait)
        if error.retry_after:
            await self._sleep(wait)
        else:
            self._away = await wait_for_answers(
                wait, self._connection.answers, self._sleep, was_away=self._away
            )

    async def _process_response(
        self, response: Any, accept: Accept, position: SyncPosition | None, *, without_token: bool
    ) -> None:
        """Accept what a response holds. The very first one is history, and only shows which rooms there are.

        Args:
            response: nio's answer to a sync.
            accept: takes the events in.
            position: up to where the bot had listened before; None if never.
            without_token: whether it was asked for without a token, so that it repeats known events.
        """
        self._members.update(response)
        await self._rooms.handle_invites(response.rooms.invite)
        await self._membership.update(response)
        for room, info in response.rooms.join.items():
            if not self._connection.encryption_enabled and await self._rooms.is_encrypted(room):
                if await self._is_listened_to(room, () if position is None else info.timeline.events):
                    await self._refuse_encrypted_room(room)
                continue
            if position is None or not await self._rooms.is_relevant(room, info.timeline):
                continue
            last_seen = position.last_events.get(room)
            for event in await self._complete_timeline(
                room, info.timeline, last_seen, without_token=without_token
            ):
                await self._process_event(room, event, accept)

    async def _is_listened_to(self, room: str, events: Sequence[Any]) -> bool:
        """Whether the bot would listen to anybody who says something in a room."""
        if self._rooms.is_configured(room):
            return True
        for event in events:
            if await self._rooms.address_for(room, event.source.get("sender")) is not None:
                return True
        return False

    async def _complete_timeline(
        self, room: str, timeline: Any, last_seen: str | None, *, without_token: bool
    ) -> Sequence[Any]:
        """What is new in a room, also what the sync left out: nothing known, nothing from before the bot joined."""
        events: list[Any] = list(timeline.events)
        sources = [event.source for event in events]
        known = next((at for at, each in enumerate(sources) if each.get("event_id") == last_seen), None)
        if known is not None:
            del events[: known + 1]
        elif timeline.limited and timeline.prev_batch and not self._has_own_join(sources):
            earlier = await self._backfill.fetch(room, timeline.prev_batch, last_seen)
            events = [*earlier.events, *events]
            if not earlier.complete:
                await self._report_missed_events(room, timeline.prev_batch, events, earlier.reason)
        sources = [event.source for event in events]
        if without_token and last_seen is None and not self._has_own_join(sources):
            return ()  # a room of which nothing is known: all of it may be history
        return events[len(events) - len(events_since_own_join(sources, self._connection.user_id)) :]

    def _has_own_join(self, events: Sequence[Mapping[str, Any]]) -> bool:
        return any(is_own_join(event, self._connection.user_id) for event in events)

    async def _report_missed_events(self, room: str, before: str, events: Sequence[Any], reason: str) -> None:
        """Tell a room that something said in it may not have been heard."""
        if not self._works():  # the one that does has heard it, or says so
            return
        card = missed_events_card([each.source for each in events], reason)
        try:
            await self._sender.send(room, card, thread=None, key=f"gap {before}")
        except ChatError as error:
            log.warning("could not tell a room that messages were missed", room=room, problem=str(error))

    async def _process_event(self, room: str, event: Any, accept: Accept) -> None:
        """Accept one event, if it means something."""
        bot = BotUser(self._connection.user_id, self._connection.display_name)
        address = await self._rooms.address_for(room, event.source.get("sender"))
        verified = None if address is None else await self._verifier.verify(room, event.source)
        if address is None or verified is None:
            return
        parsed = parse_event(
            event.source,
            room=room,
            bot=bot,
            address=address,
            sender_trust=verified.sender_trust,
            forgeable=verified.forgeable,
        )
        if address is Address.DIRECT:
            await self._direct.note(str(event.source.get("sender")), room)
        if parsed is not None and await accept(parsed):
            self._activity.event_accepted(room, parsed.event_id)

    async def _refuse_encrypted_room(self, room: str) -> None:
        """Say once in an encrypted room that the bot does not work there."""
        if room not in self._refused_rooms:
            self._refused_rooms.add(room)
            log.warning("an encrypted room is refused", room=room)
        if not self._works() or room in self._cannot_notify or await self._memory.was_notified(room):
            return
        try:
            await self._sender.send_encryption_notice(room)
        except ChatError as error:
            log.warning("could not tell a room that it is encrypted", room=room, problem=str(error))
            if not error.passing:
                self._cannot_notify.add(room)  # the bot may not speak there; not tried again before a restart
            return
        await self._memory.remember_notified(room)

    @property
    def refused_rooms(self) -> frozenset[str]:
        """The encrypted rooms that the bot is in and does not listen in."""
        return frozenset(self._refused_rooms)


def missed_events_card(events: Sequence[Mapping[str, Any]], reason: str) -> Card:
    """What is said where something before these events could not be read; ``reason`` follows “because”.

    Their times are what their senders' homeservers wrote, and may be none.
    """
    first = timestamp(events[0].get("origin_server_ts")) if events else None
    until = "" if first is None else f" before {first:%H:%M:%S %Z}"
    return Card(
        tone=Tone.WARNING,
        title="I may have missed something here",
        text=f"I could not read what was said{until}, because {reason}. Please say a command again if it "
        "got no answer; what I have done already I shall not do twice.",
    )


def _is_unknown_token(error: ChatError) -> bool:
    """Whether a sync was refused for its token: M_UNKNOWN from Synapse, M_INVALID_PARAM from others."""
    if not isinstance(error, HomeserverError) or error.status != HTTPStatus.BAD_REQUEST:
        return False
    return error.errcode in ("M_UNKNOWN", "M_INVALID_PARAM", "M_UNKNOWN_POS", "M_BAD_JSON")


def _position_after(position: SyncPosition | None, response: Any) -> SyncPosition:
    """The position after a response."""
    last_events = dict(position.last_events) if position is not None else {}
    for room, info in response.rooms.join.items():
        for event in info.timeline.events:
            event_id = event.source.get("event_id")
            if isinstance(event_id, str):
                last_events[room] = event_id
    for room in response.rooms.leave:
        last_events.pop(room, None)
    return SyncPosition(response.next_batch, last_events)
