"""The Web API's ``conversations.*`` methods."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from tests.slack.simulator.calls import ApiError, Args, find_channel, require, require_member, warned
from tests.slack.simulator.core import Core, thread_counts, tombstone
from tests.slack.simulator.world import Channel, ChannelKind, Json, Message

T = TypeVar("T")

_TYPES = {
    "public_channel": ChannelKind.PUBLIC,
    "private_channel": ChannelKind.PRIVATE,
    "im": ChannelKind.DIRECT,
}
_LIST_SCOPE = {"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read"}
_MOST = 999


def page(items: Sequence[T], args: Args, default: int) -> tuple[list[T], str]:
    """One page of a list, and the cursor of the next (empty after the last)."""
    limit = args.number("limit", default)
    if not 0 < limit <= _MOST + 1:
        raise ApiError("invalid_limit")
    start = 0
    if cursor := args.text("cursor"):
        try:
            start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
        except (binascii.Error, ValueError):
            raise ApiError("invalid_cursor") from None
    end = start + limit
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), following


async def info(core: Core, args: Args) -> Json:
    """``conversations.info``"""
    channel = find_channel(core, args.need("channel"), scope="read")
    shown = channel.shown(home=core.home, member=core.app.bot_user, members=args.flag("include_num_members"))
    return {"ok": True, "channel": shown}


async def list_all(core: Core, args: Args) -> Json:
    """``conversations.list``"""
    wanted = [kind for kind in args.text("types", "public_channel").split(",") if kind in _TYPES]
    for kind in wanted:
        require(core, _LIST_SCOPE[kind])
    kinds = {_TYPES[kind] for kind in wanted}
    found = [
        channel
        for channel in core.world.channels.values()
        if channel.kind in kinds
        and (channel.kind is ChannelKind.PUBLIC or core.bot_sees(channel))
        and not (channel.archived and args.flag("exclude_archived"))
    ]
    part, cursor = page(found, args, 100)
    shown = [channel.shown(home=core.home, member=core.app.bot_user, members=True) for channel in part]
    return {"ok": True, "channels": shown, "response_metadata": {"next_cursor": cursor}}


async def list_own(core: Core, args: Args) -> Json:
    """``users.conversations``: where the bot itself is"""
    answer = await list_all(core, Args({**args.given, "limit": _MOST, "cursor": ""}))
    found = [shown for shown in answer["channels"] if core.bot_sees(core.world.channels[shown["id"]])]
    part, cursor = page(found, args, 100)
    return {"ok": True, "channels": part, "response_metadata": {"next_cursor": cursor}}


def _moment(args: Args, name: str, default: str) -> float:
    try:
        return float(args.text(name) or default)
    except ValueError:
        raise ApiError(f"invalid_ts_{name}") from None


def _within(messages: list[Message], args: Args) -> list[Message]:
    oldest, latest = _moment(args, "oldest", "0"), _moment(args, "latest", "inf")
    inclusive = args.flag("inclusive")

    def fits(message: Message) -> bool:
        ts = float(message.ts)
        return oldest < ts < latest or (inclusive and ts in (oldest, latest))

    return [message for message in messages if fits(message)]


def _listed(channel: Channel, args: Args, messages: list[Message], default: int) -> Json:
    part, cursor = page(messages, args, default)
    metadata = args.flag("include_all_metadata")
    return {
        "ok": True,
        "messages": [_shown(channel, message, metadata=metadata) for message in part],
        "has_more": bool(cursor),
        "response_metadata": {"next_cursor": cursor},
    }


def _shown(channel: Channel, message: Message, *, metadata: bool) -> Json:
    """A message with what it says of the thread below it, or the tombstone that is left of it."""
    if message.deleted:
        return tombstone(channel, message)
    counts = {} if message.is_reply else thread_counts(channel, message)
    thread: Json = {"thread_ts": message.ts, **counts} if counts else {}
    return message.shown(metadata=metadata) | thread


def _standing(channel: Channel) -> list[Message]:
    """The messages that are shown: those that live, and deleted ones over a thread."""
    return [message for message in channel.messages if not message.deleted or thread_counts(channel, message)]


async def history(core: Core, args: Args) -> Json:
    """``conversations.history``: newest first, without the replies in threads."""
    channel = require_member(core, find_channel(core, args.need("channel"), scope="history"))
    messages = [message for message in _standing(channel) if message.in_channel_view]
    return _listed(channel, args, _within(messages, args)[::-1], 100)


async def replies(core: Core, args: Args) -> Json:
    """``conversations.replies``: the root first, then oldest first."""
    channel = require_member(core, find_channel(core, args.need("channel"), scope="history"))
    ts = args.need("ts")
    thread = [message for message in _standing(channel) if ts in (message.ts, message.thread_ts)]
    if not thread:
        raise ApiError("thread_not_found")
    return _listed(channel, args, [thread[0], *_within(thread[1:], args)], 1000)


async def open_direct(core: Core, args: Args) -> Json:
    """``conversations.open``, with one person."""
    require(core, "im:write")
    users = [user for user in args.text("users").split(",") if user]
    if len(users) != 1:
        raise ApiError("users_list_not_supplied" if not users else "too_many_users")
    if users[0] not in core.visible_users():
        raise ApiError("user_not_found")
    if core.world.users[users[0]].deleted:
        raise ApiError("user_disabled")
    known = core.world.direct(users[0]) is not None
    channel = core.open_direct(users[0])
    answer: Json = {"ok": True, "channel": {"id": channel.id}}
    return answer | ({"no_op": True, "already_open": True} if known else {})


async def members(core: Core, args: Args) -> Json:
    """``conversations.members``"""
    channel = find_channel(core, args.need("channel"), scope="read")
    part, cursor = page(sorted(channel.members), args, 100)
    return {"ok": True, "members": part, "response_metadata": {"next_cursor": cursor}}


async def join(core: Core, args: Args) -> Json:
    """``conversations.join``, of public channels"""
    require(core, "channels:join")
    channel = find_channel(core, args.need("channel"))
    if channel.kind is not ChannelKind.PUBLIC:
        raise ApiError("method_not_supported_for_channel_type")
    if channel.archived:
        raise ApiError("is_archived")
    known = core.bot_sees(channel)
    channel.members.add(core.app.bot_user)
    core.changes.notify()
    answer: Json = {"ok": True, "channel": channel.shown(home=core.home, member=core.app.bot_user)}
    return answer | (warned("already_in_channel") if known else {})
