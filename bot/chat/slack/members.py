"""Who is in the channels that slipway.toml names, for `slipway doctor`.

Source: Slack's reference of ``conversations.members``.
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.chat.slack.transport.web_api import WebApi
from slipway.bot.core.errors import ChatError

_PAGE = 200
_MOST_PAGES = 50


async def members_of_channels(settings: SlackSettings) -> frozenset[str] | None:
    """The accounts that are in one of the channels; None where the settings name none.

    Raises:
        ChatError: Slack does not say.
    """
    if not settings.channels:
        return None
    api = WebApi(settings)
    try:
        await api.authenticate()
        return frozenset(
            [account for channel in settings.channels for account in await _members(api, channel)]
        )
    finally:
        await api.close()


async def _members(api: WebApi, channel: str) -> list[str]:
    found: list[str] = []
    cursor = ""
    for _ in range(_MOST_PAGES):
        request = partial(_page, channel=channel, cursor=cursor)
        answer = await api.call("look up who is in a channel", request, channel=channel)
        found += [str(each) for each in answer.get("members", [])]
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return found
    raise ChatError(f"The channel {channel} has too many members to look at all of them.", passing=False)


def _page(client: Any, *, channel: str, cursor: str) -> Awaitable[Any]:
    answer: Awaitable[Any] = client.conversations_members(channel=channel, limit=_PAGE, cursor=cursor)
    return answer
