"""The line to the homeserver: one logged-in matrix-nio client, its calls with timeouts and plain errors."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Literal

import aiohttp
import structlog

from bot.config.settings import MatrixSettings
from bot.errors import ChatError

Client = Any
"""nio.AsyncClient; nio ships no type information."""

log = structlog.get_logger(__name__)

_ERRCODE = re.compile(r"[A-Z][A-Z0-9_.]{0,60}", re.ASCII)

# How often nio itself tries again; its own default is for ever.
_MAX_TIMED_OUT = 1
_MAX_RATE_LIMITED = 4  # how often a call is tried again after 429, when the server says that it may be
_LONGEST_ASKED_WAIT = 30.0  # what a server may ask for within one call, in seconds; more is not waited for
_PATIENCE = 3  # a call with all of its tries may take this many request timeouts

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


class HomeserverError(ChatError):
    """The homeserver answered with an error.

    Args:
        sentence: what was not done, with Matrix's error code.
        passing: whether a later try may succeed.
        errcode: Matrix's code such as ``M_FORBIDDEN``; empty if the answer had none.
        status: the HTTP status.
        retry_after: seconds that the server asks to wait; 0 if it does not say.
        logged_out: ``soft`` if the token ended and the device lives on, ``hard`` if the device is gone too.
    """

    def __init__(
        self,
        sentence: str,
        *,
        passing: bool,
        errcode: str = "",
        status: int = 0,
        retry_after: float = 0.0,
        logged_out: Literal["", "soft", "hard"] = "",
    ) -> None:
        super().__init__(sentence, passing=passing)
        self.errcode = errcode
        self.status = status
        self.retry_after = retry_after
        self.logged_out = logged_out

    @property
    def limited(self) -> bool:
        """Whether the homeserver finds that too much is asked of it."""
        return self.errcode == "M_LIMIT_EXCEEDED" or self.status == HTTPStatus.TOO_MANY_REQUESTS


class Connection:
    """Logs in at first use and stays logged in until closed.

    When the homeserver ends the token and keeps the device (a soft logout), it logs in again with the
    password, as the same device.
    """

    def __init__(
        self, settings: MatrixSettings, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._client: Client | None = None
        self._opening = asyncio.Lock()
        self.user_id = settings.user_id
        self.display_name = ""

    async def close(self) -> None:
        """Let go of the connection; a later call opens it again."""
        async with self._opening:
            client, self._client = self._client, None
            if client is not None:
                await client.close()

    async def request(
        self, what: str, call: Callable[[Client], Awaitable[Any]], *, patient: bool = True
    ) -> Any:
        """Make a call with the logged-in client, and give nio's answer back if it is not an error.

        Args:
            what: what the call does, to follow “could not”: ``send a message``.
            call: gets nio's client.
            patient: whether to wait and try again when too much was asked; otherwise that is an error at once.

        Raises:
            HomeserverError: the homeserver answered with an error.
            ChatError: it could not be reached, or took too long.
        """
        for _ in range(_MAX_RATE_LIMITED if patient else 0):
            try:
                return await self._logged_in(what, call, self._patience)
            except HomeserverError as error:
                if not error.limited or error.retry_after > _LONGEST_ASKED_WAIT:
                    raise
                await self._sleep(error.retry_after)
        return await self._logged_in(what, call, self._patience)

    async def get_json(self, what: str, path: str) -> dict[str, Any]:
        """Read a JSON object from the client-server API, for what nio has no usable call for.

        Raises:
            ChatError: as :meth:`request`.
        """

        async def read(client: Client) -> dict[str, Any]:
            headers = {"Authorization": f"Bearer {client.access_token}"}
            async with await client.send("GET", path, headers=headers) as answer:
                body: object = await answer.json(content_type=None)
                found = body if isinstance(body, dict) else {}
                if answer.status != HTTPStatus.OK:
                    raise _refusal(what, answer.status, found)
                return found

        answer: dict[str, Any] = await self.request(what, read)
        return answer

    async def sync(self, since: str | None, *, full_state: bool, poll: float) -> Any:
        """Wait up to ``poll`` seconds for news since a token.

        ``full_state`` asks for all rooms' state and does not wait.

        Raises:
            ChatError: as :meth:`request`.
        """

        def call(client: Client) -> Awaitable[Any]:
            # nio ignores an answer that carries the token it holds. Were its handling of one cut short, by
            # the timeout say, it would ignore it when it comes again.
            client.next_batch = ""
            answer: Awaitable[Any] = client.sync(
                timeout=0 if full_state else int(poll * 1000),
                sync_filter=_SYNC_FILTER,
                since=since,
                full_state=full_state or None,
            )
            return answer

        return await self._logged_in("read the news", call, poll + self._patience)

    def room(self, room_id: str) -> Any | None:
        """What nio knows of a joined room from the syncs so far; None if it has not been seen."""
        return None if self._client is None else self._client.rooms.get(room_id)

    @property
    def _patience(self) -> float:
        return self._settings.request_timeout.total_seconds() * _PATIENCE

    async def _logged_in(self, what: str, call: Callable[[Client], Awaitable[Any]], seconds: float) -> Any:
        """Make a call; after a soft logout log in again, once, and repeat it."""
        client = await self._ready()
        token = client.access_token
        try:
            return await self._try(what, call(client), seconds)
        except HomeserverError as error:
            if error.logged_out != "soft" or self._settings.password is None:
                raise
        await self._renew(client, token)
        return await self._try(what, call(client), seconds)

    async def _renew(self, client: Client, ended: str) -> None:
        """Get a new token for the same device, unless somebody else has just done so."""
        async with self._opening:
            if client.access_token != ended:
                return
            assert self._settings.password is not None  # noqa: S101 - for the type checker; the caller looked
            body = {
                "type": "m.login.password",
                "identifier": {"type": "m.id.user", "user": self.user_id},
                "password": self._settings.password.get_secret_value(),
                "device_id": client.device_id,
            }
            what = f"log in again as {self.user_id}"
            # nio's own login would also load its store anew, under the feet of calls under way.
            found = await self._try(
                what, _post(client, what, "/_matrix/client/v3/login", body), self._patience
            )
            client.access_token = found["access_token"]
            log.info("logged in again after the homeserver ended the token", device=client.device_id)

    async def _try(self, what: str, call: Awaitable[Any], seconds: float) -> Any:
        try:
            async with asyncio.timeout(seconds):
                answer = await call
        except TimeoutError as error:
            raise ChatError(f"Could not {what}: the homeserver took too long.", passing=True) from error
        except (aiohttp.ClientError, OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
            name = type(error).__name__
            raise ChatError(f"Could not {what}: no sound answer ({name}).", passing=True) from error
        nio = importlib.import_module("nio")
        if isinstance(answer, nio.ErrorResponse):
            transport = answer.transport_response
            status = 0 if transport is None else transport.status
            if status == HTTPStatus.OK:  # nio could make nothing of it
                raise ChatError(f"Could not {what}: no sound answer.", passing=True)
            found = {
                "errcode": answer.status_code,
                "retry_after_ms": answer.retry_after_ms,
                "soft_logout": answer.soft_logout,
            }
            raise _refusal(what, status, found)
        return answer

    async def _ready(self) -> Client:
        async with self._opening:
            if self._client is None:
                nio = await asyncio.to_thread(_load_nio)
                client = self._make(nio)
                try:
                    await self._log_in(client)
                except BaseException:
                    await client.close()
                    raise
                self._client = client
            return self._client

    def _make(self, nio: Any) -> Client:
        config = nio.AsyncClientConfig(
            max_limit_exceeded=0,  # how long to wait is decided here, where it is seen
            max_timeouts=_MAX_TIMED_OUT,
            request_timeout=self._settings.request_timeout.total_seconds(),
            # nio would save the token before the events are taken in; Slipway does it afterwards.
            store_sync_tokens=False,
            encryption_enabled=False,
        )
        url = self._settings.homeserver.rstrip("/")
        return nio.AsyncClient(url, self.user_id, device_id=self._settings.device_id, config=config)

    async def _log_in(self, client: Client) -> None:
        settings = self._settings
        if settings.access_token is not None:
            client.restore_login(self.user_id, settings.device_id, settings.access_token.get_secret_value())
        elif settings.password is not None:
            login = client.login(settings.password.get_secret_value(), device_name="Slipway")
            await self._try(f"log in as {self.user_id}", login, self._patience)
        else:
            raise ChatError("Matrix needs matrix.access_token or matrix.password.", passing=False)
        # Also sets the device id the token really belongs to, which transaction ids are bound to.
        who = await self._try("ask who the bot is logged in as", client.whoami(), self._patience)
        if who.user_id != self.user_id:
            raise ChatError(
                f"The Matrix login belongs to {who.user_id}, but matrix.user_id is {self.user_id}.",
                passing=False,
            )
        try:
            name = await self._try("read the bot's name", client.get_displayname(), self._patience)
            self.display_name = name.displayname or ""
        except HomeserverError as error:
            if error.passing:
                raise
            self.display_name = ""  # an account without a profile


def _load_nio() -> Any:
    """Import nio, which takes most of a second: not on the event loop, and not when the bot starts.

    Its warnings about malformed events quote them; what people say does not belong into a log.
    """
    nio = importlib.import_module("nio")
    logging.getLogger("nio").setLevel(logging.ERROR)
    return nio


async def _post(client: Client, what: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send a JSON object without a token and read the one that comes back."""
    headers = {"Content-Type": "application/json"}
    async with await client.send("POST", path, json.dumps(body), headers) as answer:
        found: object = await answer.json(content_type=None)
        known = found if isinstance(found, dict) else {}
        if answer.status != HTTPStatus.OK or not isinstance(known.get("access_token"), str):
            raise _refusal(what, answer.status, known)
        return known


