"""Filling in a modal: what a person enters becomes ``view.state.values``, as Slack's client makes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.slack.simulator.world import Json, SimulatorError

_PLAIN = {
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_ONE = ("static_select", "radio_buttons", "external_select")
_MANY = ("checkboxes", "multi_static_select", "multi_external_select")


def fill_in(
    blocks: list[Json], entered: dict[str, Any], before: Json | None = None, *, whole: bool = True
) -> Json:
    """The state of a form after a person entered things, by block id, action id or label.

    Choices are made by an option's value or text. What is not entered is as it was ``before``, or has its initial
    value. Unless it is the ``whole`` form, what is required may be missing yet.

    Raises:
        SimulatorError: a field or an option is not there, something required is missing, or a text is too long:
            Slack's client would not let the person submit.
    """
    left = dict(entered)
    values: Json = {}
    for block, element in _fields(blocks):
        name = next((n for n in _names(block, element) if n in left), None)
        kept = (before or {}).get(block["block_id"], {}).get(element["action_id"])
        state = _state(element, left.pop(name)) if name is not None else kept or _initial(element)
        if whole and block["type"] == "input" and not block.get("optional") and _empty(state):
            raise SimulatorError(f"“{_label(block)}” is required, and nothing was entered")
        values.setdefault(block["block_id"], {})[element["action_id"]] = state
    if left:
        raise SimulatorError(f"the form has no field {', '.join(left)}")
    return values


def still_there(blocks: list[Json], entered: Json) -> Json:
    """What was entered before a view was updated, as far as it stays: where block id and action id are the same.

    Source: docs.slack.dev/reference/methods/views.update, “Preserving input entry”.
    """
    found: Json = {}
    for block, element in _fields(blocks):
        kept = entered.get(block["block_id"], {}).get(element["action_id"])
        if kept is not None and kept["type"] == element["type"]:
            found.setdefault(block["block_id"], {})[element["action_id"]] = kept
    return found


def _fields(blocks: Iterable[Json]) -> list[tuple[Json, Json]]:
    found = []
    for block in blocks:
        require_member = [block.get("element"), block.get("accessory"), *block.get("elements", [])]
        found += [
            (block, e)
            for e in require_member
            if isinstance(e, dict) and e.get("type") in {*_PLAIN, *_ONE, *_MANY}
        ]
    return found


def _names(block: Json, element: Json) -> tuple[str, ...]:
    return (str(element.get("action_id", "")), str(block.get("block_id", "")), _label(block))


def _label(block: Json) -> str:
    return str((block.get("label") or {}).get("text", ""))


def _empty(state: Json) -> bool:
    return not any(value for key, value in state.items() if key != "type")


def _options(element: Json) -> list[Json]:
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def option_of(element: Json, wanted: str) -> Json:
    """An option of an element, by its value or text.

    Raises:
        SimulatorError: there is none.
    """
    for option in _options(element):
        if wanted in (option["value"], option["text"]["text"]):
            return option
    offered = ", ".join(option["text"]["text"] for option in _options(element))
    raise SimulatorError(f"there is no option “{wanted}”; offered are {offered}")


def _state(element: Json, entered: Any) -> Json:
    kind = element["type"]
    if kind in _ONE:
        chosen = None if entered is None else option_of(element, str(entered))
        return {"type": kind, "selected_option": chosen}
    if kind in _MANY:
        return {"type": kind, "selected_options": [option_of(element, str(wanted)) for wanted in entered]}
    if kind == "plain_text_input" and entered is not None:
        most, least = element.get("max_length", 3000), element.get("min_length", 0)
        if not least <= len(entered) <= most:
            raise SimulatorError(f"the text has {len(entered)} characters; {least} to {most} are allowed")
    value = str(entered) if kind == "number_input" and entered is not None else entered
    return {"type": kind, _PLAIN[kind]: value or None}


def _initial(element: Json) -> Json:
    kind = element["type"]
    if kind in _ONE:
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind in _MANY:
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    name = _PLAIN[kind]
    start = "initial_value" if name == "value" else name.replace("selected_", "initial_")
    return {"type": kind, name: element.get(start)}
