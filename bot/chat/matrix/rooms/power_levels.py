"""What the bot has to be allowed in a room, and whether it is. Pure.

Source: Matrix client-server API, “m.room.power_levels”: without the event everything takes 0; in it, an event of a
kind that is not named takes ``events_default``, and whoever is not named has ``users_default``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEEDED_EVENTS = {
    "m.room.message": "speak",
    "m.room.encrypted": "speak in an encrypted room",
    "m.reaction": "place the ✅ and ❌ that serve as buttons",
    "m.room.redaction": "take its own buttons back",
}
"""What the bot does in a room, by the kind of event that it sends for it."""


def needed_kinds(*, encrypted: bool) -> tuple[str, ...]:
    """The kinds of event that it sends in a room."""
    unused = "m.room.message" if encrypted else "m.room.encrypted"
    return tuple(kind for kind in NEEDED_EVENTS if kind != unused)


def missing_rights(levels: Mapping[str, Any], user: str, *, encrypted: bool) -> Mapping[str, int]:
    """The kinds of event that the bot may not send, with the level that each takes.

    Args:
        levels: the content of the room's event; empty where it has none.
        user: the bot's account.
        encrypted: whether the room is.
    """
    own = level_of(levels, user)
    events, usual = _object(levels, "events"), _number(levels.get("events_default"), 0)
    taken = {kind: _number(events.get(kind), usual) for kind in needed_kinds(encrypted=encrypted)}
    return {kind: level for kind, level in taken.items() if own < level}


def level_of(levels: Mapping[str, Any], user: str) -> int:
    """The level that an account has."""
    return _number(_object(levels, "users").get(user), _number(levels.get("users_default"), 0))


def sentence(room: str, missing: Mapping[str, int], own: int) -> str:
    """What the bot may not do in a room."""
    what = " and ".join(NEEDED_EVENTS[kind] for kind in missing)
    return f"In {room} the bot may not {what}: it has power level {own} and needs {max(missing.values())}."


def _object(levels: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = levels.get(key)
    return found if isinstance(found, Mapping) else {}


def _number(value: object, otherwise: int) -> int:
    """A level; in old rooms it may be written as text."""
    try:
        return int(value) if isinstance(value, int | str) else otherwise
    except ValueError:
        return otherwise
