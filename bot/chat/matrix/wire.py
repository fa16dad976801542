"""Calls of the client-server API as JSON, for what nio has no usable call for."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from bot.chat.matrix.failures import refusal

Client = Any
"""nio.AsyncClient; nio ships no type information."""

Json = dict[str, Any]

Exchange = Callable[[str, str, Json | None], Awaitable[tuple[int, Json]]]
"""Makes one call (method, path, body) as the bot, and gives the status and the object that came back.

Network failures come out as ``ChatError``; a status is the caller's to judge.
"""


async def exchange(
    client: Client, method: str, path: str, body: Json | None, *, token: str | None = None
) -> tuple[int, Json]:
    """Make a call with nio's HTTP client.

    Args:
        client: a client; logged in or not.
        method: ``GET``, ``POST`` or ``PUT``.
        path: from ``/_matrix`` on.
        body: what to send.
        token: the access token; None for a call without one.
    """
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body)
    async with await client.send(method, path, data, headers) as answer:
        found: object = await answer.json(content_type=None)
        return answer.status, found if isinstance(found, dict) else {}


async def ask(call: Exchange, what: str, method: str, path: str, body: Json | None = None) -> Json:
    """Make a call that has to succeed.

    Raises:
        HomeserverError: any status but 200.
        ChatError: the homeserver could not be reached.
    """
    status, found = await call(method, path, body)
    if status != HTTPStatus.OK:
        raise refusal(what, status, found)
    return found