def _refusal(what: str, status: int, answer: Mapping[str, Any]) -> HomeserverError:
    """The error for an answer that is one.

    Args:
        what: what was not done.
        status: the HTTP status.
        answer: the answer's ``errcode``, ``retry_after_ms`` and ``soft_logout``, as far as it has them.
    """
    errcode, retry_after_ms = answer.get("errcode"), answer.get("retry_after_ms")
    code = errcode if isinstance(errcode, str) and _ERRCODE.fullmatch(errcode) else ""
    if code in ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"):
        soft = answer.get("soft_logout") is True
        sentence = (
            f"Could not {what}: the homeserver no longer knows the bot's access token ({code}); "
            "get it a new one with `slipway matrix login`, or set matrix.password, and start Slipway again."
        )
        return HomeserverError(
            sentence, passing=False, errcode=code, status=status, logged_out="soft" if soft else "hard"
        )
    limited = code == "M_LIMIT_EXCEEDED" or status == HTTPStatus.TOO_MANY_REQUESTS
    # Without a code of Matrix's own it was not a homeserver that spoke, but something in front of it.
    passing = limited or status >= HTTPStatus.INTERNAL_SERVER_ERROR or not code
    seconds = retry_after_ms / 1000 if isinstance(retry_after_ms, int) and retry_after_ms > 0 else 0.0
    reason = ", ".join(filter(None, (code, f"HTTP {status}" if status else "")))
    return HomeserverError(
        f"Could not {what}: the homeserver said no ({reason or 'without a reason'}).",
        passing=passing,
        errcode=code,
        status=status,
        retry_after=seconds,
    )
