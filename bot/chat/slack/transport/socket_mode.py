"""Socket Mode: two connections, so that one is open while Slack renews the other."""

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
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.chat.slack.transport.sdk_logging import sdk_logger
from slipway.bot.chat.slack.transport.shapes import MALFORMED, is_sound
from slipway.bot.chat.slack.transport.transport import Notify
from slipway.bot.chat.slack.transport.web_api import WebApi
from slipway.bot.core.errors import ChatError
from slipway.bot.core.waiting import Sleep

CONNECTIONS = 2
"""slack_sdk closes a socket that Slack renews before it opens the next. Events of that moment come again, but
presses, forms and slash commands do not; over a second socket they come at once. An app may have ten."""

CHECK_SECONDS = 1.0

RECONNECT_AFTER = 30.0
"""Seconds without a hello from Slack, after which a connection is made anew from the beginning."""

log = structlog.get_logger(__name__)


class SocketModeTransport:
    """Events over Socket Mode; open while one of its connections is.

    See :class:`slipway.bot.chat.slack.transport.transport.Transport`.

    Args:
        settings: the app's tokens.
        api: asks Slack for the sockets' addresses.
        on_activity: called whenever something came from Slack.
        ping_interval: seconds between two checks whether a socket is still open.
        opening_interval: seconds between the openings of the two.
        sleep: waits before a socket that could not be opened is tried again.
    """

    def __init__(
        self,
        settings: SlackSettings,
        api: WebApi,
        on_activity: Notify,
        *,
        ping_interval: float,
        opening_interval: float,
        sleep: Sleep,
    ) -> None:
        self._connections = [
            _SocketConnection(settings, api, on_activity, ping_interval) for _ in range(CONNECTIONS)
        ]
        self._opening_interval = opening_interval
        self._sleep = sleep

    @property
    def is_open(self) -> bool:
        """Whether events can come in now."""
        return any(connection.is_open for connection in self._connections)

    async def serve(self, app: AsyncApp, on_open: Notify) -> None:
        """Keep the sockets open until cancelled, or until none is left."""
        tasks = [
            asyncio.create_task(self._keep(number, app, on_open), name="slack socket")
            for number in range(len(self._connections))
        ]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, number: int, app: AsyncApp, on_open: Notify) -> None:
        """Keep one socket open, and return or raise only when there is no other."""
        await asyncio.sleep(number * self._opening_interval)
        while True:
            try:
                await self._connections[number].serve(app, on_open, lambda: self._should_reopen(number))
            except ChatError as error:
                if not self._any_active:
                    raise
                log.warning("one of the sockets to Slack could not be opened", problem=str(error))
                await self._sleep(max(RECONNECT_AFTER, error.retry_after))
            else:
                if not self._any_active:
                    return

    @property
    def _any_active(self) -> bool:
        """Whether one is open, or about to be again; one that is not for long is given up."""
        return any(connection.active for connection in self._connections)

    def _should_reopen(self, number: int) -> bool:
        first, this = self._connections[0], self._connections[number]
        if number == 0 or not (first.is_open and this.is_open):
            return False
        return opened_too_close(first.opened_at, this.opened_at, self._opening_interval, time.monotonic())


def opened_too_close(first: float, second: float, opening_interval: float, now: float) -> bool:
    """Whether it is time to open the second socket anew, as a break of the line brought both back at once.

    Args:
        first: when Slack said hello on the first, in seconds of any clock.
        second: when it did on the second.
        opening_interval: seconds that should lie between them; half of it will do.
        now: that clock's time.
    """
    return abs(second - first) < opening_interval / 2 and now - first >= opening_interval


class _Handler(AsyncSocketModeHandler):
    """Hands to Bolt what has the form that it expects. What else comes is acknowledged: it would only come again."""

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        if is_sound(req.payload):
            try:
                await super().handle(client, req)  # type: ignore[arg-type]
            except MALFORMED:
                pass
            else:
                return
        log.warning(
            "what came over a socket of Slack's had another form than any that it sends", kind=req.type
        )
        await client.send_socket_mode_response(SocketModeResponse(req.envelope_id))


class _SocketConnection:
    """One socket. slack_sdk reconnects when Slack asks for it and when the line breaks."""

    def __init__(
        self, settings: SlackSettings, api: WebApi, on_activity: Notify, ping_interval: float
    ) -> None:
        self._token = settings.app_token.get_secret_value() if settings.app_token else ""
        self._api = api
        self._on_activity = on_activity
        self._ping_interval = ping_interval
        self._client: SocketModeClient | None = None
        self._greeted_session: ClientWebSocketResponse | None = None
        self.opened_at = 0.0
        """When Slack said hello, on the monotonic clock."""

    @property
    def active(self) -> bool:
        """Whether it is open or about to come back."""
        return self._client is not None

    @property
    def is_open(self) -> bool:
        """Whether the socket is open and Slack has said hello on it; before that nothing comes."""
        client = self._client
        session = None if client is None else client.current_session
        if client is None or session is None:
            return False
        return session is self._greeted_session and not session.closed and not client.stale

    async def serve(self, app: AsyncApp, on_open: Notify, should_reopen: Callable[[], bool]) -> None:
        """Keep it open until it is lost or has been open for long enough.

        Raises:
            ChatError: it cannot be opened.
        """
        # Asked for here first: the SDK would go on asking for ever with a token that does not work.
        response = await self._api.call(
            "open a socket",
            lambda client: client.apps_connections_open(app_token=self._token),
            with_app_token=True,
        )
        handler = _Handler(
            app,
            self._token,
            logger=sdk_logger(),
            web_client=self._api.new_client(None),
            ping_interval=self._ping_interval,
        )
        client = handler.client
        client.wss_uri = str(response.get("url", ""))

        async def on_message(_: object, message: Mapping[str, Any], __: str | None) -> None:
            self._on_activity()
            if message.get("type") == "hello":
                self._greeted_session, self.opened_at = client.current_session, time.monotonic()
                on_open()

        client.message_listeners.append(on_message)
        self._client = client
        try:
            async with asyncio.timeout(RECONNECT_AFTER):
                await client.connect()  # type: ignore[no-untyped-call]
            await self._watch(should_reopen)
        except TimeoutError as error:
            raise ChatError("Could not open a socket to Slack in time.", passing=True) from error
        finally:
            self._client = self._greeted_session = None
            await _close(client)

    async def _watch(self, should_reopen: Callable[[], bool]) -> None:
        """Return when the socket was not open for long: the SDK can go on trying an address that is used up."""
        lost: float | None = None
        while lost is None or time.monotonic() - lost < RECONNECT_AFTER:
            await asyncio.sleep(CHECK_SECONDS)
            if should_reopen():
                return
            if self.is_open:
                lost = None
            elif lost is None:
                lost = time.monotonic()
        log.warning("a socket to Slack was lost; making a new one")


async def _close(client: SocketModeClient) -> None:
    await client.close()  # type: ignore[no-untyped-call]
    tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
