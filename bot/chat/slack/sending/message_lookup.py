"""Looking for what may have been sent: Slack takes no key that would make sending twice harmless."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from slipway.bot.chat.shared.payloads import value_at
from slipway.bot.chat.slack.sending.send_attempts import message_token
from slipway.bot.chat.slack.transport.web_api import MAX_RETRIES, MAX_RETRY_AFTER, WebApi

_CLOCK_SKEW = timedelta(minutes=5)
_LONGEST_ATTEMPT = timedelta(seconds=MAX_RETRIES * MAX_RETRY_AFTER) + _CLOCK_SKEW
_MAX_PAGES = 3
_PAGE_SIZE = 200

log = structlog.get_logger(__name__)


class MessageLookup:
    """Finds the bot's messages and files of about the time at which they were sent."""

    def __init__(self, api: WebApi) -> None:
        self._api = api

    async def find_message(
        self, channel: str, thread: str | None, key: str, attempted_at: datetime
    ) -> str | None:
        """The message with this key in its metadata; None if there is none.

        Raises:
            ChatError: Slack did not let it be looked for.
        """
        # What a crash left in doubt can be taken up before the listener has authenticated.
        identity = self._api.identity or await self._api.authenticate()
        async for found in self._around(channel, thread, attempted_at):
            payload = value_at(found, "metadata", "event_payload")
            own = value_at(found, "user") == identity.user
            if own and value_at(payload, "key") == message_token(key):
                log.info("a message that was in doubt had arrived", channel=channel)
                return str(value_at(found, "ts"))
        return None

    async def find_file(self, channel: str, thread: str | None, name: str, attempted_at: datetime) -> bool:
        """Whether a file of this name is in a thread.

        Raises:
            ChatError: as :meth:`find_message`.
        """
        async for found in self._around(channel, thread, attempted_at):
            files = value_at(found, "files")
            if isinstance(files, list) and any(value_at(file, "name") == name for file in files):
                return True
        return False

    async def _around(self, channel: str, thread: str | None, attempted_at: datetime) -> AsyncIterator[Any]:
        """The messages in a channel or thread of about the time of a try, a few pages of them.

        That time is the bot's, and its clock may be wrong, or have been set meanwhile: so the newest come as well.
        """
        about = {
            "oldest": f"{(attempted_at - _CLOCK_SKEW).timestamp():.6f}",
            "latest": f"{(attempted_at + _LONGEST_ATTEMPT).timestamp():.6f}",
        }
        for when in (about, {}):
            async for found in self._pages(channel, thread, when):
                yield found

    async def _pages(self, channel: str, thread: str | None, when: dict[str, str]) -> AsyncIterator[Any]:
        arguments: dict[str, Any] = {
            "channel": channel,
            "limit": _PAGE_SIZE,
            "include_all_metadata": True,
            **when,
            **({"ts": thread} if thread is not None else {}),
        }
        for _ in range(_MAX_PAGES):
            answer = await self._api.call("look for a message", partial(_list, arguments), channel=channel)
            for found in answer.get("messages") or ():
                yield found
            cursor = str(value_at(answer, "response_metadata", "next_cursor") or "")
            if not cursor:
                return
            arguments = {**arguments, "cursor": cursor}


async def _list(arguments: dict[str, Any], client: AsyncWebClient) -> AsyncSlackResponse:
    return await (client.conversations_replies if "ts" in arguments else client.conversations_history)(
        **arguments
    )
