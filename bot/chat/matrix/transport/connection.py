"""The connection to the homeserver: one logged-in matrix-nio client, its calls with timeouts and plain errors."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
import structlog

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.encryption.key_manager import KeyManager
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.api import (
    Client,
    authenticated_requests,
    await_response,
    request_json,
)
from slipway.bot.chat.matrix.transport.errors import HomeserverError, error_from_response
from slipway.bot.chat.matrix.transport.session import Session, SessionOpener
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.core.errors import ChatError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.platform_clock import PlatformClock
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.waiting import Sleep

TRANSACTION = "slipway.transaction"
"""The key under which an event says which transaction it was, where there are several replicas."""

log = structlog.get_logger(__name__)

_SOFT_LOGOUT = {"errcode": "M_UNKNOWN_TOKEN", "soft_logout": True}

_MAX_RETRIES = 4  # how often a call is tried again after 429, when the server says that it may be
_PROBE_TIMEOUT = 3.0  # seconds that a homeserver may take to say that it is there
_MAX_RETRY_AFTER = 30.0  # what a server may ask for within one call, in seconds; more is not waited for

# A server gives 10 events a room unless asked, and caps what may be asked at 100
# (Synapse: filter_timeline_limit).
_SYNC_FILTER = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {
        "state": {"lazy_load_members": True},
        "timeline": {"limit": 100, "lazy_load_members": True},
        "ephemeral": {"types": []},
        "account_data": {"types": []},
    },
}


class Connection:
    """Logs in at first use and stays logged in until closed.

    When the homeserver ends the token and keeps the device (a soft logout), it logs in again with the
    password, as the same device.

    Args:
        settings: the account.
        sleep: waits where the homeserver asks to.
        store: keeps the login and the encryption keys; without one, nothing is encrypted.
        clock: the bot's, which is compared with the homeserver's.
        fence: asked right before each event is sent.
        marks: whether events say which transaction they were, for other devices of the bot.
    """

    def __init__(
        self,
        settings: MatrixSettings,
        sleep: Sleep = asyncio.sleep,
        *,
        store: AccountStore | None = None,
        clock: Clock = system_clock,
        fence: Fence = NO_FENCE,
        marks: bool = False,
    ) -> None:
        self._sleep = sleep
        self._marks = marks
        self._fence = fence
        self.platform_clock = PlatformClock(clock)
        self._homeserver = settings.homeserver.rstrip("/")
        self._session_opener = SessionOpener(settings, store)
        self._call_timeout = self._session_opener.call_timeout
        self._session: Session | None = None
        self._session_lock = asyncio.Lock()
        self.user_id = settings.user_id
        self.display_name = ""

    async def close(self) -> None:
        """Let go of the connection; a later call opens it again."""
        async with self._session_lock:
            session, self._session = self._session, None
            if session is not None:
                await session.close()

    async def request(
        self, what: str, call: Callable[[Client], Awaitable[Any]], *, wait_when_limited: bool = True
    ) -> Any:
        """Make a call with the logged-in client, and give nio's answer back if it is not an error.

        Args:
            what: what the call does, to follow “could not”: ``send a message``.
            call: gets nio's client.
            wait_when_limited: whether to wait and try again after 429; otherwise that is an error at once.

        Raises:
            HomeserverError: the homeserver answered with an error.
            ChatError: it could not be reached, or took too long.
        """
        for _ in range(_MAX_RETRIES if wait_when_limited else 0):
            try:
                return await self._call(what, call, self._call_timeout)
            except HomeserverError as error:
                if not error.rate_limited or error.retry_after > _MAX_RETRY_AFTER:
                    raise
                await self._sleep(error.retry_after)
        return await self._call(what, call, self._call_timeout)

    async def get_json(self, what: str, path: str) -> JsonObject:
        """Read a JSON object from the client-server API, for what nio has no usable call for.

        Raises:
            ChatError: as :meth:`request`.
        """

        answer: JsonObject = await self.request(
            what, lambda client: request_json(authenticated_requests(client), what, "GET", path)
        )
        return answer

    async def post_json(self, what: str, path: str, body: JsonObject) -> JsonObject:
        """Make a call with a JSON object, for what nio has no usable call for.

        Raises:
            ChatError: as :meth:`request`.
        """

        answer: JsonObject = await self.request(
            what, lambda client: request_json(authenticated_requests(client), what, "POST", path, body)
        )
        return answer

    async def send(self, room: str, kind: str, content: JsonObject, tx_id: str, *, encrypted: bool) -> str:
        """Send an event, once for its transaction id, and return the event's id.

        Args:
            room: the room's id.
            kind: the event's type.
            content: what it says.
            tx_id: names the transaction.
            encrypted: whether the event is encrypted for the room's members; reactions never are.

        Raises:
            HomeserverError: the homeserver answered with an error, too many requests among them.
            ChatError: it could not be reached, or the room's key could not be shared.
        """

        async def call(client: Client) -> str:
            sent_kind, sent = kind, content
            if encrypted:
                if self.keys is None:
                    raise ChatError(f"The room {room} is encrypted, and encryption is off.", passing=False)
                sent_kind, sent = await self.keys.encrypt(room, kind, content)
            path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/send/{sent_kind}/{quote(tx_id, safe='')}"
            if self._marks:
                sent = {**sent, TRANSACTION: tx_id}
            await self._fence.undisputed()
            answer = await request_json(authenticated_requests(client), f"send to {room}", "PUT", path, sent)
            return str(answer["event_id"])

        return str(await self.request(f"send to {room}", call, wait_when_limited=False))

    async def sync(self, since: str | None, *, full_state: bool, poll: float) -> Any:
        """Wait up to ``poll`` seconds for new events since a token.

        ``full_state`` asks for all rooms' state and does not wait.

        Raises:
            ChatError: as :meth:`request`.
        """

        def call(client: Client) -> Awaitable[Any]:
            # nio ignores an answer that carries the token it holds. Were its handling of one cut short, by
            # the timeout say, it would ignore it when it comes again.
            client.next_batch = ""
            answer: Awaitable[Any] = client.sync(
                timeout=_unique_timeout() if full_state else int(poll * 1000),
                sync_filter=_SYNC_FILTER,
                since=since,
                full_state=full_state or None,
            )
            return answer

        began = time.monotonic()
        response = await self._call("ask for what is new", call, poll + self._call_timeout)
        date = response.transport_response.headers.get("Date")
        self.platform_clock.note(date, timedelta(seconds=time.monotonic() - began))
        if self.keys is not None:
            # The body was read already; nio keeps of it only what it knows.
            body = await response.transport_response.json()
            await self.keys.after_sync(response, body.get("device_unused_fallback_key_types"))
        return response

    async def answers(self) -> bool:
        """Whether the homeserver answers at all, by the cheapest call that there is; needs no login."""
        timeout = aiohttp.ClientTimeout(total=_PROBE_TIMEOUT)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{self._homeserver}/_matrix/client/versions") as answer,
            ):
                return answer.status == HTTPStatus.OK
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    @property
    def encryption_enabled(self) -> bool:
        """Whether the bot works in encrypted rooms."""
        return self._session_opener.encryption_enabled

    @property
    def keys(self) -> KeyManager | None:
        """The device's keys, once connected; None where nothing is encrypted."""
        return None if self._session is None else self._session.keys

    def room(self, room_id: str) -> Any | None:
        """What nio knows of a joined room from the syncs so far; None if it has not been seen."""
        return None if self._session is None else self._session.client.rooms.get(room_id)

    async def _call(self, what: str, call: Callable[[Client], Awaitable[Any]], seconds: float) -> Any:
        """Make a call; after a soft logout log in again, once, and repeat it."""
        client = await self._open_client()
        token = client.access_token
        try:
            if not token:  # nio drops it at a soft logout, which another call has seen just now
                raise error_from_response(what, HTTPStatus.UNAUTHORIZED, _SOFT_LOGOUT)
            return await await_response(what, call(client), seconds)
        except HomeserverError as error:
            if error.logged_out != "soft" or not self._session_opener.has_password:
                raise
        await self._renew(client, token)
        return await await_response(what, call(client), seconds)

    async def _renew(self, client: Client, ended: str) -> None:
        """Get a new token for the same device, unless somebody else has just done so."""
        async with self._session_lock:
            if client.access_token not in ("", ended):
                return
            await self._session_opener.renew(client)
            log.info("logged in again after the homeserver ended the token", device=client.device_id)

    async def _open_client(self) -> Client:
        async with self._session_lock:
            if self._session is None:
                session = await self._session_opener.open()
                try:
                    await self._fetch_display_name(session.client)
                except BaseException:
                    await session.close()
                    raise
                self._session = session
            return self._session.client

    async def _fetch_display_name(self, client: Client) -> None:
        try:
            name = await await_response("read the bot's name", client.get_displayname(), self._call_timeout)
            self.display_name = name.displayname or ""
        except HomeserverError as error:
            if error.passing:
                raise
            self.display_name = ""  # an account without a profile


def _unique_timeout() -> int:
    """A time limit for a sync that does not wait, which makes its request differ from all earlier ones.

    Synapse keeps a sync's answer for two minutes and gives it again to the same request
    (``sync_response_cache_duration``): a bot that starts twice would be told what was new at its first start.
    """
    return 1 + secrets.randbelow(1_000_000_000)
