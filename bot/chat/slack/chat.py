"""Slack as a chat: the Web API, listening and sending put together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.chat.declaration import HostCallbacks, KeyValueStore
from slipway.bot.chat.model import Accept, Card, ChatHealth, Platform, PrivateFile
from slipway.bot.chat.shared.edits import LatestEdits
from slipway.bot.chat.shared.payloads import text_at
from slipway.bot.chat.slack.events.accounts import Accounts
from slipway.bot.chat.slack.events.background import BackgroundTasks
from slipway.bot.chat.slack.events.channels import why_gone
from slipway.bot.chat.slack.events.message_events import time_of
from slipway.bot.chat.slack.events.trust import TrustPolicy
from slipway.bot.chat.slack.events.user_groups import GROUPS, UserGroups
from slipway.bot.chat.slack.ids import is_direct
from slipway.bot.chat.slack.interactions.handler import HOME, InteractionHandler
from slipway.bot.chat.slack.interactions.interaction import InteractionReader
from slipway.bot.chat.slack.interactions.views import Views
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.sending.ephemeral import EphemeralMessages
from slipway.bot.chat.slack.sending.message_sender import MessageSender
from slipway.bot.chat.slack.sending.send_attempts import SendAttempts
from slipway.bot.chat.slack.settings import SlackSettings, SlackTransport
from slipway.bot.chat.slack.transport.rate_limit import (
    EDITS_BURST,
    EDITS_INTERVAL,
    SETTLE_SECONDS,
    CallRateLimit,
    ChannelRateLimit,
)
from slipway.bot.chat.slack.transport.web_api import BotIdentity, WebApi
from slipway.bot.core.errors import ChatError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.http.routes import PublicHttp
from slipway.bot.core.loading import LIBRARY_IMPORT
from slipway.bot.core.model import Json
from slipway.bot.core.platform_clock import WRONG_BY
from slipway.bot.core.times import Clock, format_duration, system_clock
from slipway.bot.core.waiting import Sleep

if TYPE_CHECKING:
    from slipway.bot.chat.slack.events.event_listener import EventListener
    from slipway.bot.chat.slack.transport.http_transport import HttpTransport
    from slipway.bot.chat.slack.transport.socket_mode import SocketModeTransport

PING_INTERVAL = 5.0

OPENING_INTERVAL = 60.0
"""Seconds between the openings of the two sockets: Slack renews a socket some hours after it was opened, and
both should not be gone at once. It also may limit ``apps.connections.open`` to once a minute (tier 1)."""

EDIT_INTERVAL = timedelta(seconds=2)
"""Of one message; of all together, see :data:`slipway.bot.chat.slack.transport.rate_limit.EDITS_INTERVAL`."""


class SlackChat:
    """Fulfils :class:`slipway.bot.chat.model.Chat` in a Slack workspace.

    Args:
        settings: the app and its channels.
        store: keeps which messages were begun, and who is in the user groups.
        clock: the time, for rate limits and the bot's health.
        callbacks: the rest of the bot.
        http: where Slack's requests are heard, with HTTP.
        sleep: waits between messages and tries.
        ping_interval: seconds between two checks whether a socket is still open.
        opening_interval: seconds between the openings of the two sockets.
        wall_clock: the time that signatures of requests are compared with.
        fence: asked right before each call.
    """

    def __init__(
        self,
        settings: SlackSettings,
        store: KeyValueStore,
        clock: Clock,
        callbacks: HostCallbacks,
        http: PublicHttp,
        *,
        sleep: Sleep = asyncio.sleep,
        ping_interval: float = PING_INTERVAL,
        opening_interval: float = OPENING_INTERVAL,
        wall_clock: Clock = system_clock,
        fence: Fence = NO_FENCE,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._callbacks = callbacks
        self._http = http
        self._sleep = sleep
        self._ping_interval = ping_interval
        self._opening_interval = opening_interval
        self._wall_clock = wall_clock
        self._background = BackgroundTasks()
        self._last_activity: datetime | None = None
        self._api = WebApi(settings, sleep, clock, fence)
        channel_limit = ChannelRateLimit(clock, sleep)
        self._ephemeral = EphemeralMessages(
            self._api, settings.request_timeout, callbacks.works, callbacks.relay
        )
        self._edits = LatestEdits(
            CallRateLimit(clock, sleep, EDITS_INTERVAL, EDITS_BURST).wait,
            settle=lambda: sleep(SETTLE_SECONDS),
            closed=ChatError("Could not change a message: the chat was closed.", passing=False),
        )
        attempts = SendAttempts(store, clock)
        self._sender = MessageSender(self._api, attempts, channel_limit, self._edits, self._ephemeral)
        self._views = Views(self._api, self._ephemeral, callbacks)
        self._groups = UserGroups(self._api, store, callbacks, settings.groups_refresh)
        self._transport: SocketModeTransport | HttpTransport | None = None
        self._listener: EventListener | None = None

    @property
    def platform(self) -> Platform:
        """Slack."""
        return SLACK

    @property
    def edit_interval(self) -> timedelta:
        """So that several operations can show their progress at once."""
        return EDIT_INTERVAL

    def _slack_time(self) -> datetime:
        """The time by Slack's clock, as far as the bot's is known to be wrong: what is pressed bears none."""
        ahead = self._api.platform_clock.ahead
        return self._clock() - (ahead if ahead is not None and abs(ahead) >= WRONG_BY else timedelta(0))

    @property
    def offers_shortcuts(self) -> bool:
        """As buttons."""
        return True

    @property
    def asks_for_codes(self) -> bool:
        """In a modal."""
        return True

    @property
    def port(self) -> int | None:
        """The port that is listened on, with HTTP, while it is open."""
        return getattr(self._transport, "port", None)

    async def prepare(self) -> None:
        """Know who is in the user groups that give roles."""
        await self._groups.load()

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled; lets go of the connection at the end.

        Raises:
            ChatError: Slack will not let the bot in, and waiting does not help.
        """
        # Bolt takes most of a second to load: not on the event loop, and not while the bot is put together.
        await asyncio.to_thread(_import_bolt)
        self._listener = self._make_listener()
        try:
            await self._listener.listen(accept)
        finally:
            await self.close()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card once for its key."""
        return await self._sender.send(room, card, thread=thread, key=key)

    async def send_unrecorded(self, room: str, card: Card) -> str:
        """Send a card without noting that it was attempted."""
        return await self._sender.send_unrecorded(room, card)

    async def answer_elsewhere(self, key: str, why: str) -> None:
        """By the ``response_url`` of a slash command, say."""
        await self._ephemeral.respond_to_event(key, why)

    async def relayed(self, content: Json) -> None:
        """Of an event that Slack gave to another replica: who was where, what is to be shown or told anew."""
        if not isinstance(content, Mapping):
            return
        if GROUPS in content:
            self._groups.request_refresh()
        elif HOME in content and self._callbacks.works():
            user, account = text_at(content, HOME), text_at(content, "account")
            self._background.start(self._views.publish_home_until_idle(user, account), "show Home anew")
        else:
            await self._ephemeral.relayed(content)

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace one of the bot's messages."""
        await self._sender.edit(room, message_id, card, thread=thread, key=key)

    async def direct_room(self, account: str) -> str:
        """The direct conversation with somebody."""
        return await self._ephemeral.channel_of(account.partition("/")[0])

    async def send_private_file(self, account: str, file: PrivateFile, *, key: str) -> None:
        """Into the direct conversation with somebody."""
        await self._sender.send_private_file(account, file, key=key)

    async def why_gone(self, room: str) -> str | None:
        """By ``conversations.info``; a direct conversation is never gone."""
        return await why_gone(self._api, room)

    async def is_direct(self, room: str) -> bool:
        """By its id."""
        return is_direct(room)

    def is_private(self, room: str) -> bool:
        """A direct message, by its id."""
        return is_direct(room)

    async def sent_at(self, room: str, message_id: str) -> datetime | None:
        """A message's id is the time at which Slack took it."""
        return time_of(message_id)

    async def close(self) -> None:
        """Let go of everything."""
        await self._background.close()
        await self._edits.close()
        await self._api.close()

    def health(self) -> ChatHealth:
        """Connected while events can come in; tells how long ago the last envelope came."""
        age = None if self._last_activity is None else self._clock() - self._last_activity
        is_open = self._transport is not None and self._transport.is_open
        problem = (self._listener.problem if self._listener is not None else "") or self._api.token_problem
        detail = problem or (self._detail(age) if is_open else "Not connected to Slack.")
        return ChatHealth(
            connected=is_open and not problem,
            last_heard_from=age,
            detail=detail,
            clock_ahead=self._api.platform_clock.ahead,
        )

    def _detail(self, age: timedelta | None) -> str:
        name = self._api.identity.name if self._api.identity else "?"
        heard = "nothing heard yet" if age is None else f"last heard from {format_duration(age)} ago"
        return " ".join(filter(None, (f"Listening on Slack as @{name}, {heard}.", self._groups.problem)))

    def _make_listener(self) -> EventListener:
        from slipway.bot.chat.slack.events.event_listener import EventListener
        from slipway.bot.chat.slack.transport.http_transport import HttpTransport
        from slipway.bot.chat.slack.transport.socket_mode import SocketModeTransport

        settings = self._settings
        if settings.transport is SlackTransport.SOCKET:
            self._transport = SocketModeTransport(
                settings,
                self._api,
                self._on_activity,
                ping_interval=self._ping_interval,
                opening_interval=self._opening_interval,
                sleep=self._sleep,
            )
        else:
            self._transport = HttpTransport(settings, self._http, self._on_activity, self._wall_clock)
        return EventListener(
            api=self._api,
            transport=self._transport,
            groups=self._groups,
            views=self._views,
            background=self._background,
            make_interaction_handler=self._make_interaction_handler,
            make_accounts=self._make_accounts,
            answers=self._callbacks.answers,
            room_changed=self._callbacks.room_changed,
            relay=self._callbacks.relay,
            clock=self._clock,
            sleep=self._sleep,
        )

    def _make_accounts(self, identity: BotIdentity) -> Accounts:
        trust = TrustPolicy(self._settings, identity.teams, identity.enterprise)
        return Accounts(self._api, trust, identity, self._clock)

    def _make_interaction_handler(self, accounts: Accounts) -> InteractionHandler:
        return InteractionHandler(
            reader=InteractionReader(accounts, self._slack_time, self._settings.home or ""),
            callbacks=self._callbacks,
            ephemeral=self._ephemeral,
            views=self._views,
            background=self._background,
        )

    def _on_activity(self) -> None:
        self._last_activity = self._clock()


def _import_bolt() -> None:
    with LIBRARY_IMPORT:
        import slipway.bot.chat.slack.events.event_listener  # noqa: F401
