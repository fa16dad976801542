"""What Slack refuses in blocks, views and message metadata.

Sources: docs.slack.dev/reference/block-kit/blocks, /reference/views, /messaging/message-metadata; the
validators of slack_sdk's models; the sum over a message's blocks, and what each adds to it, from
slackapi/bolt-js issue 2509 (measured there, not documented). Limits on texts count characters.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from tests.slack.simulator.block_kit.elements import (
    ACCESSORIES,
    ACTION_ELEMENTS,
    BLOCK_ID,
    CONTEXT_ELEMENTS,
    INPUTS,
)
from tests.slack.simulator.block_kit.rich_text import ELEMENT
from tests.slack.simulator.block_kit.rules import (
    Complaints,
    Items,
    OneOf,
    Rule,
    Shape,
    Str,
    Text,
    Union,
    Url,
    anything,
    complaint,
    flag,
    number,
)
from tests.slack.simulator.world import interactive_elements, texts_of

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_TEXT = 13_200
BLOCK_WEIGHT = 130
TABLE_TEXT = 10_000
VIEW_BYTES = 250_000
METADATA_BYTES = 16_000


class Surface(StrEnum):
    """Where blocks stand. Each takes its own kinds of blocks and its own number."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


def _text_or_fields(block: dict[str, Any]) -> str | None:
    return None if block.get("text") or block.get("fields") else "must define either `text` or `fields`"


def _url_or_file(block: dict[str, Any]) -> str | None:
    return None if block.get("image_url") or block.get("slack_file") else "missing required field: image_url"


def _even_rows(block: dict[str, Any]) -> str | None:
    rows = block.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return None
    if len({len(row) for row in rows}) > 1:
        return "all rows must have the same number of cells"
    return None


def _shape(*required: str, also: tuple[Any, ...] = (), **fields: Rule) -> Shape:
    return Shape({"block_id": BLOCK_ID, **fields}, frozenset(required), also)


_RICH_TEXT = _shape("elements", elements=Items(1000, ELEMENT, least=0))
_CELL = Union(
    {
        "raw_text": Shape({"text": Str(TABLE_TEXT)}, frozenset({"text"})),
        "raw_number": Shape({"text": Str(TABLE_TEXT), "value": number}, frozenset({"text", "value"})),
        "rich_text": _RICH_TEXT,
    }
)
_COLUMN = Shape({"align": OneOf(("left", "center", "right")), "is_wrapped": flag})


def _column(value: Any, pointer: str) -> Complaints:
    return [] if value is None else _COLUMN(value, pointer)


_COMMON: dict[str, Rule] = {
    "section": _shape(
        text=Text(3000),
        fields=Items(10, Text(2000)),
        accessory=ACCESSORIES,
        expand=flag,
        also=(_text_or_fields,),
    ),
    "divider": _shape(),
    "header": _shape("text", text=Text(150, plain=True)),
    "context": _shape("elements", elements=Items(10, CONTEXT_ELEMENTS)),
    "actions": _shape("elements", elements=Items(25, ACTION_ELEMENTS)),
    "image": _shape(
        "alt_text",
        image_url=Url(3000, web=True),
        slack_file=anything,
        alt_text=Str(2000),
        title=Text(2000, plain=True),
        also=(_url_or_file,),
    ),
    "input": _shape(
        "label",
        "element",
        label=Text(2000, plain=True),
        element=INPUTS,
        hint=Text(2000, plain=True),
        optional=flag,
        dispatch_action=flag,
    ),
    "rich_text": _RICH_TEXT,
    "video": anything,
    "alert": anything,
    "card": anything,
    "carousel": anything,
    "container": anything,
}
_MESSAGE_ONLY: dict[str, Rule] = {
    "markdown": _shape("text", text=Str(12_000)),
    "table": _shape(
        "rows",
        rows=Items(100, Items(20, _CELL)),
        column_settings=Items(20, _column, least=0),
        also=(_even_rows,),
    ),
    "file": anything,
    "call": anything,
    "context_actions": anything,
    "plan": anything,
    "task_card": anything,
}

