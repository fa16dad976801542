"""What buttons and modals carry to Slack and back: ids only. Whatever comes back is looked at, never believed.

A button's ``value`` holds an operation's id and the start of its plan's digest, or, for a shortcut on a card,
the command line that whoever presses it says. Everything else is read again from the store.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from slipway.bot.chat.slack.ids import CHANNEL, USER, parse_ts
from slipway.bot.core.operation_ids import PATTERN

APPROVE_ACTION = "slipway.approve"
REJECT_ACTION = "slipway.reject"
"""The button, and the callback of the modal that it opens."""

CODE_CALLBACK = "slipway.step_up"
"""The callback of the modal that asks for a single-use code."""

DETAILS_ACTION = "slipway.details"
COMMAND_ACTION = "slipway.say"
"""Before a dot and a number: the buttons that say a command line."""

CHOICE_ACTION = "slipway.choose"
"""The same, of lines of which one is said, and the others are not to be pressed any more."""

SHOW_ACTION = "slipway.show"
"""The same, of command lines that only show something."""

SLASH_COMMAND = "/slipway"
SHOW_OPERATION_SHORTCUT = "slipway.show_operation"

_FORM_PREFIX = "slipway."
_FROM_MESSAGE = "_from"

_OPERATION_REFERENCE = re.compile(rf"({PATTERN})\|([0-9a-f]{{4,64}})", re.ASCII)


def form_callback(name: str) -> str:
    """The callback id of a form: of the modal, and of the global shortcut that opens it."""
    return f"{_FORM_PREFIX}{name}"


def message_form_callback(name: str) -> str:
    """The callback id of the message shortcut that opens a form."""
    return f"{_FORM_PREFIX}{name}{_FROM_MESSAGE}"


def form_name(callback_id: str) -> str:
    """The form that a modal or a global shortcut stands for; empty for none."""
    return callback_id.removeprefix(_FORM_PREFIX) if callback_id.startswith(_FORM_PREFIX) else ""


def message_form_name(callback_id: str) -> str:
    """The form that a message shortcut opens; empty for none."""
    name = form_name(callback_id)
    return name.removesuffix(_FROM_MESSAGE) if name.endswith(_FROM_MESSAGE) else ""


@dataclass(frozen=True)
class OperationReference:
    """The operation and the plan that a button is about."""

    operation_id: str
    digest_prefix: str

    def __str__(self) -> str:
        return f"{self.operation_id}|{self.digest_prefix}"


def parse_operation_reference(value: object) -> OperationReference | None:
    """The reference in a button's value; None for what no button of the bot carries."""
    match = _OPERATION_REFERENCE.fullmatch(value) if isinstance(value, str) and len(value) < 100 else None
    return None if match is None else OperationReference(match[1], match[2])


@dataclass(frozen=True)
class ViewMetadata:
    """A modal's ``private_metadata``: where its answer belongs, and for which operation it asks."""

    room: str
    thread: str | None = None
    reference: OperationReference | None = None
    home: bool = False

    def __str__(self) -> str:
        known = {"room": self.room, "thread": self.thread, "home": self.home}
        return json.dumps(known | {"target": str(self.reference) if self.reference else None})


def parse_view_metadata(text: object) -> ViewMetadata | None:
    """What a modal's metadata says; None for what no modal of the bot carries."""
    if not isinstance(text, str) or len(text) > 1000:
        return None
    try:
        known = json.loads(text)
    except ValueError:
        return None
    if not isinstance(known, dict):
        return None
    room, thread = known.get("room"), known.get("thread")
    if not isinstance(room, str) or not (CHANNEL.fullmatch(room) or USER.fullmatch(room)):
        return None
    reference = parse_operation_reference(known.get("target"))
    return ViewMetadata(room, parse_ts(thread), reference, known.get("home") is True)
