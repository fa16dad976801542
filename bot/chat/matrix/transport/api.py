"""Calls of the client-server API as JSON, for what nio has no usable call for."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import aiohttp

from slipway.bot.chat.matrix.transport.errors import error_from_response
from slipway.bot.chat.shared.outage import connection_failure
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.core.errors import ChatError
from slipway.bot.core.loading import LIBRARY_IMPORT

Client = Any
"""nio.AsyncClient; nio ships no type information."""

SendRequest = Callable[[str, str, JsonObject | None], Awaitable[tuple[int, JsonObject]]]
"""Makes one call (method, path, body) as the bot, and gives the status and the object that came back.

Network failures come out as ``ChatError``; a status is the caller's to judge.
"""


async def send_request(
    client: Client, method: str, path: str, body: JsonObject | None, *, token: str | None = None
) -> tuple[int, JsonObject]:
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


async def request_json(
    call: SendRequest, what: str, method: str, path: str, body: JsonObject | None = None
) -> JsonObject:
    """Make a call that has to succeed.

    Raises:
        HomeserverError: any status but 200.
        ChatError: the homeserver could not be reached.
    """
    status, found = await call(method, path, body)
    if status != HTTPStatus.OK:
        raise error_from_response(what, status, found)
    return found


async def await_response(what: str, call: Awaitable[Any], seconds: float) -> Any:
    """Await a call of nio's, with a timeout and plain errors.

    Raises:
        HomeserverError: the homeserver answered with an error.
        ChatError: it could not be reached, or took too long.
    """
    try:
        async with asyncio.timeout(seconds):
            answer = await call
    except TimeoutError as error:
        raise ChatError(f"Could not {what}: the homeserver took too long.", passing=True) from error
    except (aiohttp.ClientError, OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        why = connection_failure(error, "no sound answer")
        raise ChatError(f"Could not {what}: {why}.", passing=True) from error
    nio = load_nio()
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
        raise error_from_response(what, status, found)
    return answer


def timed_requests(client: Client, seconds: float) -> SendRequest:
    """As :func:`authenticated_requests`, each call with a timeout and plain errors: for calls on their own."""
    plain = authenticated_requests(client)

    async def call(method: str, path: str, body: JsonObject | None) -> tuple[int, JsonObject]:
        answer: tuple[int, JsonObject] = await await_response(
            "reach the homeserver", plain(method, path, body), seconds
        )
        return answer

    return call


def authenticated_requests(client: Client) -> SendRequest:
    """Makes plain calls as the bot, with the token that the client has then.

    Timeouts and network failures are the caller's: this is for use within :func:`await_response`.
    """

    async def call(method: str, path: str, body: JsonObject | None) -> tuple[int, JsonObject]:
        return await send_request(client, method, path, body, token=client.access_token)

    return call


def load_nio() -> Any:
    """Import nio, which takes most of a second: not on the event loop, and not when the bot starts.

    Its warnings about malformed events quote them; what people say does not belong into a log.
    """
    with LIBRARY_IMPORT:
        import nio

    logging.getLogger("nio").setLevel(logging.ERROR)
    return nio
