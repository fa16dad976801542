"""From an event of Slack's Events API to a message event: pure rules, no network.

Everything here is written by strangers: each value is looked at before it is used, and whatever is not
clearly a person's message is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slipway.bot.chat.model import Address, MessageEvent, Room
from slipway.bot.chat.shared.payloads import replace_surrogates, text_at, value_at
from slipway.bot.chat.slack.events.markup import undo_markup
from slipway.bot.chat.slack.events.trust import TrustPolicy
from slipway.bot.chat.slack.ids import CHANNEL, USER, is_direct, parse_ts
from slipway.bot.chat.slack.platform import SLACK

_MENTION = re.compile(r"\s*<@([UW][A-Z0-9]{2,20})(?:\|[^<>]{0,100})?>[\s,:]*", re.ASCII)
_SUBTYPES = (None, "", "file_share")
_EVENT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)


def message_event_from(
    envelope: Mapping[str, Any], *, bot_user: str, trust: TrustPolicy
) -> MessageEvent | None:
    """What an ``event_callback`` means for the bot; None if nothing.

    Nothing are: whatever a bot said, this one or another; every subtype (edits, deletions, broadcasts of a
    reply, joins) but what is written beside a file; and every event but ``message``. A mention reaches the bot as
    a message as well.

    Args:
        envelope: the callback, as Slack gave it.
        bot_user: the bot's own user id.
        trust: whom to take the sender for.
    """
    event = envelope.get("event")
    event_id = text_at(envelope, "event_id")
    if not isinstance(event, Mapping) or not _EVENT_ID.fullmatch(event_id):
        return None
    if event.get("type") != "message" or event.get("subtype") not in _SUBTYPES:
        return None
    if any(event.get(key) for key in ("bot_id", "bot_profile", "edited", "hidden")):
        return None
    user, channel = text_at(event, "user"), text_at(event, "channel")
    ts, sent_at = parse_ts(event.get("ts")), time_of(event.get("ts"))
    text = event.get("text")
    if not USER.fullmatch(user) or not CHANNEL.fullmatch(channel) or user == bot_user:
        return None
    if ts is None or sent_at is None or not isinstance(text, str):
        return None
    thread = parse_ts(event.get("thread_ts"))
    line, mentioned = without_mention(replace_surrogates(text), bot_user)
    direct = event.get("channel_type") == "im" or is_direct(channel)
    assurance, doubt = trust.assurance(channel)
    return MessageEvent(
        event_id=event_id,
        room=Room(platform=SLACK, id=channel),
        sender=trust.account(user, *_teams(envelope, event)),
        text=undo_markup(line),
        address=Address.DIRECT if direct else Address.MENTION if mentioned else Address.ROOM,
        thread=None if thread == ts else thread,
        sent_at=sent_at,
        assurance=assurance,
        doubt=doubt,
    )


def without_mention(text: str, bot_user: str) -> tuple[str, bool]:
    """The text without a mention of the bot at its start, and whether there was one."""
    match = _MENTION.match(text)
    return (text[match.end() :], True) if match and match[1] == bot_user else (text, False)


def time_of(ts: object) -> datetime | None:
    """The time in one of Slack's timestamps; None for what is none."""
    known = parse_ts(ts)
    try:
        return None if known is None else datetime.fromtimestamp(float(known), UTC)
    except (OverflowError, ValueError, OSError):
        return None  # a year that no calendar has


def _teams(envelope: Mapping[str, Any], event: Mapping[str, Any]) -> tuple[str, ...]:
    """The workspaces that a message says its sender is of; all of them have to be believed."""
    teams = tuple(text_at(event, key) for key in ("user_team", "source_team", "team"))
    if any(teams) or value_at(envelope, "is_ext_shared_channel") is not False:
        return teams
    return (text_at(envelope, "team_id"),)  # in a channel of the app's own workspace only
