"""Looking for what may have been sent: Slack takes no key that would make sending twice harmless."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from slipway.bot.chat.slack.transport.web_api import LONGEST_WAIT, MOST_WAITS, Connection
from slipway.bot.chat.slack.sending.send_attempts import token_of
from slipway.bot.chat.slack.interactions.values import part

_CLOCKS_APART = timedelta(minutes=5)
_LONGEST_TRY = timedelta(seconds=MOST_WAITS * LONGEST_WAIT) + _CLOCKS_APART
_PAGES = 3
_PAGE = 200

log = structlog.get_logger(__name__)


class Lookup:
    """Finds the bot's messages and files of about the time at which they were sent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def message(self, channel: str, thread: str | None, key: str, tried: datetime) -> str | None:
        """The message with this key in its metadata; None if there is none.

        Raises:
            ChatError: Slack did not let it be looked for.
        """
        # What a crash left in doubt can be taken up before the ears have logged in.
        me = self._connection.me or await self._connection.log_in()
        async for found in self._around(channel, thread, tried):
            payload = part(found, "metadata", "event_payload")
            if part(payload, "key") == token_of(key) and part(found, "user") == me.user:
                log.info("a message that was in doubt had arrived", channel=channel)
                return str(part(found, "ts"))
        return None

    async def file(self, channel: str, thread: str, name: str, tried: datetime) -> bool:
        """Whether a file of this name stands in a thread.

        Raises:
            ChatError: as :meth:`message`.
        """
        async for found in self._around(channel, thread, tried):
            files = part(found, "files")
            if isinstance(files, list) and any(part(file, "name") == name for file in files):
                return True
        return False

    async def _around(self, channel: str, thread: str | None, tried: datetime) -> AsyncIterator[Any]:
        """The messages in a channel or thread of about the time of a try, a few pages of them."""
        asked: dict[str, Any] = {
            "channel": channel,
            "oldest": f"{(tried - _CLOCKS_APART).timestamp():.6f}",
            "latest": f"{(tried + _LONGEST_TRY).timestamp():.6f}",
            "limit": _PAGE,
            "include_all_metadata": True,
            **({"ts": thread} if thread is not None else {}),
        }
        for _ in range(_PAGES):
            answer = await self._connection.call("look for a message", partial(_list, asked), channel=channel)
            for found in answer.get("messages") or ():
                yield found
            cursor = str(part(answer, "response_metadata", "next_cursor") or "")
            if not cursor:
                return
            asked = {**asked, "cursor": cursor}


async def _list(asked: dict[str, Any], client: AsyncWebClient) -> AsyncSlackResponse:
    return await (client.conversations_replies if "ts" in asked else client.conversations_history)(**asked)
