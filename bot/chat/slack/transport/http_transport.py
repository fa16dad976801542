"""Events over HTTP: requests that Slack makes."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from slipway.bot.chat.slack.routes import REQUESTS
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.chat.slack.transport.shapes import MALFORMED, is_sound
from slipway.bot.chat.slack.transport.signatures import is_genuine
from slipway.bot.chat.slack.transport.transport import Notify
from slipway.bot.core.http.messages import HttpRequest, HttpResponse
from slipway.bot.core.http.routes import PublicHttp
from slipway.bot.core.times import Clock

log = structlog.get_logger(__name__)


class HttpTransport:
    """Slack's signed requests to ``/slack/events``, and nothing else.

    Args:
        settings: they have the signing secret.
        http: the listener that they come in at.
        on_activity: called when Slack made one.
        clock: the time, which a signature is compared with.
    """

    def __init__(self, settings: SlackSettings, http: PublicHttp, on_activity: Notify, clock: Clock) -> None:
        self._secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
        self._http = http
        self._on_activity = on_activity
        self._clock = clock
        self._answering = False

    @property
    def is_open(self) -> bool:
        """Whether requests are answered."""
        return self.port is not None

    @property
    def port(self) -> int | None:
        """The port that they come in at; None while none is answered."""
        return self._http.port if self._answering else None

    async def serve(self, app: AsyncApp, on_open: Notify) -> None:
        """Answer requests; see :class:`slipway.bot.chat.slack.transport.transport.Transport`."""

        async def respond(request: HttpRequest) -> HttpResponse:
            return await self._respond(app, request)

        with self._http.answering(REQUESTS, respond):
            self._answering = True
            try:
                on_open()
                log.info("listening for Slack", path=REQUESTS.path)
                await asyncio.Event().wait()
            finally:
                self._answering = False

    async def _respond(self, app: AsyncApp, request: HttpRequest) -> HttpResponse:
        if not is_genuine(
            self._secret,
            timestamp=request.header("X-Slack-Request-Timestamp"),
            signature=request.header("X-Slack-Signature"),
            body=request.body,
            now=self._clock(),
        ):
            return HttpResponse(HTTPStatus.UNAUTHORIZED)
        self._on_activity()
        try:
            # Bolt takes a body that is read already only as Socket Mode's; nothing else depends on that.
            bolt_request = AsyncBoltRequest(
                body=_parse(request.content_type, request.body.decode()), mode="socket_mode"
            )
        except MALFORMED:  # signed, but not what Slack says
            return HttpResponse(HTTPStatus.BAD_REQUEST)
        return _answer(await app.async_dispatch(bolt_request))


def _answer(response: BoltResponse) -> HttpResponse:
    """What Bolt says. It sets no cookies for events."""
    headers = response.first_headers_without_set_cookie()
    content_type = headers.pop("content-type", "text/plain; charset=utf-8")
    return HttpResponse(response.status, (response.body or "").encode(), content_type, headers)


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
