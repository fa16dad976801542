"""From a raw Matrix event to a message, button or withdrawn-reaction event: pure rules, no network.

Everything here is written by strangers: each value is looked at before it is used, and whatever is not
clearly a person's message or a press on a button is nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from slipway.bot.chat.matrix.encryption.device_list import SenderTrust
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import (
    Address,
    ButtonEvent,
    Choice,
    MessageEvent,
    Room,
    WithdrawnReaction,
)
from slipway.bot.chat.shared.payloads import has_surrogates, mapping_at, replace_surrogates, value_at

REACTION_CHOICES = {"✅": Choice.APPROVE, "❌": Choice.REJECT}
"""The reactions that count as buttons, as they are without a variation selector."""

_VARIATION_SELECTORS = re.compile("[\ufe0e\ufe0f]")
_COLON = re.compile(r"\s*[:,]\s*")
_AT_COLON = re.compile(r"\s*[:,](?:\s+|$)")  # in @slipway:elsewhere.org the colon belongs to another's id
_SPACE = re.compile(r"\s+|$")
_PILL = re.compile(r'\s*(?:<p>\s*)?<a\s[^>]{0,200}?href="([^"]{1,500})"[^>]{0,200}>([^<]{1,300})</a>')
_MARKDOWN_PILL = re.compile(r"\[([^\]\n]{1,300})\]\((https://matrix\.to/#/[^)\s]{1,500})\)")
_MATRIX_TO = "https://matrix.to/#/"
_TRUSTED = SenderTrust()
_MAX_ID_BYTES = 255  # spec, "Size limits": user ids, event ids, room ids


@dataclass(frozen=True)
class BotUser:
    """The bot as others see it."""

    user_id: str
    display_name: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What people write at the start of a line to speak to it, but for the full id."""
        local = self.user_id[1:].partition(":")[0]
        plain = [name for name in (local, self.display_name.strip()) if name]
        return tuple(dict.fromkeys(form for name in plain for form in (f"@{name}", name)))


def parse_event(
    event: Mapping[str, Any],
    *,
    room: str,
    bot: BotUser,
    address: Address,
    sender_trust: SenderTrust = _TRUSTED,
    forgeable: bool = False,
) -> MessageEvent | ButtonEvent | WithdrawnReaction | None:
    """What a timeline event means for the bot; None if nothing.

    Nothing are: the bot's own events, notices (the specification forbids answering them), edits (their
    fallback text would run the command again), redacted events, state, and all but text.

    Args:
        event: the event as the homeserver gave it.
        room: the room's id.
        bot: who the bot is.
        address: how the room is listened to: ``ROOM`` or ``DIRECT``.
        sender_trust: how far the event can be believed to be its sender's.
        forgeable: whether the homeserver could have made it up.
    """
    envelope, content = _parse_envelope(event, room), event.get("content")
    if envelope is None or not isinstance(content, dict):
        return None
    if envelope["sender"] == bot.user_id or "state_key" in event:
        return None
    trust = {"assurance": sender_trust.assurance, "doubt": sender_trust.doubt}
    match event.get("type"):
        case "m.reaction" if reaction := _parse_reaction(content):
            return ButtonEvent.model_validate({**envelope, **trust, **reaction, "forgeable": forgeable})
        case "m.room.redaction" if redacted := _redacted_id(event):
            return WithdrawnReaction.model_validate({**envelope, "reaction_event_id": redacted})
        case "m.room.message" if message := _parse_message(content, bot, address):
            return MessageEvent.model_validate({**envelope, **trust, **message})
    return None


def _parse_envelope(event: Mapping[str, Any], room: str) -> dict[str, Any] | None:
    """What all events say of themselves; None where one of it is not sound."""
    event_id, sender = _id(event.get("event_id"), "$"), _id(event.get("sender"), "@")
    sent_at = timestamp(event.get("origin_server_ts"))
    if event_id is None or sender is None or sent_at is None:
        return None
    where = Room(platform=MATRIX, id=room)
    return {"event_id": event_id, "room": where, "sender": sender, "sent_at": sent_at}


def _parse_message(content: Mapping[str, Any], bot: BotUser, address: Address) -> dict[str, Any] | None:
    """What a message says and how; None for all but a person's text, and for edits."""
    body, relation = content.get("body"), mapping_at(content, "m.relates_to")
    if content.get("msgtype") != "m.text" or not isinstance(body, str):
        return None
    if relation.get("rel_type") == "m.replace" or "m.new_content" in content:
        return None
    thread = _id(relation.get("event_id"), "$") if relation.get("rel_type") == "m.thread" else None
    text = replace_surrogates(body)
    # In a thread, a reply may only be there for clients without threads (spec, "Fallback for unthreaded clients").
    falling_back = thread is not None and relation.get("is_falling_back") is True
    reply_to = None if falling_back else _id(value_at(relation, "m.in_reply_to", "event_id"), "$")
    if isinstance(relation.get("m.in_reply_to"), dict):
        text = _strip_reply_fallback(text)
    rest = _strip_mention(text, content, bot)
    if rest is not None and address is Address.ROOM:
        address = Address.MENTION
    said = text if rest is None else rest
    return {"text": said, "address": address, "thread": thread, "reply_to": reply_to}


