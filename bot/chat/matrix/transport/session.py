"""Opening a session: logged in, the device's keys loaded and published, the device cross-signed."""

from __future__ import annotations

import asyncio
import importlib
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from slipway.bot.chat.matrix.account.account_store import AccountStore, Login
from slipway.bot.chat.matrix.encryption.cross_signing import CrossSigning, query_keys
from slipway.bot.chat.matrix.encryption.key_manager import KeyManager
from slipway.bot.chat.matrix.encryption.message_index import MessageIndexStore
from slipway.bot.chat.matrix.encryption.olm_machine import harden
from slipway.bot.chat.matrix.encryption.seeds import configured_seeds
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.api import (
    Client,
    await_response,
    load_nio,
    send_request,
    timed_requests,
)
from slipway.bot.chat.matrix.transport.authentication import Authenticator, Credentials
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.core.errors import ChatError

_MAX_TIMEOUTS = 1  # how often nio itself tries again; its own default is for ever
_TIMEOUTS_PER_CALL = 3  # request timeouts, of a call with all of its tries

log = structlog.get_logger(__name__)

LogIn = Callable[[Authenticator], Awaitable[Login]]
"""Chooses how to come to a login."""


@dataclass
class Session:
    """A logged-in client and what belongs to it. ``keys`` is None where nothing is encrypted."""

    client: Client
    login: Login
    keys: KeyManager | None = None
    message_indexes: MessageIndexStore | None = None

    async def close(self) -> None:
        """Let go of the connection and of the files."""
        await self.client.close()
        if self.client.store is not None:
            self.client.store.database.close()
        if self.message_indexes is not None:
            self.message_indexes.close()


