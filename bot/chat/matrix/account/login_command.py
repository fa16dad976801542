"""Logging in by hand, once, so that no password has to stay anywhere."""

from __future__ import annotations

from slipway.bot.chat.matrix.transport.errors import HomeserverError
from slipway.bot.chat.matrix.account.account_store import Folder, Login
from slipway.bot.chat.matrix.transport.authentication import Entrance, Secret
from slipway.bot.chat.matrix.transport.session import Opener
from slipway.bot.config.settings import MatrixSettings


async def log_in(
    settings: MatrixSettings, folder: Folder, secret: Secret, *, new_device: bool, new_identity: bool
) -> Login:
    """Log in and keep the login, with device and identity in order.

    A login of before that still works is kept, and so is its device if only the login ended. A device that the
    homeserver no longer knows is not brought back: somebody wanted it gone.

    Args:
        settings: the account; its own password and token are not used.
        folder: where the login is kept.
        secret: what to log in with.
        new_device: make a new device in any case.
        new_identity: put a new identity in place of one that is not the bot's.

    Raises:
        ChatError: it did not work; the words say what to do.
    """

    async def enter(entrance: Entrance) -> Login:
        kept = entrance.kept()
        if kept is None:
            return await entrance.anew(None if new_device else settings.device_id)
        if new_device:
            return await entrance.anew(None, lost=(*kept.lost, kept.device_id))
        try:
            return await entrance.check(kept)
        except HomeserverError as error:
            if not error.logged_out:
                raise
            gone = error.logged_out == "hard"
        return await entrance.anew(None if gone else kept.device_id, lost=kept.lost)

    account = settings.model_copy(update={"password": None, "access_token": None})
    opened = await Opener(account, folder, secret).open(enter, new_identity=new_identity)
    await opened.close()
    return opened.login
