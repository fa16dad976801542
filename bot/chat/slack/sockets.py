"""Socket Mode: two sockets, so that one stands while Slack renews the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import ClientWebSocketResponse
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.chat.slack.connection import Connection, quiet_logger
from bot.chat.slack.ways import Contact
from bot.config.settings import SlackSettings
from bot.errors import ChatError

SOCKETS = 2
"""slack_sdk closes a socket that Slack renews before it opens the next. Events of that moment come again, but
presses, forms and slash commands do not; over a second socket they come at once. An app may have ten."""

LOOK_SECONDS = 1.0

LOST_AFTER = 30.0
"""Seconds without Slack's greeting on a working socket, after which everything about it is made anew."""

log = structlog.get_logger(__name__)


class Sockets:
    """The way in over Socket Mode; it is open while one of its sockets is. See :class:`bot.chat.slack.ways.Way`.

    Args:
        settings: the app's tokens.
        connection: asks Slack for the sockets' addresses.
        contact: called whenever Slack was heard from.
        ping: seconds between two looks whether a socket still stands.
        apart: seconds between the openings of the two.
    """

    def __init__(
        self, settings: SlackSettings, connection: Connection, contact: Contact, *, ping: float, apart: float
    ) -> None:
        self._sockets = [_Socket(settings, connection, contact, ping) for _ in range(SOCKETS)]
        self._apart = apart

    @property
    def open(self) -> bool:
        """Whether events can come in now."""
        return any(socket.open for socket in self._sockets)

    async def serve(self, app: AsyncApp, stands: Contact) -> None:
        """Keep the sockets open until cancelled, or until none is left."""
        keeping = [
            asyncio.create_task(self._keep(socket, number * self._apart, app, stands), name="slack socket")
            for number, socket in enumerate(self._sockets)
        ]
        try:
            ended, _ = await asyncio.wait(keeping, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)

    async def _keep(self, socket: _Socket, after: float, app: AsyncApp, stands: Contact) -> None:
        """Keep one socket open, and return or raise only when no other is."""
        await asyncio.sleep(after)
        while True:
            try:
                await socket.serve(app, stands)
            except ChatError as error:
                if not self.open:
                    raise
                log.warning("one of the sockets to Slack could not be opened", problem=str(error))
                await asyncio.sleep(LOST_AFTER)
            else:
                if not self.open:
                    return


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

    @property
    def open(self) -> bool:
        """Whether the socket stands and Slack has greeted on it; before that nothing comes."""
        client = self._client
        session = None if client is None else client.current_session
        if client is None or session is None:
            return False
        return session is self._greeted and not session.closed and not client.stale

    async def serve(self, app: AsyncApp, stands: Contact) -> None:
        """Keep it open until it is lost.

        Raises:
            ChatError: it cannot be opened.
        """
        # Asked for here first: the SDK would go on asking for ever with a token that does not work.
        opened = await self._connection.call(
            "open a socket", lambda client: client.apps_connections_open(app_token=self._token)
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
                self._greeted = client.current_session
                stands()

        client.message_listeners.append(heard)
        self._client = client
        try:
            async with asyncio.timeout(LOST_AFTER):
                await client.connect()  # type: ignore[no-untyped-call]
            await self._watch()
        except TimeoutError as error:
            raise ChatError("Could not open a socket to Slack in time.", passing=True) from error
        finally:
            self._client = self._greeted = None
            await _close(client)

    async def _watch(self) -> None:
        """Return when the socket was not open for long: the SDK can go on trying an address that is used up."""
        lost: float | None = None
        while lost is None or time.monotonic() - lost < LOST_AFTER:
            await asyncio.sleep(LOOK_SECONDS)
            if self.open:
                lost = None
            elif lost is None:
                lost = time.monotonic()
        log.warning("a socket to Slack was lost; making a new one")


async def _close(client: SocketModeClient) -> None:
    await client.close()  # type: ignore[no-untyped-call]
    tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
