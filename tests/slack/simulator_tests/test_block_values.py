"""What Slack refuses inside of blocks: addresses, dates, numbers and rich text that are none."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.block_kit.blocks import Surface, check_blocks, check_view
from tests.slack.simulator_tests.bolt_app import client_of


def plain(text: str = "x") -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def field(name: str = "field", **element: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": name, "label": plain(), "element": {"action_id": name, **element}}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def link(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": [{"type": kind, "action_id": "a", **more}]}


TEXT = {"type": "text", "text": "x", "style": {"bold": True}}

TAKEN: list[dict[str, Any]] = [
    link("button", text=plain(), url="https://example.org/a?b#c"),
    link("button", text=plain(), url="slack://open"),
    {"type": "image", "alt_text": "x", "image_url": "https://example.org/x.png"},
    field(type="datepicker", initial_date="2026-02-28"),
    field(type="timepicker", initial_time="23:59"),
    field(type="datetimepicker", initial_date_time=1_795_176_000),
    field(type="number_input", is_decimal_allowed=False, min_value="-2", initial_value="3", max_value="3"),
    field(type="number_input", is_decimal_allowed=True, initial_value="1.5"),
    field(type="plain_text_input", min_length=3, max_length=3),
    field(type="plain_text_input", initial_value="abc", max_length=3),
    field(type="multi_users_select", max_selected_items=1),
    rich(section(TEXT, {"type": "link", "url": "https://example.org", "text": "x"})),
    rich(section({"type": "user", "user_id": "U0ALICE00"}, {"type": "emoji", "name": "tada"})),
    rich({"type": "rich_text_list", "style": "ordered", "indent": 8, "elements": [section(TEXT)]}),
    rich({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}], "border": 0}),
    rich({"type": "rich_text_quote", "elements": [TEXT]}),
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    (link("button", text=plain(), url="example.org"), "must be a valid URL"),
    (link("button", text=plain(), url="https://exa mple.org"), "must be a valid URL"),
    ({"type": "image", "alt_text": "x", "image_url": "ftp://example.org/x.png"}, "must be a valid URL"),
    (field(type="datepicker", initial_date="2026-02-30"), "YYYY-MM-DD"),
    (field(type="datepicker", initial_date="2026-2-3"), "YYYY-MM-DD"),
    (field(type="timepicker", initial_time="24:00"), "HH:mm"),
    (field(type="datetimepicker", initial_date_time="1795176000"), "must be an integer"),
    (field(type="datetimepicker", initial_date_time=1795), "must be between"),
    (field(type="number_input", is_decimal_allowed=False, min_value=1), "must be a number written as"),
    (field(type="number_input", is_decimal_allowed=False, min_value="4", max_value="3"), "in this order"),
    (field(type="number_input", is_decimal_allowed=False, initial_value="9", max_value="3"), "in this order"),
    (field(type="number_input", is_decimal_allowed=False, initial_value="1.5"), "decimals are not allowed"),
    (field(type="plain_text_input", max_length=3001), "must be between 1 and 3000"),
    (field(type="plain_text_input", max_length=0), "must be between 1 and 3000"),
    (field(type="plain_text_input", min_length=4, max_length=3), "must not be greater"),
    (field(type="plain_text_input", initial_value="abcd", max_length=3), "must not be longer"),
    (field(type="multi_users_select", max_selected_items=0), "must be between"),
    (rich(section({"type": "text"})), "missing required field: text"),
    (rich(section({"type": "text", "text": ""})), "must be more than 0"),
    (rich(section({**TEXT, "style": {"bold": "yes"}})), "must be a boolean"),
    (rich(section({**TEXT, "style": {"loud": True}})), "invalid additional property: loud"),
    (rich(section({"type": "link", "url": "nowhere"})), "must be a valid URL"),
    (rich(section({"type": "date", "timestamp": "now", "format": "{date}"})), "must be an integer"),
    (rich(section(section(TEXT))), "unsupported type: rich_text_section"),
    (rich({"type": "rich_text_list", "elements": [section(TEXT)]}), "missing required field: style"),
    (
        rich({"type": "rich_text_list", "style": "bullet", "elements": [TEXT]}),
        "unsupported type: text",
    ),
    (
        rich({"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U1"}]}),
        "unsupported type: user",
    ),
]


@pytest.mark.parametrize("block", TAKEN)
def test_what_slack_takes_is_taken(block: dict[str, Any]) -> None:
    assert check_blocks([block], Surface.MESSAGE) == []


@pytest.mark.parametrize(("block", "words"), REFUSED)
def test_what_slack_refuses_is_refused(block: dict[str, Any], words: str) -> None:
    (told, *_) = check_blocks([block], Surface.MESSAGE)
    assert words in told


def test_only_one_field_can_have_the_focus() -> None:
    first = field("one", type="plain_text_input", focus_on_load=True)
    view = {"type": "modal", "title": plain(), "submit": plain(), "blocks": [first]}
    assert check_view(view, Surface.MODAL) == []
    second = field("two", type="plain_text_input", focus_on_load=True)
    view["blocks"] = [first, second]
    assert "focus_on_load" in check_view(view, Surface.MODAL)[0]
    for each in (first, second):  # Slack gives them ids where they have none
        del each["element"]["action_id"]
    assert "focus_on_load" in check_view(view, Surface.MODAL)[0]


async def test_blocks_are_validated_on_request(sim: SimulatedSlack) -> None:
    client = client_of(sim)

    async def validate(**body: Any) -> dict[str, Any]:
        try:
            answer = await client.api_call("blocks.validate", json=body)
        except SlackApiError as error:
            answer = error.response
        assert isinstance(answer.data, dict)
        return answer.data

    assert await validate(blocks=[TAKEN[0]]) == {"ok": True}
    assert await validate(view={"type": "home", "blocks": []}) == {"ok": True}
    wrong = await validate(message={"blocks": [REFUSED[0][0]]})
    assert wrong["error"] == "invalid_message"
    assert wrong["errors"][0]["pointer"] == "/blocks/0/elements/0/url"
    assert (await validate(blocks=[REFUSED[0][0]]))["errors"][0]["pointer"] == "/0/elements/0/url"
    assert (await validate())["error"] == "invalid_arguments"
