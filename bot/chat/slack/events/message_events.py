"""From an event of Slack's Events API to a message event: pure rules, no network.

Everything here is written by strangers: each value is looked at before it is used, and whatever is not
clearly a person's message is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slipway.bot.chat.model import Address, Assurance, MessageEvent, Room
from slipway.bot.chat.shared.mentions import MENTIONED_DOUBT, Said, said_around
from slipway.bot.chat.shared.payloads import replace_surrogates, text_at, value_at
from slipway.bot.chat.slack.events.markup import undo_markup
from slipway.bot.chat.slack.events.trust import TrustPolicy
from slipway.bot.chat.slack.ids import CHANNEL, USER, is_direct, parse_ts
from slipway.bot.chat.slack.platform import SLACK

_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^<>]{0,100})?>", re.ASCII)
_SUBTYPES = (None, "", "file_share", "thread_broadcast")
"""Of what a person says: plainly, beside a file, or in a thread and to the channel as well."""

_EVENT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)


def message_event_from(
    envelope: Mapping[str, Any], *, bot_user: str, trust: TrustPolicy
) -> MessageEvent | None:
    """What an ``event_callback`` means for the bot; None if nothing.

    Nothing are: whatever a bot said, this one or another; every subtype (edits, deletions, joins) but what is
    written beside a file or sent to the channel as well; and every event but ``message``. A mention reaches the bot
    as a message, too.

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
    said = said_to(replace_surrogates(text), bot_user)
    direct = event.get("channel_type") == "im" or is_direct(channel)
    if said is not None and not said.certain and direct:
        said = None  # nobody else is there to be told of the bot: it is a word of what is said to it
    assurance, doubt = trust.assurance(channel)
    if said is not None and not said.certain and assurance is not Assurance.REFUSED:
        assurance, doubt = Assurance.REFUSED, MENTIONED_DOUBT
    return MessageEvent(
        event_id=event_id,
        room=Room(platform=SLACK, id=channel),
        sender=account_in(envelope, user, trust, "user_team", "source_team", "team"),
        text=undo_markup(replace_surrogates(text) if said is None else said.line),
        address=Address.DIRECT if direct else Address.MENTION if said is not None else Address.ROOM,
        thread=None if thread == ts else thread,
        sent_at=sent_at,
        assurance=assurance,
        doubt=doubt,
    )


def said_to(text: str, bot_user: str) -> Said | None:
    """What is said to the bot where it is first mentioned; None where it is not, or only within a command."""
    mention = next((found for found in _MENTION.finditer(text) if found[1] == bot_user), None)
    if mention is None:
        return None
    before = text[: mention.start()].lstrip()
    # A link, or somebody else's mention, is a word, and no sign that a command could begin with: that is escaped.
    return said_around(f"_{before}" if before.startswith("<") else before, text[mention.end() :])


def time_of(ts: object) -> datetime | None:
    """The time in one of Slack's timestamps; None for what is none."""
    known = parse_ts(ts)
    try:
        return None if known is None else datetime.fromtimestamp(float(known), UTC)
    except (OverflowError, ValueError, OSError):
        return None  # a year that no calendar has


def account_in(envelope: Mapping[str, Any], user: str, trust: TrustPolicy, *keys: str) -> str:
    """The account of whoever an event is about; see :meth:`TrustPolicy.account`.

    Args:
        envelope: the callback. It names the sender's workspace, or in a shared channel maybe the receiver's.
        user: their id.
        trust: whom to believe.
        keys: where the event itself may name the sender's workspace.
    """
    teams = tuple(text_at(envelope, "event", key) for key in keys)
    around = text_at(envelope, "team_id")
    # Everybody there is of the workspace that is named, but in an organisation, whose workspaces share channels, too.
    if value_at(envelope, "is_ext_shared_channel") is False and not trust.in_organisation:
        return trust.account(user, *teams, around)
    return trust.account(user, *teams, around=(around,))
