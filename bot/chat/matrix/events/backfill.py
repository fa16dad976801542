"""What a sync left out (a limited timeline): read page by page, back to the last known event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from slipway.bot.chat.matrix.events.parsing import is_own_join
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.matrix.transport.retries import ask_with_retries
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep

PAGE_SIZE = 100
"""Events asked for at once."""

MAX_PAGES = 50
"""Pages read back in one room: 5,000 events, or ten minutes with eight messages a second."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class BackfilledEvents:
    """What was read back, oldest first, as nio's events.

    ``complete`` is false if there may be more that is young enough to matter; ``reason`` then says why it is
    not here, to follow “because”.
    """

    events: tuple[Any, ...]
    complete: bool = True
    reason: str = ""


class Backfill:
    """Reads back what syncs left out.

    Args:
        connection: makes calls to the homeserver.
        clock: the time.
        max_age: what is older is not acted on, so it need not be read.
        sleep: waits between tries.
        max_pages: how far back one room is read.
    """

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        *,
        max_age: timedelta,
        sleep: Sleep,
        max_pages: int = MAX_PAGES,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._max_age = max_age
        self._sleep = sleep
        self._max_pages = max_pages

    async def fetch(self, room: str, before: str, last_seen: str | None) -> BackfilledEvents:
        """The events of a room before a token, back to the one seen last, to the bot's own join, or to
        where all is too old to be acted on.

        Args:
            room: the room's id.
            before: the ``prev_batch`` of the limited timeline.
            last_seen: the id of the last event taken in; None if there is none.
        """
        oldest = self._clock() - self._max_age
        found: list[Any] = []
        token: str | None = before
        for _ in range(self._max_pages):
            try:
                page = await self._page(room, token)
            except ChatError as error:
                log.warning("missed messages could not be read", room=room, problem=str(error))
                return BackfilledEvents(
                    _oldest_first(found), complete=False, reason="the homeserver did not give it to me"
                )
            new, done = self._until_known(page.chunk, last_seen, oldest)
            found += new
            if done or not page.end or page.end == token:
                log.info("read missed messages", room=room, events=len(found))
                return BackfilledEvents(_oldest_first(found))
            token = page.end
        log.warning("too many messages were missed", room=room, events=len(found))
        return BackfilledEvents(_oldest_first(found), complete=False, reason="too much was said at once")

    def _until_known(
        self, chunk: Sequence[Any], last_seen: str | None, oldest: datetime
    ) -> tuple[Sequence[Any], bool]:
        """The new events of a page, newest first, and whether none but known or old ones can follow."""
        for index, event in enumerate(chunk):
            if event.source.get("event_id") == last_seen:
                return chunk[:index], True
            if is_own_join(event.source, self._connection.user_id):
                return chunk[: index + 1], True
        # A single old time proves nothing, senders write it themselves; a whole page of them does.
        return chunk, bool(chunk) and all(_is_older(event.source, oldest) for event in chunk)

    async def _page(self, room: str, token: str | None) -> Any:
        """One page, asked for again while the homeserver cannot answer.

        Raises:
            ChatError: it does not give the page.
        """
        return await ask_with_retries(
            lambda: self._connection.request(
                f"read back in {room}",
                lambda client: client.room_messages(room, start=token, limit=PAGE_SIZE),
            ),
            self._sleep,
        )


def _oldest_first(newest_first: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(reversed(newest_first))


def _is_older(event: Mapping[str, Any], oldest: datetime) -> bool:
    sent = event.get("origin_server_ts")
    return isinstance(sent, int) and sent < oldest.timestamp() * 1000
