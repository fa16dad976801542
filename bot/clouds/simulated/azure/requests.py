"""What requests of all kinds have in common: their body, what they depend on, and signed addresses."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from slipway.bot.clouds.simulated.azure.errors import ArmError
from slipway.bot.clouds.simulated.azure.operations import LongRunningOperation, Terms
from slipway.bot.clouds.simulated.control import ARMED

CERTIFICATE = "MIIH" + "0123456789abcdef" * 240
"""Addresses of operations are signed with a certificate, and so some 4,000 characters long."""


def terms_of(request: web.Request) -> Terms:
    """What a write depends on: If-Match, and the fault that its operation shall meet."""
    armed = request.get(ARMED)
    if armed is None:
        return Terms(request.headers.get("If-Match"))
    fault = armed.fault
    return Terms(request.headers.get("If-Match"), fault.kind, fault.code, fault.message)


def signature(operation_id: str) -> str:
    """Of an operation's address."""
    return f"s-{operation_id[::-1]}"


async def body_of(request: web.Request) -> dict[str, Any]:
    """A request's body, which must be an object.

    Raises:
        ArmError: it is none.
    """
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ArmError(400, "InvalidRequestContent", "The request content is not JSON.") from error
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content is not an object.")
    return body


def check_signature(request: web.Request, operation_id: str) -> None:
    """Raise ArmError where an operation is asked for at another address than was given for it."""
    if request.query.get("c") != CERTIFICATE or request.query.get("s") != signature(operation_id):
        raise ArmError(403, "AuthorizationFailed", "The signature of the address does not fit.")


def poll_answer(request: web.Request, running: LongRunningOperation, monitor: str) -> web.Response:
    """How an operation stands, as one of its two addresses tells it; ``monitor`` is the one without a body."""
    if request.query.get("monitor") != "true":
        return web.json_response(running.shown())
    if running.failure is not None:
        return web.json_response(running.failure, status=409)
    if running.done:
        return web.Response(status=200)
    return web.Response(status=202, headers={"Location": monitor})
