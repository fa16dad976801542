"""What a homeserver tells of the bot's token: whose it is.

It tells no end: a token has none, unless the login asked for one that is refreshed, which Slipway's does not.

Source: the client-server API of Matrix, ``GET /_matrix/client/v3/account/whoami`` and ``POST …/refresh``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from slipway.bot.chat.declaration import TokenFacts
from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.errors import error_from_response
from slipway.bot.chat.shared.outage import connection_failure
from slipway.bot.core.errors import ChatError

_ASKING = "ask who the bot is logged in as"


async def token_facts(settings: MatrixSettings, store: AccountStore) -> TokenFacts:
    """Ask the homeserver.

    Raises:
        ChatError: there is no login, it is not accepted, or the homeserver could not be asked.
    """
    import aiohttp

    token = _token(settings, store)
    if token is None:
        raise ChatError("The bot has not logged in yet, so it has no token.", passing=False)
    timeout = aiohttp.ClientTimeout(total=settings.request_timeout.total_seconds())
    url = f"{settings.homeserver.rstrip('/')}/_matrix/client/v3/account/whoami"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, headers={"Authorization": f"Bearer {token}"}, allow_redirects=False) as response,
        ):
            status, answer = response.status, await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        why = connection_failure(error, "no sound answer")
        raise ChatError(f"Could not {_ASKING}: {why}.", passing=True) from None
    found: dict[str, Any] = answer if isinstance(answer, dict) else {}
    if status != HTTPStatus.OK or not isinstance(found.get("user_id"), str):
        raise error_from_response(_ASKING, status, found)
    device = found.get("device_id")
    return TokenFacts(f"{found['user_id']}{f' on {device}' if isinstance(device, str) else ''}")


def _token(settings: MatrixSettings, store: AccountStore) -> str | None:
    if settings.access_token is not None:
        return settings.access_token.get_secret_value()
    login = store.load_login(settings.homeserver, settings.user_id)
    return login.access_token if login is not None else None
