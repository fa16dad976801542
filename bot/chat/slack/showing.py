"""Cards on their way to Slack: with their blocks, or in words should Slack not take those."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.chat.model import Card
from bot.chat.slack.connection import Connection
from bot.chat.slack.failures import Refusal, RefusedError
from bot.chat.slack.render import Json, message

Send = Callable[[AsyncWebClient, str, list[Json]], Awaitable[AsyncSlackResponse]]
"""A call that takes a message's words and blocks."""

log = structlog.get_logger(__name__)


async def show(connection: Connection, what: str, card: Card, channel: str, send: Send) -> dict[str, Any]:
    """Send a card. The arguments and errors are those of :meth:`Connection.call`."""
    shown = message(card)
    try:
        return await connection.call(
            what, lambda client: send(client, shown.text, shown.blocks), channel=channel
        )
    except RefusedError as error:
        if error.kind is not Refusal.BLOCKS:
            raise
        # Cards keep within Slack's limits; a limit that is new or not documented must not make one vanish.
        log.error(
            "Slack does not take a card's blocks; it is shown in words", channel=channel, code=error.code
        )
        return await connection.call(what, lambda client: send(client, shown.text, []), channel=channel)
