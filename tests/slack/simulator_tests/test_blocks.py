"""What the simulator takes and refuses in blocks, views and metadata: Slack's limits, to the character."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    CheckboxesElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    InputBlock,
    MarkdownBlock,
    MarkdownTextObject,
    NumberInputElement,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    RawTextObject,
    SectionBlock,
    StaticSelectElement,
    TableBlock,
)
from slack_sdk.models.views import View

from tests.slack.simulator.block_kit.blocks import Surface, check_blocks, check_view, metadata_error, too_long

Json = dict[str, Any]


def plain(length: int) -> Json:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int) -> Json:
    return {"type": "mrkdwn", "text": "x" * length}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain(3), "action_id": "go", **more}


def confirm(title: int = 5, text: int = 5, yes: int = 5, no: int = 5) -> Json:
    return {"title": plain(title), "text": mrkdwn(text), "confirm": plain(yes), "deny": plain(no)}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(3), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def select(count: int, text: int = 5, value: int = 5) -> Json:
    options = [{"text": plain(text), "value": f"{n}".rjust(value, "0")} for n in range(count)]
    return {"type": "static_select", "action_id": "pick", "options": options}


def table(rows: int, columns: int = 2, text: int = 1) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * text}] * columns] * rows}


def asking(element: Json) -> Json:
    return {"type": "input", "label": plain(5), "element": element}


AT_THE_LIMIT = [
    ([section()] * 50, [section()] * 51, "no more than 50 items allowed", "/blocks"),
    (
        [section(text=mrkdwn(3000))],
        [section(text=mrkdwn(3001))],
        "must be less than 3001",
        "/blocks/0/text/text",
    ),
    ([section(text=mrkdwn(1))], [section(text=mrkdwn(0))], "must be more than 0", "/blocks/0/text/text"),
    (
        [section(fields=[mrkdwn(2000)] * 10)],
        [section(fields=[mrkdwn(9)] * 11)],
        "no more than 10",
        "/blocks/0/fields",
    ),
    (
        [section(fields=[mrkdwn(2000)])],
        [section(fields=[mrkdwn(2001)])],
        "less than 2001",
        "/blocks/0/fields/0/text",
    ),
    (
        [{"type": "header", "text": plain(150)}],
        [{"type": "header", "text": plain(151)}],
        "151",
        "/blocks/0/text/text",
    ),
    ([section(block_id="b" * 255)], [section(block_id="b" * 256)], "less than 256", "/blocks/0/block_id"),
    (
        [actions(button(text=plain(75)))],
        [actions(button(text=plain(76)))],
        "less than 76",
        "/elements/0/text/text",
    ),
    (
        [actions(button(value="v" * 2000))],
        [actions(button(value="v" * 2001))],
        "less than 2001",
        "/elements/0/value",
    ),
    (
        [actions(button(action_id="a" * 255))],
        [actions(button(action_id="a" * 256))],
        "less than 256",
        "/elements/0/action_id",
    ),
    (
        [actions(button(url="u:" + "u" * 2998))],
        [actions(button(url="u:" + "u" * 2999))],
        "less than 3001",
        "/elements/0/url",
    ),
    (
        [actions(*(button(action_id=f"{n}") for n in range(25)))],
        [actions(*(button(action_id=f"{n}") for n in range(26)))],
        "no more than 25",
        "/blocks/0/elements",
    ),
    (
        [actions(button(confirm=confirm(title=100)))],
        [actions(button(confirm=confirm(title=101)))],
        "101",
        "/title",
    ),
    (
        [actions(button(confirm=confirm(text=300)))],
        [actions(button(confirm=confirm(text=301)))],
        "301",
        "/confirm/text",
    ),
    (
        [actions(button(confirm=confirm(yes=30)))],
        [actions(button(confirm=confirm(yes=31)))],
        "31",
        "/confirm/confirm",
    ),
    (
        [actions(button(confirm=confirm(no=30)))],
        [actions(button(confirm=confirm(no=31)))],
        "31",
        "/confirm/deny",
    ),
    (
        [{"type": "context", "elements": [mrkdwn(3)] * 10}],
        [{"type": "context", "elements": [mrkdwn(3)] * 11}],
        "no more than 10",
        "/blocks/0/elements",
    ),
    ([actions(select(100))], [actions(select(101))], "no more than 100", "/elements/0/options"),
    ([actions(select(1, text=75))], [actions(select(1, text=76))], "less than 76", "/options/0/text/text"),
    ([actions(select(1, value=150))], [actions(select(1, value=151))], "less than 151", "/options/0/value"),
    ([table(100)], [table(101)], "no more than 100", "/blocks/0/rows"),
    ([table(1, 20)], [table(1, 21)], "no more than 20", "/blocks/0/rows/0"),
    ([table(10, 10, 100)], [table(11, 10, 100)], "less than 10001", "/blocks/rows"),
    (
        [{"type": "markdown", "text": "x" * 12_000}],
        [{"type": "markdown", "text": "x" * 12_001}],
        "12001",
        "/0/text",
    ),
]


@pytest.mark.parametrize(("good", "bad", "words", "place"), AT_THE_LIMIT)
def test_the_limit_is_taken_and_one_more_is_not(
    good: list[Json], bad: list[Json], words: str, place: str
) -> None:
    assert check_blocks(good, Surface.MESSAGE) == []
    (complaint,) = check_blocks(bad, Surface.MESSAGE)
    assert words in complaint
    assert place in complaint


WRONG = [
    ([{"type": "sektion"}], "unsupported type: sektion [json-pointer:/blocks/0/type]"),
    ([{}], "missing required field: type"),
    ("text", "must be an array"),
    (["text"], "must be an object"),
    ([{"type": "section"}], "must define either `text` or `fields`"),
    (
        [{"type": "header", "text": mrkdwn(3)}],
        "must be one of: plain_text [json-pointer:/blocks/0/text/type]",
    ),
    ([actions(button(text=mrkdwn(3)))], "must be one of: plain_text"),
    ([actions(button(style="loud"))], "must be one of: primary, danger"),
    ([actions(button(colour="red"))], "invalid additional property: colour"),
    ([actions({"type": "button", "action_id": "go"})], "missing required field: text"),
    ([actions(button(confirm={"title": plain(3)}))], "missing required field: confirm"),
    ([actions(button(), button())], "action_id go already exists"),
    ([section(block_id="same"), section(block_id="same")], "block_id same already exists"),
    ([actions({"type": "static_select", "action_id": "x"})], "either `options` or `option_groups`"),
    (
        [actions(select(2) | {"initial_option": {"text": plain(1), "value": "none"}})],
        "initial_option must be one of",
    ),
    ([actions(select(0))], "no less than 1 items"),
    ([section(text={"type": "plain_text"})], "missing required field: text"),
    ([section(text={"type": "mrkdwn", "text": "x", "emoji": True})], "invalid additional property: emoji"),
    ([section(text={"type": "mrkdwn", "text": 7})], "must be a string"),
    ([section(expand="yes")], "must be a boolean"),
    ([{"type": "image", "alt_text": "x"}], "missing required field: image_url"),
    ([table(1), table(1)], "only_one_table_allowed"),
    ([{"type": "table", "rows": [[], []]}], "no less than 1 items"),
    ([{"type": "rich_text", "elements": [{"type": "text"}]}], "unsupported type: text"),
]


@pytest.mark.parametrize(("blocks", "words"), WRONG)
def test_what_is_no_block_is_said_so(blocks: Any, words: str) -> None:
    assert any(words in complaint for complaint in check_blocks(blocks, Surface.MESSAGE))


def test_uneven_rows_of_a_table() -> None:
    cell = {"type": "raw_text", "text": "x"}
    (complaint,) = check_blocks([{"type": "table", "rows": [[cell], [cell, cell]]}], Surface.MESSAGE)
    assert "same number of cells" in complaint


def test_everything_that_the_sdk_builds_is_taken() -> None:
    yes = ConfirmObject(
        title="Sure?", text="It changes `latest`.", confirm="Promote", deny="Back", style="danger"
    )
    option = Option(value="a", text="A", description="first")
    blocks = [
        HeaderBlock(text="Promote Fedora-Cloud-43-x64"),
        SectionBlock(text=MarkdownTextObject(text="*43*", verbatim=True), fields=["a", "b"]),
        DividerBlock(),
        ContextBlock(elements=[PlainTextObject(text="one"), MarkdownTextObject(text="two")]),
        ActionsBlock(
            elements=[
                ButtonElement(
                    text="Approve", action_id="approve", value="op-1:ab", style="primary", confirm=yes
                ),
                StaticSelectElement(
                    action_id="pick", placeholder="Pick", options=[option], initial_option=option
                ),
            ]
        ),
        MarkdownBlock(text="# Title"),
        TableBlock(
            rows=[[RawTextObject(text="a").to_dict(), RawTextObject(text="b").to_dict()]],
            column_settings=[{"align": "right"}, None],
        ),
    ]
    assert check_blocks([block.to_dict() for block in blocks], Surface.MESSAGE) == []


def modal(**more: Any) -> Json:
    element = PlainTextInputElement(action_id="why", multiline=True, max_length=200)
    block = InputBlock(label="Reason", element=element, block_id="reason").to_dict()
    return {
        "type": "modal",
        "title": plain(24),
        "submit": plain(24),
        "close": plain(24),
        "blocks": [block],
        **more,
    }


def test_a_modal_of_the_sdk_is_taken() -> None:
    choice = Option(value="a", text="A")
    view = View(
        type="modal",
        title="Launch",
        submit="Launch",
        close="Cancel",
        callback_id="launch",
        private_metadata="{}",
        notify_on_close=True,
        blocks=[
            InputBlock(label="Count", element=NumberInputElement(action_id="n", is_decimal_allowed=False)),
            InputBlock(
                label="What",
                element=CheckboxesElement(action_id="c", options=[choice]),
                optional=True,
            ),
        ],
    )
    assert check_view(view.to_dict(), Surface.MODAL) == []


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (modal(title=plain(25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        (modal(submit=plain(25)), "/view/submit/text"),
        (modal(close=plain(25)), "/view/close/text"),
        (
            modal(private_metadata="x" * 3001),
            "less than 3001 characters [json-pointer:/view/private_metadata]",
        ),
        (modal(callback_id="x" * 256), "/view/callback_id"),
        (modal(blocks=[section()] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (modal(blocks=[{"type": "markdown", "text": "x"}]), "unsupported type: markdown"),
        ({key: value for key, value in modal().items() if key != "submit"}, "submit is required"),
        (modal(type="home"), "must be one of: modal"),
        ("view", "must be an object"),
    ],
)
def test_what_no_modal_may_be(view: Any, words: str) -> None:
    assert any(words in complaint for complaint in check_view(view, Surface.MODAL))


def test_a_home_tab_has_no_title_and_a_hundred_blocks() -> None:
    assert check_view({"type": "home", "blocks": [section()] * 100}, Surface.HOME) == []
    assert check_view({"type": "home", "blocks": [section()] * 101}, Surface.HOME) != []
    assert check_view({"type": "home", "blocks": [], "title": plain(3)}, Surface.HOME) != []


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"event_type": "x", "event_payload": {"key": "k"}}, None),
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": []}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {}, "more": 1}, "invalid_metadata_format"),
        ("x", "invalid_metadata_format"),
    ],
)
def test_metadata(metadata: Any, error: str | None) -> None:
    assert metadata_error(metadata) == error


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=50))
def test_a_message_is_too_long_by_the_sum_of_its_blocks(lengths: list[int]) -> None:
    blocks = [section(text=mrkdwn(length)) for length in lengths]
    assert check_blocks(blocks, Surface.MESSAGE) == []
    assert too_long(blocks) == (sum(lengths) + 130 * len(blocks) > 13_200)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "elements", "rows", "block_id", "fields", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
typed = st.sampled_from(["section", "actions", "table", "header", "input", "context", "rich_text", "image"])


@given(
    st.lists(
        st.tuples(typed, st.dictionaries(st.sampled_from(["text", "elements", "rows", "element"]), anything))
    )
)
def test_no_nonsense_brings_the_check_down(drawn: list[tuple[str, Json]]) -> None:
    blocks = [{"type": kind, **content} for kind, content in drawn]
    for complaint in check_blocks(blocks, Surface.MESSAGE):
        assert "[json-pointer:/blocks" in complaint
