"""Cards on their way to Slack: with their blocks, or in words should Slack not take those."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from slipway.bot.chat.model import Card
from slipway.bot.chat.slack.rendering import render
from slipway.bot.chat.slack.transport.web_api import Connection
from slipway.bot.chat.slack.transport.errors import Refusal, RefusedError
from slipway.bot.chat.slack.rendering.render import Json

_MANY_ROWS = 200
"""Rows from which on a card is not rendered on the event loop: some 20 milliseconds."""

T = TypeVar("T")

Send = Callable[[AsyncWebClient, str, list[Json]], Awaitable[AsyncSlackResponse]]
"""A call that takes a message's words and blocks."""

log = structlog.get_logger(__name__)


async def show(connection: Connection, what: str, card: Card, channel: str, send: Send) -> dict[str, Any]:
    """Send a card. The arguments and errors are those of :meth:`Connection.call`."""
    shown = await _aside(render.message, card)
    try:
        return await connection.call(
            what, lambda client: send(client, shown.text, shown.blocks), channel=channel
        )
    except RefusedError as error:
        if error.kind is not Refusal.BLOCKS:
            raise
        # Cards keep within Slack's limits; one that is new, or not documented, must not make a card vanish.
        log.error(
            "Slack does not take a card's blocks; it is shown in words", channel=channel, code=error.code
        )
        return await connection.call(what, lambda client: send(client, shown.text, []), channel=channel)


async def whole_of(card: Card) -> str | None:
    """As :func:`slipway.bot.chat.slack.rendering.render.whole_of`, beside the event loop where that takes long."""
    return await _aside(render.whole_of, card)


async def _aside(work: Callable[[Card], T], card: Card) -> T:
    if sum(len(table.rows) for table in card.tables) < _MANY_ROWS:
        return work(card)
    return await asyncio.to_thread(work, card)
