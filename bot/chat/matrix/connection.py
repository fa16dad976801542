"""The line to the homeserver: one logged-in matrix-nio client, its calls with timeouts and plain errors."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
import structlog

from bot.chat.matrix.crosssigning import CrossSigning
from bot.chat.matrix.failures import HomeserverError, refusal
from bot.chat.matrix.folder import Folder, Login, Seeds
from bot.chat.matrix.keys import Keys
from bot.chat.matrix.login import Entrance, Secret
from bot.chat.matrix.machine import harden
from bot.chat.matrix.replays import Replays
from bot.chat.matrix.wire import Client, Json, ask, exchange
from bot.config.settings import MatrixSettings
from bot.errors import ChatError

__all__ = ["Client", "Connection", "HomeserverError"]

log = structlog.get_logger(__name__)

_SOFTLY_LOGGED_OUT = {"errcode": "M_UNKNOWN_TOKEN", "soft_logout": True}

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


class Connection:
    """Logs in at first use and stays logged in until closed.

    When the homeserver ends the token and keeps the device (a soft logout), it logs in again with the
    password, as the same device.

    Args:
        settings: the account.
        sleep: waits where the homeserver asks to.
        folder: keeps the login and the encryption keys; without one, nothing is encrypted.
        secret: what to log in with, if not the configured password.
    """

    def __init__(
        self,
        settings: MatrixSettings,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        folder: Folder | None = None,
        secret: Secret | None = None,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._folder = folder
        password = settings.password.get_secret_value() if settings.password is not None else None
        self._secret = secret or Secret(password)
        self._client: Client | None = None
        self._replays: Replays | None = None
        self._opening = asyncio.Lock()
        self.keys: Keys | None = None
        """The device's keys, once connected; None where nothing is encrypted."""
        self.user_id = settings.user_id
        self.display_name = ""

    async def close(self) -> None:
        """Let go of the connection; a later call opens it again."""
        async with self._opening:
            client, self._client = self._client, None
            if client is not None:
                await self._shut(client)

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

        answer: dict[str, Any] = await self.request(
            what, lambda client: ask(self._calling(client), what, "GET", path)
        )
        return answer

    async def send(self, room: str, kind: str, content: Json, tx_id: str, *, encrypted: bool) -> str:
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
            answer = await ask(self._calling(client), f"send to {room}", "PUT", path, sent)
            return str(answer["event_id"])

        return str(await self.request(f"send to {room}", call, patient=False))

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
                timeout=_unlike_any_before() if full_state else int(poll * 1000),
                sync_filter=_SYNC_FILTER,
                since=since,
                full_state=full_state or None,
            )
            return answer

        batch = await self._logged_in("read the news", call, poll + self._patience)
        if self.keys is not None:
            await self.keys.after_sync(batch)
        return batch

    @property
    def encrypts(self) -> bool:
        """Whether the bot works in encrypted rooms."""
        return self._folder is not None and self._settings.encryption

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
            if not token:  # nio drops it at a soft logout, which another call has seen just now
                raise refusal(what, HTTPStatus.UNAUTHORIZED, _SOFTLY_LOGGED_OUT)
            return await self._try(what, call(client), seconds)
        except HomeserverError as error:
            if error.logged_out != "soft" or self._secret.password is None:
                raise
        await self._renew(client, token)
        return await self._try(what, call(client), seconds)

    async def _renew(self, client: Client, ended: str) -> None:
        """Get a new token for the same device, unless somebody else has just done so."""
        async with self._opening:
            if client.access_token not in ("", ended):
                return
            entrance = self._entrance(client)
            kept = entrance.kept()
            # nio's own login would also load its store anew, under the feet of calls under way.
            login = await entrance.anew(client.device_id, lost=kept.lost if kept else ())
            client.access_token = login.access_token
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
            raise refusal(what, status, found)
        return answer

    def _calling(self, client: Client) -> Callable[[str, str, Json | None], Awaitable[tuple[int, Json]]]:
        """Makes plain calls as the logged-in bot; what surrounds them has the timeout."""

        async def call(method: str, path: str, body: Json | None) -> tuple[int, Json]:
            return await exchange(client, method, path, body, token=client.access_token)

        return call

    def _entrance(self, client: Client) -> Entrance:
        async def call(token: str | None, method: str, path: str, body: Json | None) -> tuple[int, Json]:
            made = exchange(client, method, path, body, token=token)
            answer: tuple[int, Json] = await self._try("reach the homeserver", made, self._patience)
            return answer

        return Entrance(call, self._settings, self._folder, self._secret)

    async def _ready(self) -> Client:
        async with self._opening:
            if self._client is None:
                nio = await asyncio.to_thread(_load_nio)
                bare = self._make(nio, None)
                try:
                    entrance = self._entrance(bare)
                    client = await self._open(nio, entrance, await entrance.enter())
                finally:
                    await bare.close()
                try:
                    await self._learn_name(client)
                except BaseException:
                    await self._shut(client)
                    raise
                self._client = client
            return self._client

    async def _open(self, nio: Any, entrance: Entrance, login: Login) -> Client:
        """A client for a login; for another one, where the keys of this one are lost."""
        for last in (False, True):
            client = self._make(nio, login)
            try:
                if not self.encrypts:
                    client.restore_login(login.user_id, login.device_id, login.access_token)
                    return client
                call = partial(exchange, client, token=login.access_token)
                if await self._try(
                    "set up encryption", self._set_up(nio, client, login, call), 2 * self._patience
                ):
                    return client
            except BaseException:
                await self._shut(client)
                raise
            await self._shut(client)
            if not last:
                login = await entrance.after_loss(login)
        raise ChatError(f"The bot's new device {login.device_id} is not as it was made.", passing=True)

    async def _set_up(
        self, nio: Any, client: Client, login: Login, call: Callable[..., Awaitable[tuple[int, Json]]]
    ) -> bool:
        """Load the device's keys, publish them, and vouch for them; False if they are lost.

        What stands under the device's name at the homeserver cannot be changed: other keys would be believed
        by nobody.
        """
        assert self._folder is not None  # noqa: S101 - for the type checker; the caller looked
        given = self._settings.cross_signing_seeds
        signing = CrossSigning(
            call, self._folder, _seeds(given.get_secret_value()) if given else None, self._secret.password
        )
        answer = await signing.query(login.user_id)
        published = answer.get("device_keys", {}).get(login.user_id, {}).get(login.device_id)
        if published is not None and not self._folder.has_store(login.device_id):
            return False
        self._folder.prepare()
        self._load(nio, client, login)
        keys = Keys(client, self._calling(client))
        if published is not None and not keys.device.matches(published):
            return False
        await keys.publish(device_published=published is not None)
        await signing.ensure(keys.device)
        self.keys = keys
        if login.lost:
            log.warning(
                "devices whose keys are lost are still in the account; remove them", devices=login.lost
            )
        return True

    def _load(self, nio: Any, client: Client, login: Login) -> None:
        assert self._folder is not None  # noqa: S101 - for the type checker; the caller looked
        try:
            client.restore_login(login.user_id, login.device_id, login.access_token)
            self._folder.make_store_private(login.device_id)
            self._replays = Replays(self._folder.replays_path(login.device_id))
        # sqlite3's errors are also the bases of peewee's; vodozemac's are ValueErrors.
        except (ValueError, sqlite3.Error, importlib.import_module("peewee").PeeweeException) as error:
            raise ChatError(
                f"The encryption keys of the bot's device {login.device_id} cannot be read "
                f"({type(error).__name__}). Put {self._folder.path} back from a backup; or remove the file "
                f"{self._folder.store_name(login.device_id)} in it and start again, as a new device.",
                passing=False,
            ) from error
        harden(nio, client.olm, self._replays)

    async def _shut(self, client: Client) -> None:
        self.keys = None
        await client.close()
        if client.store is not None:
            client.store.database.close()
        if self._replays is not None:
            self._replays.close()
            self._replays = None

    def _make(self, nio: Any, login: Login | None) -> Client:
        encrypts = login is not None and self._folder is not None and self.encrypts
        config = nio.AsyncClientConfig(
            max_limit_exceeded=0,  # how long to wait is decided here, where it is seen
            max_timeouts=_MAX_TIMED_OUT,
            request_timeout=self._settings.request_timeout.total_seconds(),
            # nio would save the token before the events are taken in; Slipway does it afterwards.
            store_sync_tokens=False,
            encryption_enabled=encrypts,
            store_name=self._folder.store_name(login.device_id) if login and self._folder else "",
        )
        return nio.AsyncClient(
            self._settings.homeserver.rstrip("/"),
            self.user_id,
            device_id=login.device_id if login else self._settings.device_id,
            store_path=str(self._folder.path) if self._folder is not None and encrypts else "",
            config=config,
        )

    async def _learn_name(self, client: Client) -> None:
        try:
            name = await self._try("read the bot's name", client.get_displayname(), self._patience)
            self.display_name = name.displayname or ""
        except HomeserverError as error:
            if error.passing:
                raise
            self.display_name = ""  # an account without a profile


def _seeds(text: str) -> Seeds:
    try:
        return Seeds.read(text)
    except ValueError as error:
        raise ChatError(f"matrix.cross_signing_seeds cannot be used: {error}.", passing=False) from error


def _unlike_any_before() -> int:
    """A time limit for a sync that does not wait, which makes its request differ from all earlier ones.

    Synapse keeps a sync's answer for two minutes and gives it again to the same request
    (``sync_response_cache_duration``): a bot that starts twice would be told what was new at its first start.
    """
    return 1 + secrets.randbelow(1_000_000_000)


def _load_nio() -> Any:
    """Import nio, which takes most of a second: not on the event loop, and not when the bot starts.

    Its warnings about malformed events quote them; what people say does not belong into a log.
    """
    nio = importlib.import_module("nio")
    logging.getLogger("nio").setLevel(logging.ERROR)
    return nio
