"""Logging in: which token the bot uses, and as which device.

A device is an Olm account: its keys live in the store and are published once, for ever. So a token is only good
together with the store of its device. Where the store is lost, or the homeserver has deleted the device, nothing
brings it back; then there has to be a new device, under the same identity, and people are told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

import structlog

from slipway.bot.chat.matrix.account.account_store import AccountStore, Login
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.errors import HomeserverError, error_from_response
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.core.errors import ChatError

SendRequestWithToken = Callable[[str | None, str, str, JsonObject | None], Awaitable[tuple[int, JsonObject]]]
"""Makes one call: token, method, path, body."""

_DEVICE_DISPLAY_NAME = "Slipway"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Credentials:
    """What to log in with.

    Attributes:
        password: the account's password.
        token: a one-time login token, as a homeserver gives it after single sign-on.
    """

    password: str | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"

    def body(self, user_id: str, device_id: str | None) -> JsonObject:
        """The body of ``/login``; without a device id, the homeserver makes a new device.

        Raises:
            ChatError: there is nothing to log in with.
        """
        body: JsonObject = {"initial_device_display_name": _DEVICE_DISPLAY_NAME}
        if device_id is not None:
            body["device_id"] = device_id
        if self.token is not None:
            return {**body, "type": "m.login.token", "token": self.token}
        if self.password is not None:
            identifier = {"type": "m.id.user", "user": user_id}
            return {**body, "type": "m.login.password", "identifier": identifier, "password": self.password}
        raise ChatError(
            f"There is no login for {user_id} on Matrix yet. Type `slipway matrix login`, which asks for the "
            "password once and keeps none; or set matrix.password_file or matrix.access_token_file.",
            passing=False,
        )


class Authenticator:
    """Logs in, or goes on with the login of before.

    Args:
        call: makes calls.
        settings: the account.
        store: where logins are kept; None to keep none.
        credentials: what to log in with where there is no login yet; by default, the configured password.
    """

    def __init__(
        self,
        call: SendRequestWithToken,
        settings: MatrixSettings,
        store: AccountStore | None,
        credentials: Credentials | None = None,
    ) -> None:
        self._call = call
        self._settings = settings
        self._store = store
        password = settings.password.get_secret_value() if settings.password is not None else None
        self._credentials = credentials or Credentials(password)

    async def log_in(self) -> Login:
        """A login that the homeserver knows: the configured token's, the stored one, or a new one.

        Raises:
            ChatError: there is none, or the homeserver is not to be reached.
        """
        settings = self._settings
        if settings.access_token is not None:
            return await self.check(self._login(settings.device_id, settings.access_token.get_secret_value()))
        stored = self.stored_login()
        if stored is None:
            return await self.new_login(settings.device_id)
        try:
            return await self.check(stored)
        except HomeserverError as error:
            if not error.logged_out:
                raise
            if self._credentials.password is None:
                raise _logged_out_error(stored.device_id, deleted=error.logged_out == "hard") from error
            if error.logged_out == "soft":
                return await self.new_login(stored.device_id, lost_devices=stored.lost_devices)
        log.warning(
            "the homeserver deleted the bot's device or logged it out; the bot makes a new one",
            device=stored.device_id,
        )
        return await self.new_login(None, lost_devices=stored.lost_devices)

    def stored_login(self) -> Login | None:
        """The login of before, if one was stored.

        Raises:
            ChatError: it cannot be read.
        """
        if self._store is None:
            return None
        return self._store.load_login(self._settings.homeserver, self._settings.user_id)

    async def new_login(self, device_id: str | None, *, lost_devices: tuple[str, ...] = ()) -> Login:
        """Log in, and store the login.

        Args:
            device_id: as which device; None for a new one.
            lost_devices: devices whose keys are gone, to be remembered until they are removed.

        Raises:
            ChatError: the homeserver does not let the bot in.
        """
        user = self._settings.user_id
        status, answer = await self._call(
            None, "POST", "/_matrix/client/v3/login", self._credentials.body(user, device_id)
        )
        token, device = answer.get("access_token"), answer.get("device_id")
        if status != HTTPStatus.OK or not isinstance(token, str) or not isinstance(device, str):
            raise self._not_let_in(error_from_response(f"log in as {user}", status, answer))
        login = replace(
            self._login(device, token), lost_devices=tuple(each for each in lost_devices if each != device)
        )
        login = await self.check(login)
        if self._store is not None:
            self._store.save_login(login)
        return login

    def _not_let_in(self, error: HomeserverError) -> HomeserverError:
        """The error with what to do, where the homeserver does not accept what it was given."""
        if error.errcode != "M_FORBIDDEN":
            return error
        what = "password" if self._credentials.token is None else "token"
        configured = what == "password" and self._settings.password is not None
        step = "mend matrix.password" if configured else "type `slipway matrix login` again"
        return HomeserverError(
            f"Could not log in as {self._settings.user_id}: the homeserver does not accept the {what} "
            f"({error.errcode}); look at matrix.user_id, and {step}.",
            passing=False,
            errcode=error.errcode,
            status=error.status,
        )

    async def replace_lost_device(self, lost: Login) -> Login:
        """Go on as a new device, where a device's keys are gone.

        Raises:
            ChatError: the bot cannot log in by itself; the words say what to type.
        """
        if self._settings.access_token is not None or self._credentials.password is None:
            raise ChatError(
                f"The encryption keys of the bot's device {lost.device_id} are lost: the homeserver has published "
                "them, and they are not in the state folder. Put state_dir back from a backup, or type "
                "`slipway matrix login --new-device` for a new device under the same identity"
                + self._not_by_token(),
                passing=False,
            )
        log.warning(
            "the encryption keys of the bot's device are lost; it goes on as a new device, and what was said "
            "before cannot be read any more. Remove the old device from the account",
            old=lost.device_id,
        )
        return await self.new_login(None, lost_devices=(*lost.lost_devices, lost.device_id))

    def _not_by_token(self) -> str:
        if self._settings.access_token is None:
            return "."
        return "; take matrix.access_token out of the configuration first, as it belongs to the old device."

    def _login(self, device_id: str, token: str) -> Login:
        return Login(self._settings.homeserver, self._settings.user_id, device_id, token)

    async def check(self, login: Login) -> Login:
        """The login, if it works, with the device that the token really belongs to.

        Raises:
            ChatError: it does not, or belongs to another account.
        """
        what = "ask who the bot is logged in as"
        status, who = await self._call(login.access_token, "GET", "/_matrix/client/v3/account/whoami", None)
        if status != HTTPStatus.OK:
            raise error_from_response(what, status, who)
        if who.get("user_id") != login.user_id:
            raise ChatError(
                f"The Matrix login belongs to {who.get('user_id')}, but matrix.user_id is {login.user_id}.",
                passing=False,
            )
        device = who.get("device_id")
        return replace(login, device_id=device) if isinstance(device, str) else login


def _logged_out_error(device_id: str, *, deleted: bool) -> ChatError:
    if not deleted:
        return ChatError(
            f"The homeserver ended the bot's login (M_UNKNOWN_TOKEN); its device {device_id} is still there. "
            "Type `slipway matrix login` to go on as the same device.",
            passing=False,
        )
    return ChatError(
        f"The homeserver no longer knows the bot's device {device_id} (M_UNKNOWN_TOKEN): somebody removed it, or "
        "logged it out. If that was not you, change the account's password first. Then type "
        "`slipway matrix login` for a new device under the same identity.",
        passing=False,
    )
