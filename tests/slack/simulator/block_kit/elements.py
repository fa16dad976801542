"""Slack's block elements and composition objects, with their limits.

Sources: docs.slack.dev/reference/block-kit (block-elements, composition-objects) and the validators of
slack_sdk's models.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.slack.simulator.block_kit.rules import (
    Items,
    Moment,
    OneOf,
    Rule,
    Shape,
    Str,
    Text,
    Union,
    Url,
    Whole,
    anything,
    decimal,
    flag,
    number,
)

ACTION_ID = Str(255)
BLOCK_ID = Str(255)
_URL = Url(3000)
_SELECT_ITEMS = 100

CONFIRM = Shape(
    {
        "title": Text(100, plain=True),
        "text": Text(300),
        "confirm": Text(30, plain=True),
        "deny": Text(30, plain=True),
        "style": OneOf(("primary", "danger")),
    },
    frozenset({"title", "text", "confirm", "deny"}),
)

_OPTION_FIELDS: dict[str, Rule] = {"value": Str(150), "url": _URL}
PLAIN_OPTION = Shape(
    {**_OPTION_FIELDS, "text": Text(75, plain=True), "description": Text(75, plain=True)},
    frozenset({"text", "value"}),
)
RICH_OPTION = Shape(  # of checkboxes and radio buttons, where mrkdwn is allowed
    {**_OPTION_FIELDS, "text": Text(75), "description": Text(75)}, frozenset({"text", "value"})
)
_OPTION_GROUP = Shape(
    {"label": Text(75, plain=True), "options": Items(_SELECT_ITEMS, PLAIN_OPTION)},
    frozenset({"label", "options"}),
)


def _one_source(element: dict[str, Any]) -> str | None:
    given = [name for name in ("options", "option_groups") if element.get(name) is not None]
    return None if len(given) == 1 else "must provide either `options` or `option_groups`, not both"


def _initial_among_options(element: dict[str, Any]) -> str | None:
    initial = element.get("initial_option")
    groups = element.get("option_groups") or []
    options = [
        *(element.get("options") or []),
        *(option for group in groups for option in group.get("options", [])),
    ]
    if initial is None or not options or initial in options:
        return None
    return "initial_option must be one of the provided options"


def _lengths_in_order(element: dict[str, Any]) -> str | None:
    least, most = element.get("min_length"), element.get("max_length")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        return "min_length must not be greater than max_length"
    initial = element.get("initial_value")
    if isinstance(most, int) and isinstance(initial, str) and len(initial) > most:
        return "initial_value must not be longer than max_length"
    return None


def _numbers_in_order(element: dict[str, Any]) -> str | None:
    given = [element.get(name) for name in ("min_value", "initial_value", "max_value")]
    if any(each is not None and decimal(each, "") for each in given):
        return None  # that is told already
    known = [Decimal(each) for each in given if each is not None]
    if known != sorted(known):
        return "min_value, initial_value and max_value must be in this order"
    if element.get("is_decimal_allowed") is False and any(each % 1 for each in known):
        return "decimals are not allowed"
    return None


_INPUT: dict[str, Rule] = {"action_id": ACTION_ID, "confirm": CONFIRM, "focus_on_load": flag}
_PLACEHOLDER: dict[str, Rule] = {"placeholder": Text(150, plain=True)}
_STATIC: dict[str, Rule] = {
    **_INPUT,
    **_PLACEHOLDER,
    "options": Items(_SELECT_ITEMS, PLAIN_OPTION),
    "option_groups": Items(_SELECT_ITEMS, _OPTION_GROUP),
}
_MULTI: dict[str, Rule] = {"max_selected_items": Whole(1, _SELECT_ITEMS)}
_SOURCED: dict[str, Rule] = {**_INPUT, **_PLACEHOLDER}


def _typed(**more: Rule) -> Shape:
    return Shape({**_SOURCED, **more})


BUTTON = Shape(
    {
        "text": Text(75, plain=True),
        "action_id": ACTION_ID,
        "url": _URL,
        "value": Str(2000),
        "style": OneOf(("primary", "danger")),
        "confirm": CONFIRM,
        "accessibility_label": Str(75),
        "visible_to_user_ids": anything,
    },
    frozenset({"text"}),
)
_WEB = Url(3000, web=True)
IMAGE = Shape({"image_url": _WEB, "slack_file": anything, "alt_text": Str(2000)}, frozenset({"alt_text"}))
OVERFLOW = Shape(
    {"action_id": ACTION_ID, "options": Items(5, PLAIN_OPTION), "confirm": CONFIRM}, frozenset({"options"})
)
_CHOICES: dict[str, Rule] = {**_INPUT, "options": Items(10, RICH_OPTION)}
_CHECKBOXES = Shape({**_CHOICES, "initial_options": Items(10, RICH_OPTION)}, frozenset({"options"}))
_RADIO = Shape({**_CHOICES, "initial_option": RICH_OPTION}, frozenset({"options"}), (_initial_among_options,))
_STATIC_SELECT = Shape(
    {**_STATIC, "initial_option": PLAIN_OPTION}, also=(_one_source, _initial_among_options)
)
_MULTI_STATIC = Shape(
    {**_STATIC, **_MULTI, "initial_options": Items(_SELECT_ITEMS, PLAIN_OPTION)}, also=(_one_source,)
)
_CONVERSATION: dict[str, Rule] = {"default_to_current_conversation": flag, "filter": anything}

_SELECTS: dict[str, Rule] = {
    "static_select": _STATIC_SELECT,
    "multi_static_select": _MULTI_STATIC,
    "external_select": _typed(min_query_length=number, initial_option=PLAIN_OPTION),
    "users_select": _typed(initial_user=Str(50)),
    "conversations_select": _typed(initial_conversation=Str(50), response_url_enabled=flag, **_CONVERSATION),
    "channels_select": _typed(initial_channel=Str(50), response_url_enabled=flag),
    "multi_external_select": _typed(min_query_length=number, initial_options=anything, **_MULTI),
    "multi_users_select": _typed(initial_users=anything, **_MULTI),
    "multi_conversations_select": _typed(initial_conversations=anything, **_MULTI, **_CONVERSATION),
    "multi_channels_select": _typed(initial_channels=anything, **_MULTI),
    "datepicker": _typed(initial_date=Moment("%Y-%m-%d", "YYYY-MM-DD")),
    "timepicker": _typed(initial_time=Moment("%H:%M", "HH:mm"), timezone=Str(100)),
    "datetimepicker": Shape({**_INPUT, "initial_date_time": Whole(10**9, 10**10 - 1)}),
    "checkboxes": _CHECKBOXES,
    "radio_buttons": _RADIO,
}
_TYPED_INPUTS: dict[str, Rule] = {
    "plain_text_input": Shape(
        {
            **_SOURCED,
            "initial_value": Str(3000, least=0),
            "multiline": flag,
            "min_length": Whole(0, 3000),
            "max_length": Whole(1, 3000),
            "dispatch_action_config": anything,
        },
        also=(_lengths_in_order,),
    ),
    "rich_text_input": _typed(initial_value=anything, dispatch_action_config=anything),
    "email_text_input": _typed(initial_value=Str(3000, least=0), dispatch_action_config=anything),
    "url_text_input": _typed(initial_value=Str(3000, least=0), dispatch_action_config=anything),
    "number_input": Shape(
        {
            **_SOURCED,
            "is_decimal_allowed": flag,
            "initial_value": decimal,
            "min_value": decimal,
            "max_value": decimal,
            "dispatch_action_config": anything,
        },
        frozenset({"is_decimal_allowed"}),
        (_numbers_in_order,),
    ),
    "file_input": Shape({"action_id": ACTION_ID, "filetypes": anything, "max_files": Whole(1, 10)}),
}

ACTION_ELEMENTS = Union({"button": BUTTON, "overflow": OVERFLOW, "workflow_button": anything, **_SELECTS})
ACCESSORIES = Union(
    {"image": IMAGE, "button": BUTTON, "overflow": OVERFLOW, "workflow_button": anything, **_SELECTS}
)
INPUTS = Union({**_SELECTS, **_TYPED_INPUTS})
CONTEXT_ELEMENTS = Union(
    {
        "image": IMAGE,
        "plain_text": Text(3000, plain=True),
        "mrkdwn": Text(3000),
    }
)
