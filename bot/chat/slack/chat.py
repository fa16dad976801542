"""Slack as a chat: connection, ears and voice put together."""

from __future__ import annotations

import asyncio
import importlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.chat.model import Accept, Card, ChatHealth, Platform
from slipway.bot.chat.slack.sending.ephemeral import Aside
from slipway.bot.chat.slack.events.background import Chores
from slipway.bot.chat.slack.transport.web_api import Connection
from slipway.bot.chat.slack.interactions.handler import Desk
from slipway.bot.chat.slack.events.user_groups import Groups
from slipway.bot.chat.slack.house import HostCallbacks
from slipway.bot.chat.slack.sending.send_attempts import Begun, SlackMemory
from slipway.bot.chat.slack.transport.rate_limit import EDITS_APART, EDITS_AT_ONCE, Budget, Lanes, Latest
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.events.trust import Trust
from slipway.bot.chat.slack.sending.message_sender import Voice
from slipway.bot.chat.slack.interactions.views import Windows
from slipway.bot.chat.slack.settings import SlackSettings, SlackTransport
from slipway.bot.core.times import Clock, format_duration, system_clock
from slipway.bot.core.waiting import Sleep

if TYPE_CHECKING:
    from slipway.bot.chat.slack.events.event_listener import Ears
    from slipway.bot.chat.slack.transport.socket_mode import Sockets
    from slipway.bot.chat.slack.transport.http_transport import Requests

PING_SECONDS = 5.0

SOCKETS_APART = 60.0
"""Seconds between the openings of the two sockets: Slack renews a socket some hours after it was opened, and
both should not be gone at once. It also may limit ``apps.connections.open`` to once a minute (tier 1)."""

EDIT_INTERVAL = timedelta(seconds=2)
"""Of one message; of all together, see :data:`slipway.bot.chat.slack.transport.rate_limit.EDITS_APART`."""


class SlackChat:
    """Fulfils :class:`slipway.bot.chat.model.Chat` in a Slack workspace.

    Args:
        settings: the app and its channels.
        memory: keeps which messages were begun.
        clock: the time, for the pace and the bot's health.
        house: callables into the rest of the bot.
        sleep: waits between messages and tries.
        ping: seconds between two looks whether a socket still stands.
        apart: seconds between the openings of the two sockets.
        wall: the time that signatures of requests are compared with.
    """

    def __init__(
        self,
        settings: SlackSettings,
        memory: SlackMemory,
        clock: Clock,
        house: HostCallbacks,
        *,
        sleep: Sleep = asyncio.sleep,
        ping: float = PING_SECONDS,
        apart: float = SOCKETS_APART,
        wall: Clock = system_clock,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._house = house
        self._sleep = sleep
        self._ping = ping
        self._apart = apart
        self._wall = wall
        self._chores = Chores()
        self._last: datetime | None = None
        self._connection = Connection(settings, sleep)
        lanes = Lanes(clock, sleep)
        self._aside = Aside(self._connection, settings.request_timeout)
        self._edits = Latest(sleep, Budget(clock, sleep, EDITS_APART, EDITS_AT_ONCE))
        self._voice = Voice(self._connection, Begun(memory, clock), lanes, self._edits, self._aside)
        self._windows = Windows(self._connection, self._aside, house)
        self._groups = Groups(self._connection, memory, house, settings.groups_refresh)
        self._way: Sockets | Requests | None = None
        self._ears: Ears | None = None

    @property
    def platform(self) -> Platform:
        """Slack."""
        return SLACK

    @property
    def edit_interval(self) -> timedelta:
        """So that several operations can show their progress at once."""
        return EDIT_INTERVAL

    @property
    def port(self) -> int | None:
        """The port that is listened on, with HTTP, while it is open."""
        return getattr(self._way, "port", None)

    async def prepare(self) -> None:
        """Know who is in the user groups that give roles."""
        await self._groups.recall()

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled; lets go of the connection at the end.

        Raises:
            ChatError: Slack will not let the bot in, and waiting does not help.
        """
        # Bolt takes most of a second to load: not on the event loop, and not while the bot is put together.
        await asyncio.to_thread(importlib.import_module, "slipway.bot.chat.slack.events.event_listener")
        self._ears = self._make_ears()
        try:
            await self._ears.listen(accept)
        finally:
            await self.close()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card once for its key."""
        return await self._voice.say(room, card, thread=thread, key=key)

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace one of the bot's messages."""
        await self._voice.replace(room, message_id, card, thread=thread, key=key)

    async def close(self) -> None:
        """Let go of everything."""
        await self._chores.close()
        await self._edits.close()
        await self._connection.close()

    def health(self) -> ChatHealth:
        """Connected while events can come in; tells how long ago the last envelope came."""
        age = None if self._last is None else self._clock() - self._last
        is_open = self._way is not None and self._way.open
        trouble = (self._ears.trouble if self._ears is not None else "") or self._connection.locked_out
        detail = trouble or (self._detail(age) if is_open else "Not connected to Slack.")
        return ChatHealth(connected=is_open and not trouble, last_heard_from=age, detail=detail)

    def _detail(self, age: timedelta | None) -> str:
        name = self._connection.me.name if self._connection.me else "?"
        heard = "nothing heard yet" if age is None else f"last heard from {format_duration(age)} ago"
        return " ".join(filter(None, (f"Listening on Slack as @{name}, {heard}.", self._groups.problem)))

    def _make_ears(self) -> Ears:
        from slipway.bot.chat.slack.events.event_listener import Ears
        from slipway.bot.chat.slack.transport.socket_mode import Sockets
        from slipway.bot.chat.slack.transport.http_transport import Requests

        settings = self._settings
        if settings.transport is SlackTransport.SOCKET:
            self._way = Sockets(
                settings,
                self._connection,
                self._contact,
                ping=self._ping,
                apart=self._apart,
                sleep=self._sleep,
            )
        else:
            self._way = Requests(settings, self._contact, self._wall)
        return Ears(
            connection=self._connection,
            way=self._way,
            groups=self._groups,
            windows=self._windows,
            chores=self._chores,
            make_desk=self._make_desk,
            make_trust=lambda team: Trust(settings, team),
            sleep=self._sleep,
        )

    def _make_desk(self, trust: Trust) -> Desk:
        return Desk(
            trust=trust,
            house=self._house,
            aside=self._aside,
            windows=self._windows,
            chores=self._chores,
            clock=self._clock,
            home=self._settings.home or "",
        )

    def _contact(self) -> None:
        self._last = self._clock()
