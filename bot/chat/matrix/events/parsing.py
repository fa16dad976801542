"""From a raw Matrix event to a message, button or withdrawn-reaction event: pure rules, no network.

Everything here is written by strangers: each value is looked at before it is used, and whatever is not
clearly a person's message or a press on a button is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from slipway.bot.chat.matrix.encryption.device_list import SenderTrust
from slipway.bot.chat.matrix.events.escapes import undo_escapes
from slipway.bot.chat.matrix.events.mentions import BotUser, is_mentioned, said_to
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import (
    Address,
    Assurance,
    ButtonEvent,
    Choice,
    MessageEvent,
    Room,
    WithdrawnReaction,
)
from slipway.bot.chat.shared.mentions import MENTIONED_DOUBT
from slipway.bot.chat.shared.payloads import mapping_at, replace_surrogates, value_at
from slipway.bot.core.text import is_storable

REACTION_CHOICES = {"✅": Choice.APPROVE, "❌": Choice.REJECT}
"""The reactions that the bot places as buttons."""

_ALIKE = {
    **REACTION_CHOICES,
    **dict.fromkeys("✔☑✓", Choice.APPROVE),
    **dict.fromkeys("✖❎✗✘", Choice.REJECT),
}
"""What counts as a press on them: also the ticks and crosses that keyboards offer beside; without a variation
selector."""

_CAPTIONED = ("m.image", "m.file", "m.audio", "m.video")

_VARIATION_SELECTORS = re.compile("[\ufe0e\ufe0f]")
_FALLBACK = re.compile(r"> (?:\* )?<@[^\s>]+>")  # whom an older client quotes
_TRUSTED = SenderTrust()
_MAX_ID_BYTES = 255  # spec, "Size limits": user ids, event ids, room ids


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
    fallback text would run the command again), redacted events, state, and all but text and the captions of files.
    A message that was edited before it is read says what its newest edit says, as everybody sees it.

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
        case "m.room.message" if message := _parse_message(_as_edited(event, content), bot, address):
            if not message.pop("certain") and sender_trust.assurance is not Assurance.REFUSED:
                trust = {"assurance": Assurance.REFUSED, "doubt": MENTIONED_DOUBT}
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
    body, relation = _text(content), mapping_at(content, "m.relates_to")
    if body is None or relation.get("rel_type") == "m.replace" or "m.new_content" in content:
        return None
    thread = _id(relation.get("event_id"), "$") if relation.get("rel_type") == "m.thread" else None
    text = replace_surrogates(body)
    # In a thread, a reply may only be there for clients without threads (spec, "Fallback for unthreaded clients").
    falling_back = thread is not None and relation.get("is_falling_back") is True
    reply_to = None if falling_back else _id(value_at(relation, "m.in_reply_to", "event_id"), "$")
    if isinstance(relation.get("m.in_reply_to"), dict):
        answer = _strip_reply_fallback(text)
        if answer is None:
            return None
        text = answer
    text = undo_escapes(text)
    said = said_to(text, content, bot)
    if said is not None and not said.certain and address is Address.DIRECT:
        said = None  # nobody else is there to be told of the bot: it is a word of what is said to it
    if said is not None and address is Address.ROOM:
        address = Address.MENTION
    elif address is Address.ROOM and reply_to is not None and is_mentioned(content, bot):
        address = Address.REPLY
    line, certain = (text, True) if said is None else said
    return {"text": line, "certain": certain, "address": address, "thread": thread, "reply_to": reply_to}


def _text(content: Mapping[str, Any]) -> str | None:
    """What a person typed: a text, or the caption of a file, whose name then stands elsewhere."""
    body, kind, name = content.get("body"), content.get("msgtype"), content.get("filename")
    is_caption = kind in _CAPTIONED and isinstance(name, str) and name != body
    return body if isinstance(body, str) and (kind == "m.text" or is_caption) else None


def _as_edited(event: Mapping[str, Any], content: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message's content as its newest edit left it, where the homeserver sent that along.

    By the specification ("Validity of replacement events"), an edit is of the same sender and type, is no edit of an
    edit, and changes no relation.
    """
    edit = mapping_at(event, "unsigned", "m.relations", "m.replace")
    new = value_at(edit, "content", "m.new_content")
    relation = mapping_at(edit, "content", "m.relates_to")
    if (
        not isinstance(new, Mapping)
        or any(edit.get(key) != event.get(key) for key in ("sender", "type"))
        or "state_key" in edit
        or (relation.get("rel_type"), relation.get("event_id")) != ("m.replace", event.get("event_id"))
    ):
        return content
    related = {"m.relates_to": content["m.relates_to"]} if "m.relates_to" in content else {}
    return {**{key: value for key, value in new.items() if key != "m.relates_to"}, **related}


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
    if not isinstance(value, str) or not value.startswith(sigil) or len(value) < 2 or not is_storable(value):
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
    """What a reaction decides about which message; None for all but those that serve as buttons."""
    relation = mapping_at(content, "m.relates_to")
    message_id, key = _id(relation.get("event_id"), "$"), relation.get("key")
    if relation.get("rel_type") != "m.annotation" or message_id is None or not isinstance(key, str):
        return None
    choice = _ALIKE.get(_VARIATION_SELECTORS.sub("", key))
    return None if choice is None else {"message_id": message_id, "choice": choice}


def _redacted_id(event: Mapping[str, Any]) -> str | None:
    # Room versions below 11 name the event beside the content.
    return _id(value_at(event, "content", "redacts"), "$") or _id(event.get("redacts"), "$")


def _strip_reply_fallback(body: str) -> str | None:
    """The body without the quoted lines that older clients put in front of a reply; None where nothing follows them.

    Newer clients (since Matrix 1.13) put none: a body of quotes alone that names nobody was typed as it is.
    """
    lines = body.split("\n")
    start = next((index for index, line in enumerate(lines) if not line.startswith(">")), len(lines))
    if start and start < len(lines) and not lines[start].strip():
        start += 1
    rest = "\n".join(lines[start:])
    if start and not rest.strip():
        return None if _FALLBACK.match(body) else body
    return rest
