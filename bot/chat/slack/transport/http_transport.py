"""Events over HTTP: requests that Slack makes."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from slipway.bot.chat.slack.manifest import REQUEST_PATH
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.chat.slack.transport.shapes import MALFORMED, is_sound
from slipway.bot.chat.slack.transport.signatures import is_genuine
from slipway.bot.chat.slack.transport.transport import Notify
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock

MAX_REQUEST_BYTES = 1024 * 1024
"""Bytes of a request; Slack's own are far below."""

log = structlog.get_logger(__name__)


class HttpTransport:
    """Slack's signed requests to ``/slack/events``, and nothing else."""

    def __init__(self, settings: SlackSettings, on_activity: Notify, clock: Clock) -> None:
        self._secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
        self._listen = settings.listen
        self._on_activity = on_activity
        self._clock = clock
        self.port: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the port is open."""
        return self.port is not None

    async def serve(self, app: AsyncApp, on_open: Notify) -> None:
        """Answer requests; see :class:`slipway.bot.chat.slack.transport.transport.Transport`."""

        async def respond(request: web.Request) -> web.Response:
            return await self._respond(app, request)

        server = web.Application(client_max_size=MAX_REQUEST_BYTES)
        server.router.add_post(REQUEST_PATH, respond)
        # Slack packs nothing; what others have packed is not worth unpacking.
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=1.0, auto_decompress=False)
        await runner.setup()
        host, _, port = self._listen.rpartition(":")
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
            self.port = runner.addresses[0][1]
            on_open()
            log.info("listening for Slack", address=self._listen, path=REQUEST_PATH)
            await asyncio.Event().wait()
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ChatError(f"Could not listen on {self._listen} for Slack: {why}.", passing=False) from error
        finally:
            self.port = None
            await runner.cleanup()

    async def _respond(self, app: AsyncApp, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except (web.HTTPException, web.RequestPayloadError):  # too large, or broken off
            return web.Response(status=HTTPStatus.UNAUTHORIZED)
        headers = request.headers
        if not is_genuine(
            self._secret,
            timestamp=headers.get("X-Slack-Request-Timestamp", ""),
            signature=headers.get("X-Slack-Signature", ""),
            body=body,
            now=self._clock(),
        ):
            return web.Response(status=HTTPStatus.UNAUTHORIZED)
        self._on_activity()
        try:
            # Bolt takes a body that is read already only as Socket Mode's; nothing else depends on that.
            bolt_request = AsyncBoltRequest(
                body=_parse(request.content_type, body.decode()), mode="socket_mode"
            )
        except MALFORMED:  # signed, but not what Slack says
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        return await to_aiohttp_response(await app.async_dispatch(bolt_request))


def _parse(content_type: str, body: str) -> dict[str, Any]:
    """What a request says. Bolt would take any form in which the word “payload” stands for a press.

    Raises:
        ValueError: it says nothing that Slack would.
    """
    if content_type == "application/json":
        found = json.loads(body)
    else:
        form = dict(parse_qsl(body, keep_blank_values=True))
        found = json.loads(form["payload"]) if "payload" in form else form
    if not is_sound(found):
        log.warning("a request of Slack's had another form than any that it sends")
        raise ValueError("not what Slack sends")
    return cast("dict[str, Any]", found)
