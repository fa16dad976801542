"""`slipway matrix login`: logging in by hand, once, so that no password has to stay anywhere."""

from __future__ import annotations

from slipway.bot.chat.matrix.account.account_store import AccountStore, Login
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.authentication import Authenticator, Credentials
from slipway.bot.chat.matrix.transport.errors import HomeserverError
from slipway.bot.chat.matrix.transport.session import SessionOpener


async def log_in(
    settings: MatrixSettings,
    store: AccountStore,
    credentials: Credentials,
    *,
    new_device: bool,
    new_identity: bool,
) -> Login:
    """Log in and keep the login, with device and identity in order.

    A login of before that still works is kept, and so is its device if only the login ended. A device that the
    homeserver no longer knows is not brought back: somebody wanted it gone.

    Args:
        settings: the account; its own password and token are not used.
        store: where the login is kept.
        credentials: what to log in with.
        new_device: make a new device in any case.
        new_identity: put a new identity in place of one that is not the bot's.

    Raises:
        ChatError: it did not work; the words say what to do.
    """

    async def choose_login(authenticator: Authenticator) -> Login:
        stored = authenticator.stored_login()
        if stored is None:
            return await authenticator.new_login(None if new_device else settings.device_id)
        if new_device:
            return await authenticator.new_login(None, lost_devices=(*stored.lost_devices, stored.device_id))
        try:
            return await authenticator.check(stored)
        except HomeserverError as error:
            if not error.logged_out:
                raise
            gone = error.logged_out == "hard"
        return await authenticator.new_login(
            None if gone else stored.device_id, lost_devices=stored.lost_devices
        )

    account = settings.model_copy(update={"password": None, "access_token": None})
    session = await SessionOpener(account, store, credentials).open(choose_login, new_identity=new_identity)
    await session.close()
    return session.login
