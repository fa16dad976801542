"""From an event of Slack's Events API to what was heard: pure rules, no network.

Everything here is written by strangers: each value is looked at before it is used, and whatever is not
clearly a person's message is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slipway.bot.chat.model import Address, MessageEvent, Room
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.events.trust import Trust
from slipway.bot.chat.slack.interactions.values import CHANNEL, USER, part, stamp_of, text_at

_SURROGATES = re.compile("[\ud800-\udfff]")
_MENTION = re.compile(r"\s*<@([UW][A-Z0-9]{2,20})(?:\|[^<>]{0,100})?>[\s,:]*", re.ASCII)
_SAID = (None, "", "file_share")
_EVENT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)


def understand(envelope: Mapping[str, Any], *, me: str, trust: Trust) -> MessageEvent | None:
    """What an ``event_callback`` means for the bot; None if nothing.

    Nothing are: whatever a bot said, this one or another; every subtype (edits, deletions, broadcasts of a
    reply, joins) but what is said beside a file; and every event but ``message``. A mention reaches the bot as
    a message as well.

    Args:
        envelope: the callback, as Slack gave it.
        me: the bot's own user id.
        trust: whom to take the sender for.
    """
    event = envelope.get("event")
    event_id = text_at(envelope, "event_id")
    if not isinstance(event, Mapping) or not _EVENT_ID.fullmatch(event_id):
        return None
    if event.get("type") != "message" or event.get("subtype") not in _SAID:
        return None
    if any(event.get(key) for key in ("bot_id", "bot_profile", "edited", "hidden")):
        return None
    user, channel = text_at(event, "user"), text_at(event, "channel")
    stamp, sent_at = stamp_of(event.get("ts")), moment(event.get("ts"))
    text = event.get("text")
    if not USER.fullmatch(user) or not CHANNEL.fullmatch(channel) or user == me:
        return None
    if stamp is None or sent_at is None or not isinstance(text, str):
        return None
    thread = stamp_of(event.get("thread_ts"))
    said, mentioned = without_mention(_SURROGATES.sub("\ufffd", text), me)
    direct = event.get("channel_type") == "im" or channel.startswith("D")
    assurance, doubt = trust.place(channel)
    return MessageEvent(
        event_id=event_id,
        room=Room(platform=SLACK, id=channel),
        speaker=trust.speaker(user, *_teams(envelope, event)),
        text=said,
        address=Address.DIRECT if direct else Address.MENTION if mentioned else Address.ROOM,
        thread=None if thread == stamp else thread,
        sent_at=sent_at,
        assurance=assurance,
        doubt=doubt,
    )


def without_mention(text: str, me: str) -> tuple[str, bool]:
    """The text without a mention of the bot at its start, and whether there was one."""
    match = _MENTION.match(text)
    return (text[match.end() :], True) if match and match[1] == me else (text, False)


def moment(stamp: object) -> datetime | None:
    """The time in one of Slack's timestamps; None for what is none."""
    known = stamp_of(stamp)
    try:
        return None if known is None else datetime.fromtimestamp(float(known), UTC)
    except (OverflowError, ValueError, OSError):
        return None  # a year that no calendar has


def _teams(envelope: Mapping[str, Any], event: Mapping[str, Any]) -> tuple[str, ...]:
    """The workspaces that a message says its sender is of; all of them have to be believed."""
    told = tuple(text_at(event, key) for key in ("user_team", "source_team", "team"))
    if any(told) or part(envelope, "is_ext_shared_channel") is not False:
        return told
    return (text_at(envelope, "team_id"),)  # in a channel of the app's own workspace only
