"""Asks a homeserver something with the login that is kept or configured, for commands beside the running bot."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.errors import error_from_response
from slipway.bot.chat.shared.outage import connection_failure
from slipway.bot.core.errors import ChatError


async def ask(settings: MatrixSettings, store: AccountStore, path: str, what: str) -> dict[str, Any]:
    """What the homeserver answers.

    Args:
        settings: the account.
        store: where its login is kept.
        path: below the homeserver's address, such as ``/_matrix/client/v3/account/whoami``.
        what: is asked, to follow “Could not”.

    Raises:
        ChatError: there is no login, it is not accepted, or the homeserver could not be asked.
    """
    import aiohttp

    token = _token(settings, store)
    if token is None:
        raise ChatError("The bot has not logged in yet, so it has no token.", passing=False)
    timeout = aiohttp.ClientTimeout(total=settings.request_timeout.total_seconds())
    url = f"{settings.homeserver.rstrip('/')}{path}"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, headers={"Authorization": f"Bearer {token}"}, allow_redirects=False) as response,
        ):
            status, answer = response.status, await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        why = connection_failure(error, "no sound answer")
        raise ChatError(f"Could not {what}: {why}.", passing=True) from None
    found: dict[str, Any] = answer if isinstance(answer, dict) else {}
    if status != HTTPStatus.OK:
        raise error_from_response(what, status, found)
    return found


def _token(settings: MatrixSettings, store: AccountStore) -> str | None:
    if settings.access_token is not None:
        return settings.access_token.get_secret_value()
    login = store.load_login(settings.homeserver, settings.user_id)
    return login.access_token if login is not None else None
