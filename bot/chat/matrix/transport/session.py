"""Opening the line: logged in, the device's keys loaded and published, and the device vouched for."""

from __future__ import annotations

import asyncio
import importlib
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from slipway.bot.chat.matrix.encryption.cross_signing import CrossSigning
from slipway.bot.chat.matrix.account.account_store import Folder, Login, Seeds
from slipway.bot.chat.matrix.encryption.key_manager import Keys
from slipway.bot.chat.matrix.transport.authentication import Entrance, Secret
from slipway.bot.chat.matrix.encryption.olm_machine import harden
from slipway.bot.chat.matrix.encryption.message_index import Replays
from slipway.bot.chat.matrix.transport.api import Client, Json, attempt, exchange, load_nio, reaching
from slipway.bot.config.settings import MatrixSettings
from slipway.bot.core.errors import ChatError

_MAX_TIMED_OUT = 1  # how often nio itself tries again; its own default is for ever
_PATIENCE = 3  # a call with all of its tries may take this many request timeouts

log = structlog.get_logger(__name__)

Enter = Callable[[Entrance], Awaitable[Login]]
"""Chooses how to come to a login."""


@dataclass
class Opened:
    """A logged-in client and what belongs to it. ``keys`` is None where nothing is encrypted."""

    client: Client
    login: Login
    keys: Keys | None = None
    replays: Replays | None = None

    async def close(self) -> None:
        """Let go of the connection and of the files."""
        await self.client.close()
        if self.client.store is not None:
            self.client.store.database.close()
        if self.replays is not None:
            self.replays.close()


