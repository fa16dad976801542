"""Socket Mode: two sockets, so that one stands while Slack renews the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from aiohttp import ClientWebSocketResponse
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from slipway.bot.chat.slack.transport.web_api import Connection, quiet_logger
from slipway.bot.chat.slack.transport.http_transport import Contact
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.core.errors import ChatError
from slipway.bot.core.waiting import Sleep

SOCKETS = 2
"""slack_sdk closes a socket that Slack renews before it opens the next. Events of that moment come again, but
presses, forms and slash commands do not; over a second socket they come at once. An app may have ten."""

LOOK_SECONDS = 1.0

LOST_AFTER = 30.0
"""Seconds without Slack's greeting on a working socket, after which everything about it is made anew."""

log = structlog.get_logger(__name__)


class Sockets:
    """The way in over Socket Mode; it is open while one of its sockets is.

    See :class:`slipway.bot.chat.slack.transport.http_transport.Way`.

    Args:
        settings: the app's tokens.
        connection: asks Slack for the sockets' addresses.
        contact: called whenever Slack was heard from.
        ping: seconds between two looks whether a socket still stands.
        apart: seconds between the openings of the two.
        sleep: waits before a socket that could not be opened is tried again.
    """

    def __init__(
        self,
        settings: SlackSettings,
        connection: Connection,
        contact: Contact,
        *,
        ping: float,
        apart: float,
        sleep: Sleep,
    ) -> None:
        self._sockets = [_Socket(settings, connection, contact, ping) for _ in range(SOCKETS)]
        self._apart = apart
        self._sleep = sleep

    @property
    def open(self) -> bool:
        """Whether events can come in now."""
        return any(socket.open for socket in self._sockets)

    async def serve(self, app: AsyncApp, stands: Contact) -> None:
        """Keep the sockets open until cancelled, or until none is left."""
        keeping = [
            asyncio.create_task(self._keep(number, app, stands), name="slack socket")
            for number in range(len(self._sockets))
        ]
        try:
            ended, _ = await asyncio.wait(keeping, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)

    async def _keep(self, number: int, app: AsyncApp, stands: Contact) -> None:
        """Keep one socket open, and return or raise only when there is no other."""
        await asyncio.sleep(number * self._apart)
        while True:
            try:
                await self._sockets[number].serve(app, stands, lambda: self._enough(number))
            except ChatError as error:
                if not self._held:
                    raise
                log.warning("one of the sockets to Slack could not be opened", problem=str(error))
                await self._sleep(max(LOST_AFTER, error.retry_after))
            else:
                if not self._held:
                    return

    @property
    def _held(self) -> bool:
        """Whether there is a socket, be it that it just comes back; one that does not is let go of in time."""
        return any(socket.held for socket in self._sockets)

    def _enough(self, number: int) -> bool:
        first, this = self._sockets[0], self._sockets[number]
        both = number > 0 and first.open and this.open
        return both and too_near(first.since, this.since, self._apart, time.monotonic())


def too_near(first: float, second: float, apart: float, now: float) -> bool:
    """Whether it is time to open the second socket anew, as a break of the line brought both back at once.

    Args:
        first: when Slack greeted on the first, in seconds of any clock.
        second: when it greeted on the second.
        apart: seconds that should lie between them; half of it will do.
        now: that clock's time.
    """
    return abs(second - first) < apart / 2 and now - first >= apart


class _Socket:
    """One socket. slack_sdk reconnects when Slack asks for it and when the line breaks."""

    def __init__(
        self, settings: SlackSettings, connection: Connection, contact: Contact, ping: float
    ) -> None:
        self._token = settings.app_token.get_secret_value() if settings.app_token else ""
        self._connection = connection
        self._contact = contact
        self._ping = ping
        self._client: SocketModeClient | None = None
        self._greeted: ClientWebSocketResponse | None = None
        self.since = 0.0
        """When Slack greeted, on the monotonic clock."""

    @property
    def held(self) -> bool:
        """Whether it is open or about to come back."""
        return self._client is not None

    @property
    def open(self) -> bool:
        """Whether the socket stands and Slack has greeted on it; before that nothing comes."""
        client = self._client
        session = None if client is None else client.current_session
        if client is None or session is None:
            return False
        return session is self._greeted and not session.closed and not client.stale

    async def serve(self, app: AsyncApp, stands: Contact, enough: Callable[[], bool]) -> None:
        """Keep it open until it is lost or has been open for long enough.

        Raises:
            ChatError: it cannot be opened.
        """
        # Asked for here first: the SDK would go on asking for ever with a token that does not work.
        opened = await self._connection.call(
            "open a socket",
            lambda client: client.apps_connections_open(app_token=self._token),
            by_app=True,
        )
        handler = AsyncSocketModeHandler(
            app,
            self._token,
            logger=quiet_logger(),
            web_client=self._connection.make_client(None),
            ping_interval=self._ping,
        )
        client = handler.client
        client.wss_uri = str(opened.get("url", ""))

        async def heard(_: object, message: Mapping[str, Any], __: str | None) -> None:
            self._contact()
            if message.get("type") == "hello":
                self._greeted, self.since = client.current_session, time.monotonic()
                stands()

        client.message_listeners.append(heard)
        self._client = client
        try:
            async with asyncio.timeout(LOST_AFTER):
                await client.connect()  # type: ignore[no-untyped-call]
            await self._watch(enough)
        except TimeoutError as error:
            raise ChatError("Could not open a socket to Slack in time.", passing=True) from error
        finally:
            self._client = self._greeted = None
            await _close(client)

    async def _watch(self, enough: Callable[[], bool]) -> None:
        """Return when the socket was not open for long: the SDK can go on trying an address that is used up."""
        lost: float | None = None
        while lost is None or time.monotonic() - lost < LOST_AFTER:
            await asyncio.sleep(LOOK_SECONDS)
            if enough():
                return
            if self.open:
                lost = None
            elif lost is None:
                lost = time.monotonic()
        log.warning("a socket to Slack was lost; making a new one")


async def _close(client: SocketModeClient) -> None:
    await client.close()  # type: ignore[no-untyped-call]
    tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