def events_since_own_join(events: Sequence[Mapping[str, Any]], user_id: str) -> Sequence[Mapping[str, Any]]:
    """The events after the bot's own join, where the timeline shows it; else all of them.

    A room that was just entered hands out its history: what was said before the bot joined is not for the bot.
    """
    for index in range(len(events) - 1, -1, -1):
        if is_own_join(events[index], user_id):
            return events[index + 1 :]
    return events


def is_own_join(event: Mapping[str, Any], user_id: str) -> bool:
    """Whether an event says that the bot entered, and was not there already."""
    if event.get("type") != "m.room.member" or event.get("state_key") != user_id:
        return False
    before = value_at(event, "unsigned", "prev_content", "membership")
    return bool(value_at(event, "content", "membership") == "join" and before != "join")


def _id(value: object, sigil: str) -> str | None:
    if not isinstance(value, str) or not value.startswith(sigil) or len(value) < 2 or has_surrogates(value):
        return None
    return value if len(value.encode()) <= _MAX_ID_BYTES else None


def timestamp(milliseconds: object) -> datetime | None:
    """The time in an ``origin_server_ts``; None for what is none."""
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool) or milliseconds < 0:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None  # a year that no calendar has


def _parse_reaction(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a reaction decides about which message; None for all but the two that serve as buttons."""
    relation = mapping_at(content, "m.relates_to")
    message_id, key = _id(relation.get("event_id"), "$"), relation.get("key")
    if relation.get("rel_type") != "m.annotation" or message_id is None or not isinstance(key, str):
        return None
    choice = REACTION_CHOICES.get(_VARIATION_SELECTORS.sub("", key))
    return None if choice is None else {"message_id": message_id, "choice": choice}


def _redacted_id(event: Mapping[str, Any]) -> str | None:
    # Room versions below 11 name the event beside the content.
    return _id(value_at(event, "content", "redacts"), "$") or _id(event.get("redacts"), "$")


def _strip_reply_fallback(body: str) -> str:
    """The body without the quoted lines that older clients put in front of a reply."""
    lines = body.split("\n")
    start = next((index for index, line in enumerate(lines) if not line.startswith(">")), len(lines))
    if start and start < len(lines) and not lines[start].strip():
        start += 1
    return "\n".join(lines[start:])


def _strip_mention(body: str, content: Mapping[str, Any], bot: BotUser) -> str | None:
    """What follows if the body begins by mentioning the bot; None if it does not.

    The full id, a pill that links to it, or a name together with ``m.mentions`` are certain. A name alone
    counts with a colon or comma behind it, as people write it in clients without pills.
    """
    body = body.lstrip()
    markdown = _MARKDOWN_PILL.match(body)
    if markdown and _links_to(markdown.group(2), bot):
        body = markdown.group(1) + body[markdown.end() :]
        return _after_name(body, (markdown.group(1),), certain=True)
    mentioned = bot.user_id in _mentioned(content)
    certain = (bot.user_id, *_pill_labels(content, bot), *(bot.names if mentioned else ()))
    rest = _after_name(body, certain, certain=True)
    return rest if rest is not None else _after_name(body, bot.names, certain=False)


def _after_name(body: str, names: Sequence[str], *, certain: bool) -> str | None:
    for name in sorted(names, key=len, reverse=True):
        if body[: len(name)].casefold() == name.casefold():
            colon = _AT_COLON if name.startswith("@") else _COLON
            match = colon.match(body, len(name))
            if match is None and certain:
                match = _SPACE.match(body, len(name))
            if match:
                return body[match.end() :]
    return None


def _mentioned(content: Mapping[str, Any]) -> list[object]:
    ids = value_at(content, "m.mentions", "user_ids")
    return ids if isinstance(ids, list) else []


def _pill_labels(content: Mapping[str, Any], bot: BotUser) -> tuple[str, ...]:
    formatted = content.get("formatted_body")
    match = _PILL.match(formatted) if isinstance(formatted, str) else None
    if match is None or not _links_to(html.unescape(match.group(1)), bot):
        return ()
    label = html.unescape(match.group(2)).strip()
    return (label, f"@{label}") if label else ()


def _links_to(link: str, bot: BotUser) -> bool:
    target = link.removeprefix(_MATRIX_TO).partition("?")[0]
    return link.startswith(_MATRIX_TO) and unquote(target) == bot.user_id