_MOST = {Surface.MESSAGE: MESSAGE_BLOCKS, Surface.MODAL: VIEW_BLOCKS, Surface.HOME: VIEW_BLOCKS}
_KINDS: Mapping[Surface, Union] = {
    Surface.MESSAGE: Union({**_COMMON, **_MESSAGE_ONLY}),
    Surface.MODAL: Union(_COMMON),
    Surface.HOME: Union(_COMMON),
}


def check_blocks(blocks: Any, surface: Surface, pointer: str = "/blocks") -> Complaints:
    """What is wrong with blocks on a surface; nothing, where Slack would take them."""
    found = Items(_MOST[surface], _KINDS[surface], least=0)(blocks, pointer)
    if found:
        return found
    return _repeated(blocks, pointer) + _focused(blocks, pointer) + _tables(blocks, pointer)


def _focused(blocks: list[dict[str, Any]], pointer: str) -> Complaints:
    held = [each for block in blocks for each in (block.get("element"), *(block.get("elements") or ()))]
    focused = [each for each in held if isinstance(each, dict) and each.get("focus_on_load")]
    return [complaint("only one element can have focus_on_load", pointer)] if len(focused) > 1 else []


def _repeated(blocks: list[dict[str, Any]], pointer: str) -> Complaints:
    ids = Counter(block["block_id"] for block in blocks if block.get("block_id"))
    found = [
        complaint(f"block_id {name} already exists", pointer) for name, times in ids.items() if times > 1
    ]
    for place, block in enumerate(blocks):
        actions = Counter(element["action_id"] for _, element in interactive_elements([block]))
        found += [
            complaint(f"action_id {name} already exists for this block", f"{pointer}/{place}")
            for name, times in actions.items()
            if times > 1
        ]
    return found


def _tables(blocks: list[dict[str, Any]], pointer: str) -> Complaints:
    tables = [block for block in blocks if block["type"] == "table"]
    if len(tables) > 1:
        return [complaint("only_one_table_allowed", pointer)]
    if sum(len(text) for table in tables for text in texts_of(table["rows"])) > TABLE_TEXT:
        return [complaint(f"must be less than {TABLE_TEXT + 1} characters in all cells", f"{pointer}/rows")]
    return []


def too_long(blocks: list[dict[str, Any]]) -> bool:
    """Whether a message's blocks together are over what Slack takes (``msg_blocks_too_long``)."""
    tableless = [block for block in blocks if block.get("type") != "table"]
    return sum(len(text) for text in texts_of(tableless)) + BLOCK_WEIGHT * len(tableless) > MESSAGE_TEXT


_VIEW_FIELDS: dict[str, Rule] = {
    "blocks": anything,
    "private_metadata": Str(3000, least=0),
    "callback_id": Str(255, least=0),
    "external_id": Str(255, least=0),
}
_MODAL = Shape(
    {
        **_VIEW_FIELDS,
        "title": Text(24, plain=True),
        "submit": Text(24, plain=True),
        "close": Text(24, plain=True),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
    },
    frozenset({"title", "blocks"}),
)
_HOME = Shape(_VIEW_FIELDS, frozenset({"blocks"}))


def check_view(view: Any, wanted: Surface, pointer: str = "/view") -> Complaints:
    """What is wrong with a view; nothing, where Slack would take it."""
    if not isinstance(view, dict):
        return [complaint("must be an object", pointer)]
    if view.get("type") != wanted.value:
        return [complaint(f"must be one of: {wanted.value}", f"{pointer}/type")]
    found = (_HOME if wanted is Surface.HOME else _MODAL)(view, pointer)
    if not found:
        found = check_blocks(view["blocks"], wanted, f"{pointer}/blocks")
    if not found and wanted is Surface.MODAL:
        asks = any(block["type"] == "input" for block in view["blocks"])
        if asks and "submit" not in view:
            found = [complaint("submit is required when an input block is within blocks array", pointer)]
    return found


def view_too_large(view: Any) -> bool:
    """Whether a view is over 250 kB as JSON (``view_too_large``)."""
    return len(json.dumps(view)) > VIEW_BYTES


def metadata_error(metadata: Any) -> str | None:
    """The error that Slack gives for message metadata, or nothing."""
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload", "entities"}:
        return "invalid_metadata_format"
    name, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(name, str) or not name or not isinstance(payload, dict):
        return "invalid_metadata_format"
    return "metadata_too_large" if len(json.dumps(metadata)) > METADATA_BYTES else None
