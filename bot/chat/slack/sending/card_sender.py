"""Cards on their way to Slack: with their blocks, or in words should Slack not take those."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from slipway.bot.chat.model import Card
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.chat.shared.shorten import full_text_if_too_long
from slipway.bot.chat.slack.rendering import render
from slipway.bot.chat.slack.transport.error_codes import RefusalKind
from slipway.bot.chat.slack.transport.errors import RefusedError
from slipway.bot.chat.slack.transport.web_api import WebApi

_MANY_ROWS = 200
"""Rows from which on a card is not rendered on the event loop: some 20 milliseconds."""

T = TypeVar("T")

Send = Callable[[AsyncWebClient, str, list[JsonObject]], Awaitable[AsyncSlackResponse]]
"""A call that takes a message's words and blocks."""

log = structlog.get_logger(__name__)


async def send_card(api: WebApi, action: str, card: Card, channel: str, send: Send) -> dict[str, Any]:
    """Send a card. The arguments and errors are those of :meth:`WebApi.call`."""
    rendered = await _render(render.message, card)
    try:
        return await api.call(
            action, lambda client: send(client, rendered.text, rendered.blocks), channel=channel
        )
    except RefusedError as error:
        if error.kind is not RefusalKind.INVALID_FORM:
            raise
        # Cards keep within Slack's limits; one that is new, or not documented, must not make a card vanish.
        log.error(
            "Slack does not take a card's blocks; it is shown in words", channel=channel, code=error.code
        )
        return await api.call(action, lambda client: send(client, rendered.text, []), channel=channel)


async def in_thread_or_channel(thread: str | None, send: Callable[[str | None], Awaitable[T]]) -> T:
    """Send to a thread; to the channel itself where the thread takes nothing, as it was closed or is gone.

    Raises:
        ChatError: as ``send`` does.
    """
    try:
        return await send(thread)
    except RefusedError as error:
        if thread is None or error.kind is not RefusalKind.NO_THREAD:
            raise
        log.info("a thread takes nothing, so it is said in the channel", thread=thread, code=error.code)
        return await send(None)


async def full_text(card: Card) -> str | None:
    """The full text of a card that is too long for one message, to be attached; None for one that fits."""
    return await _render(partial(full_text_if_too_long, fits=render.fits), card)


async def _render(work: Callable[[Card], T], card: Card) -> T:
    if sum(len(table.rows) for table in card.tables) < _MANY_ROWS:
        return work(card)
    return await asyncio.to_thread(work, card)
