"""What a homeserver tells of the bot's token: whose it is.

It tells no end: a token has none, unless the login asked for one that is refreshed, which Slipway's does not.

Source: the client-server API of Matrix, ``GET /_matrix/client/v3/account/whoami`` and ``POST …/refresh``.
"""

from __future__ import annotations

from http import HTTPStatus

from slipway.bot.chat.declaration import TokenFacts
from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.account.asking import ask
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.errors import error_from_response

_ASKING = "ask who the bot is logged in as"


async def token_facts(settings: MatrixSettings, store: AccountStore) -> TokenFacts:
    """Ask the homeserver.

    Raises:
        ChatError: there is no login, it is not accepted, or the homeserver could not be asked.
    """
    found = await ask(settings, store, "/_matrix/client/v3/account/whoami", _ASKING)
    if not isinstance(found.get("user_id"), str):
        raise error_from_response(_ASKING, HTTPStatus.OK, found)
    device = found.get("device_id")
    return TokenFacts(f"{found['user_id']}{f' on {device}' if isinstance(device, str) else ''}")
