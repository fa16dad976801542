"""Channels that are gone: archived, deleted, or the bot is not in them any more.

What Slack tells of a channel is a hint to ask about it: a channel that comes back from the archive may do so without
the bot, some events are withheld (docs.slack.dev/reference/events/channel_left), and none tells of what was before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.bot.chat.shared.payloads import text_at, value_at
from slipway.bot.chat.slack.ids import CHANNEL, is_direct
from slipway.bot.chat.slack.manifest import CHANNEL_EVENTS, MEMBER_EVENTS
from slipway.bot.chat.slack.transport.error_codes import RefusalKind
from slipway.bot.chat.slack.transport.errors import RefusedError
from slipway.bot.chat.slack.transport.web_api import WebApi
from slipway.bot.core.errors import ChatError

_RESTRICTED = {
    "is_read_only": "lets only chosen accounts write",
    "is_thread_only": "lets only chosen accounts begin threads",
}
"""Slack's settings of a channel by which it may take nothing from the app."""


def channel_changed(envelope: Mapping[str, Any], bot_user: str) -> str | None:
    """The channel that an event tells may be gone, or back; None where it tells nothing of the kind."""
    kind, channel = text_at(envelope, "event", "type"), text_at(envelope, "event", "channel")
    about_bot = kind in MEMBER_EVENTS and text_at(envelope, "event", "user") == bot_user
    if not (about_bot or kind in CHANNEL_EVENTS) or not CHANNEL.fullmatch(channel):
        return None
    return channel


async def why_gone(api: WebApi, channel: str) -> str | None:
    """Why a channel takes nothing from the bot any more, as a sentence; None where it does.

    Raises:
        ChatError: Slack does not say.
    """
    return None if is_direct(channel) else (await look_at(api, channel)).gone


@dataclass(frozen=True)
class Found:
    """How a channel is.

    Attributes:
        gone: why it takes nothing from the bot any more, as a sentence; None where it does.
        restricted: by which of Slack's settings not everybody may write there, as a sentence; None where by none.
    """

    gone: str | None
    restricted: str | None = None


async def look_at(api: WebApi, channel: str) -> Found:
    """How a channel is, by ``conversations.info``.

    Raises:
        ChatError: Slack does not say.
    """
    action = f"look at the channel {channel}"
    try:
        answer = await api.call(
            action, lambda client: client.conversations_info(channel=channel), channel=channel
        )
    except RefusedError as error:
        if error.kind is not RefusalKind.NOT_IN_CHANNEL:
            raise
        return Found(f"The channel {channel} was deleted, or I am not in it any more.")
    if value_at(answer, "channel", "is_archived") is True:
        return Found(f"The channel {channel} is archived.")
    member = value_at(answer, "channel", "is_member")
    if not isinstance(member, bool):
        raise ChatError(f"Could not {action}: Slack's answer lacks what was asked for.", passing=False)
    if not member:
        name = api.identity.name if api.identity is not None else "slipway"
        return Found(f"I am not in the channel {channel} any more; type `/invite @{name}` there.")
    how = next(
        (words for key, words in _RESTRICTED.items() if value_at(answer, "channel", key) is True), None
    )
    return Found(
        None, how and f"The channel {channel} {how}: see that its administrators let the app do that."
    )
