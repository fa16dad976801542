"""What buttons and forms carry to Slack and back: ids only. Whatever comes back is looked at, never believed.

A button's ``value`` holds an operation's id and the start of its plan's digest, or, for a shortcut, the
command line that the presser says. Everything else is read again from the store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

APPROVE = "slipway.approve"
REJECT = "slipway.reject"
DETAILS = "slipway.details"
SAY = "slipway.say"

LAUNCH = "slipway.launch"
"""The global shortcut, and the callback of the launch modal."""

LAUNCH_FROM = "slipway.launch_from"
SHOW_OPERATION = "slipway.show_operation"
COMMAND = "/slipway"

PATH = "/slack/events"
"""Where the bot listens for Slack's requests."""

MESSAGE_EVENT = "slipway_message"
"""The ``event_type`` of a message's metadata, which holds the message's key."""

OPERATION = re.compile(r"\bop-[a-z0-9]{3,16}\b", re.ASCII)
USER = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)
CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,20}", re.ASCII)
TEAM = re.compile(r"[TE][A-Z0-9]{2,20}", re.ASCII)
STAMP = re.compile(r"\d{1,12}\.\d{1,9}", re.ASCII)

_VALUE = re.compile(r"(op-[a-z0-9]{3,16})\|([0-9a-f]{4,64})", re.ASCII)


@dataclass(frozen=True)
class Target:
    """The operation and the plan that a button speaks of."""

    operation_id: str
    digest_prefix: str

    def __str__(self) -> str:
        return f"{self.operation_id}|{self.digest_prefix}"


def target_of(value: object) -> Target | None:
    """The target in a button's value; None for what no button of the bot carries."""
    match = _VALUE.fullmatch(value) if isinstance(value, str) and len(value) < 100 else None
    return None if match is None else Target(match[1], match[2])


@dataclass(frozen=True)
class Back:
    """What a modal remembers: where its answer belongs, and for which operation it asks."""

    room: str
    thread: str | None = None
    target: Target | None = None
    home: bool = False

    def __str__(self) -> str:
        known = {"room": self.room, "thread": self.thread, "home": self.home}
        return json.dumps(known | {"target": str(self.target) if self.target else None})


def back_of(metadata: object) -> Back | None:
    """What a modal remembered; None for what no modal of the bot carries."""
    if not isinstance(metadata, str) or len(metadata) > 1000:
        return None
    try:
        known = json.loads(metadata)
    except ValueError:
        return None
    if not isinstance(known, dict):
        return None
    room, thread = known.get("room"), known.get("thread")
    if not isinstance(room, str) or not (CHANNEL.fullmatch(room) or USER.fullmatch(room)):
        return None
    return Back(room, stamp_of(thread), target_of(known.get("target")), known.get("home") is True)


def stamp_of(value: object) -> str | None:
    """A message's timestamp, which is its id; None for anything else."""
    return value if isinstance(value, str) and STAMP.fullmatch(value) else None


def part(value: object, *keys: str) -> Any:
    """What stands at a path of keys in JSON written by strangers; None where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text_at(value: object, *keys: str) -> str:
    """As :func:`part`, for text; empty for anything else."""
    found = part(value, *keys)
    return found if isinstance(found, str) else ""