class SessionOpener:
    """Opens sessions at one homeserver for one account.

    Args:
        settings: the account.
        store: keeps the login and the encryption keys; without one, nothing is encrypted.
        credentials: what to log in with, if not the configured password.
    """

    def __init__(
        self, settings: MatrixSettings, store: AccountStore | None, credentials: Credentials | None = None
    ) -> None:
        self._settings = settings
        self._store = store
        password = settings.password.get_secret_value() if settings.password is not None else None
        self._credentials = credentials or Credentials(password)

    @property
    def call_timeout(self) -> float:
        """Seconds that a call with all of its tries may take."""
        return self._settings.request_timeout.total_seconds() * _TIMEOUTS_PER_CALL

    @property
    def encryption_enabled(self) -> bool:
        """Whether there will be encryption."""
        return self._store is not None and self._settings.encryption

    @property
    def has_password(self) -> bool:
        """Whether the bot can log in by itself."""
        return self._credentials.password is not None

    async def open(self, log_in: LogIn = Authenticator.log_in, *, new_identity: bool = False) -> Session:
        """Log in, or go on with the login of before, and bring the device in order.

        Args:
            log_in: chooses how to come to a login.
            new_identity: put a new identity in place of one that is not the bot's.

        Raises:
            ChatError: there is no login, or the keys are not in order and cannot be brought so.
        """
        nio = await asyncio.to_thread(load_nio)
        unauthenticated = self._make_client(nio, None)
        try:
            authenticator = self._authenticator(unauthenticated)
            login = await log_in(authenticator)
            session = await self._open(nio, login, new_identity=new_identity)
            if session is None:  # its keys are lost
                login = await authenticator.replace_lost_device(login)
                session = await self._open(nio, login, new_identity=new_identity)
        finally:
            await unauthenticated.close()
        if session is None:
            raise ChatError(f"The bot's new device {login.device_id} is not as it was made.", passing=True)
        return session

    async def renew(self, client: Client) -> None:
        """Get a new token for the device of a client.

        Raises:
            ChatError: the homeserver does not give one.
        """
        authenticator = self._authenticator(client)
        stored = authenticator.stored_login()
        # nio's own login would also load its store anew, while calls that use it are under way.
        login = await authenticator.new_login(
            client.device_id, lost_devices=stored.lost_devices if stored else ()
        )
        client.access_token = login.access_token

    def _authenticator(self, client: Client) -> Authenticator:
        async def call(
            token: str | None, method: str, path: str, body: JsonObject | None
        ) -> tuple[int, JsonObject]:
            made = send_request(client, method, path, body, token=token)
            answer: tuple[int, JsonObject] = await await_response(
                "reach the homeserver", made, self.call_timeout
            )
            return answer

        return Authenticator(call, self._settings, self._store, self._credentials)

    async def _open(self, nio: Any, login: Login, *, new_identity: bool) -> Session | None:
        """A client for a login; None if the keys of its device are lost."""
        session = Session(self._make_client(nio, login), login)
        try:
            if not self.encryption_enabled:
                session.client.restore_login(login.user_id, login.device_id, login.access_token)
                return session
            set_up = self._set_up_encryption(nio, session, new_identity=new_identity)
            if await await_response("set up encryption", set_up, 2 * self.call_timeout):
                return session
        except BaseException:
            await session.close()
            raise
        await session.close()
        return None

    async def _set_up_encryption(self, nio: Any, session: Session, *, new_identity: bool) -> bool:
        """Load the device's keys, publish them, and cross-sign them; False if they are lost.

        What stands under the device's name at the homeserver cannot be changed: other keys would be believed
        by nobody.
        """
        store, login, client = self._store, session.login, session.client
        assert store is not None  # noqa: S101 - for the type checker; the caller looked
        given_seeds = self._settings.cross_signing_seeds
        call = partial(send_request, client, token=login.access_token)
        signing = CrossSigning(
            call,
            store,
            configured_seeds(given_seeds.get_secret_value()) if given_seeds else None,
            self._credentials.password,
        )
        answer = await query_keys(call, login.user_id)
        published = answer.get("device_keys", {}).get(login.user_id, {}).get(login.device_id)
        if published is not None and not store.has_key_store(login.device_id):
            return False
        store.prepare()
        session.message_indexes = _load_key_store(nio, client, login, store)
        keys = KeyManager(client, timed_requests(client, self.call_timeout))
        if published is not None and not keys.device.matches(published):
            return False
        await keys.publish(device_published=published is not None)
        await signing.ensure(keys.device, replace=new_identity)
        session.keys = keys
        if login.lost_devices:
            log.warning(
                "devices whose keys are lost are still in the account; remove them",
                devices=login.lost_devices,
            )
        return True

    def _make_client(self, nio: Any, login: Login | None) -> Client:
        encryption_enabled = login is not None and self.encryption_enabled
        config = nio.AsyncClientConfig(
            max_limit_exceeded=0,  # how long to wait is decided by the connection, where it is seen
            max_timeouts=_MAX_TIMEOUTS,
            request_timeout=self._settings.request_timeout.total_seconds(),
            # nio would save the token before the events are taken in; Slipway does it afterwards.
            store_sync_tokens=False,
            encryption_enabled=encryption_enabled,
            store_name=self._store.key_store_name(login.device_id) if login and self._store else "",
        )
        return nio.AsyncClient(
            self._settings.homeserver.rstrip("/"),
            self._settings.user_id,
            device_id=login.device_id if login else self._settings.device_id,
            store_path=str(self._store.path) if self._store is not None and encryption_enabled else "",
            config=config,
        )


def _load_key_store(nio: Any, client: Client, login: Login, store: AccountStore) -> MessageIndexStore:
    """Log the client in, which loads its keys, and harden its Olm machine."""
    try:
        client.restore_login(login.user_id, login.device_id, login.access_token)
        store.make_key_store_private(login.device_id)
        message_indexes = MessageIndexStore(store.message_indexes_path(login.device_id))
    # vodozemac's errors are ValueErrors.
    except (ValueError, sqlite3.Error, importlib.import_module("peewee").PeeweeException) as error:
        raise ChatError(
            f"The encryption keys of the bot's device {login.device_id} cannot be read "
            f"({type(error).__name__}). Put {store.path} back from a backup; or remove the file "
            f"{store.key_store_name(login.device_id)} in it and start again, as a new device.",
            passing=False,
        ) from error
    harden(nio, client.olm, message_indexes)
    return message_indexes