class Opener:
    """Opens lines to one homeserver for one account.

    Args:
        settings: the account.
        folder: keeps the login and the encryption keys; without one, nothing is encrypted.
        secret: what to log in with, if not the configured password.
    """

    def __init__(self, settings: MatrixSettings, folder: Folder | None, secret: Secret | None = None) -> None:
        self._settings = settings
        self._folder = folder
        password = settings.password.get_secret_value() if settings.password is not None else None
        self._secret = secret or Secret(password)
        self._patience = settings.request_timeout.total_seconds() * _PATIENCE

    @property
    def encrypts(self) -> bool:
        """Whether there will be encryption."""
        return self._folder is not None and self._settings.encryption

    @property
    def has_password(self) -> bool:
        """Whether the bot can log in by itself."""
        return self._secret.password is not None

    async def open(self, enter: Enter = Entrance.enter, *, new_identity: bool = False) -> Opened:
        """Log in, or go on with the login of before, and bring the device in order.

        Args:
            enter: how to come to a login.
            new_identity: put a new identity in place of one that is not the bot's.

        Raises:
            ChatError: there is no login, or the keys are not in order and cannot be brought so.
        """
        nio = await asyncio.to_thread(load_nio)
        bare = self._make(nio, None)
        try:
            entrance = self._entrance(bare)
            login = await enter(entrance)
            opened = await self._open(nio, login, new_identity=new_identity)
            if opened is None:  # its keys are lost
                login = await entrance.after_loss(login)
                opened = await self._open(nio, login, new_identity=new_identity)
        finally:
            await bare.close()
        if opened is None:
            raise ChatError(f"The bot's new device {login.device_id} is not as it was made.", passing=True)
        return opened

    async def renew(self, client: Client) -> None:
        """Get a new token for the device of a client.

        Raises:
            ChatError: the homeserver does not give one.
        """
        entrance = self._entrance(client)
        kept = entrance.kept()
        # nio's own login would also load its store anew, under the feet of calls under way.
        login = await entrance.anew(client.device_id, lost=kept.lost if kept else ())
        client.access_token = login.access_token

    def _entrance(self, client: Client) -> Entrance:
        async def call(token: str | None, method: str, path: str, body: Json | None) -> tuple[int, Json]:
            made = exchange(client, method, path, body, token=token)
            answer: tuple[int, Json] = await attempt("reach the homeserver", made, self._patience)
            return answer

        return Entrance(call, self._settings, self._folder, self._secret)

    async def _open(self, nio: Any, login: Login, *, new_identity: bool) -> Opened | None:
        """A client for a login; None if the keys of its device are lost."""
        opened = Opened(self._make(nio, login), login)
        try:
            if not self.encrypts:
                opened.client.restore_login(login.user_id, login.device_id, login.access_token)
                return opened
            set_up = self._set_up(nio, opened, new_identity=new_identity)
            if await attempt("set up encryption", set_up, 2 * self._patience):
                return opened
        except BaseException:
            await opened.close()
            raise
        await opened.close()
        return None

    async def _set_up(self, nio: Any, opened: Opened, *, new_identity: bool) -> bool:
        """Load the device's keys, publish them, and vouch for them; False if they are lost.

        What stands under the device's name at the homeserver cannot be changed: other keys would be believed
        by nobody.
        """
        folder, login, client = self._folder, opened.login, opened.client
        assert folder is not None  # noqa: S101 - for the type checker; the caller looked
        given = self._settings.cross_signing_seeds
        signing = CrossSigning(
            partial(exchange, client, token=login.access_token),
            folder,
            read_seeds(given.get_secret_value()) if given else None,
            self._secret.password,
        )
        answer = await signing.query(login.user_id)
        published = answer.get("device_keys", {}).get(login.user_id, {}).get(login.device_id)
        if published is not None and not folder.has_store(login.device_id):
            return False
        folder.prepare()
        opened.replays = _load(nio, client, login, folder)
        keys = Keys(client, reaching(client, self._patience))
        if published is not None and not keys.device.matches(published):
            return False
        await keys.publish(device_published=published is not None)
        await signing.ensure(keys.device, replace=new_identity)
        opened.keys = keys
        if login.lost:
            log.warning(
                "devices whose keys are lost are still in the account; remove them", devices=login.lost
            )
        return True

    def _make(self, nio: Any, login: Login | None) -> Client:
        encrypts = login is not None and self.encrypts
        config = nio.AsyncClientConfig(
            max_limit_exceeded=0,  # how long to wait is decided by the connection, where it is seen
            max_timeouts=_MAX_TIMED_OUT,
            request_timeout=self._settings.request_timeout.total_seconds(),
            # nio would save the token before the events are taken in; Slipway does it afterwards.
            store_sync_tokens=False,
            encryption_enabled=encrypts,
            store_name=self._folder.store_name(login.device_id) if login and self._folder else "",
        )
        return nio.AsyncClient(
            self._settings.homeserver.rstrip("/"),
            self._settings.user_id,
            device_id=login.device_id if login else self._settings.device_id,
            store_path=str(self._folder.path) if self._folder is not None and encrypts else "",
            config=config,
        )


def _load(nio: Any, client: Client, login: Login, folder: Folder) -> Replays:
    """Log the client in, which loads its store, and guard it."""
    try:
        client.restore_login(login.user_id, login.device_id, login.access_token)
        folder.make_store_private(login.device_id)
        replays = Replays(folder.replays_path(login.device_id))
    # vodozemac's errors are ValueErrors.
    except (ValueError, sqlite3.Error, importlib.import_module("peewee").PeeweeException) as error:
        raise ChatError(
            f"The encryption keys of the bot's device {login.device_id} cannot be read "
            f"({type(error).__name__}). Put {folder.path} back from a backup; or remove the file "
            f"{folder.store_name(login.device_id)} in it and start again, as a new device.",
            passing=False,
        ) from error
    harden(nio, client.olm, replays)
    return replays


def read_seeds(text: str) -> Seeds:
    """The seeds that the configuration gives.

    Raises:
        ChatError: they are not seeds.
    """
    try:
        return Seeds.read(text)
    except ValueError as error:
        raise ChatError(f"matrix.cross_signing_seeds cannot be used: {error}.", passing=False) from error
