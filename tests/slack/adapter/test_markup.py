"""What Slack wraps around typed text is undone, and nothing else."""

from __future__ import annotations

from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.slack.events.markup import MAX_LENGTH, undo_markup
from slipway.commands.grammar.repair import repair

MARKUP = st.lists(
    st.sampled_from(
        [
            *"<>|&;`*'\"- \n\tahU1",
            "&lt;",
            "&gt;",
            "&amp;",
            "amp;",
            "lt;",
            "<https://a.org|",
            "<@U123",
            "<#C123|x>",
            "<!here>",
            "<!subteam^S12|y>",
        ]
    ),
    max_size=40,
).map("".join)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("!images <https://example.org/x|example.org/x>", "!images example.org/x"),
        ("!images <http://43.20261101.0|43.20261101.0>", "!images 43.20261101.0"),
        ("!note <https://example.org/x>", "!note https://example.org/x"),
        ("!note <https://example.org/x|see over here>", "!note https://example.org/x"),
        ("!note <https://example.org/x|example.o…>", "!note https://example.org/x"),
        ("!note <https://example.org/?a=1&amp;b=2>", "!note https://example.org/?a=1&b=2"),
        ("!note <mailto:a@example.org|a@example.org>", "!note a@example.org"),
        ("!lend i-1 <@U12345|bob>", "!lend i-1 @U12345"),
        ("!lend i-1 <@W12345>", "!lend i-1 @W12345"),
        ("!say <#C12345|general>", "!say #C12345"),
        ("!say <!here> <!subteam^S123|@team>", "!say @here @S123"),
        ("!note a &lt; b &amp;&amp; c &gt; d", "!note a < b && c > d"),
    ],
)
def test_what_slack_did_is_undone(sent: str, meant: str) -> None:
    assert undo_markup(sent) == meant
    assert repair(undo_markup(sent)) == meant


@pytest.mark.parametrize(
    "line",
    [
        "!launch <image> --for 2h",
        "!note a < b & c > d",
        "!reject op-7k3f “too slow” — see",
        "`!images` lists",
    ],
)
def test_what_was_meant_is_left_alone(line: str) -> None:
    assert undo_markup(line) == line


@given(st.text() | MARKUP)
def test_undoing_twice_is_undoing_once(text: str) -> None:
    once = undo_markup(text)
    assert undo_markup(once) == once


@given(st.text() | MARKUP)
def test_nothing_is_put_in_but_signs_of_mentions_and_what_entities_stand_for(text: str) -> None:
    undone = undo_markup(text)
    assert len(undone) <= len(text)
    assert set(undone) <= set(text) | set("&<>@")


@given(st.lists(st.text(ascii_letters + digits + "-_.:/=@#*,+%~^$()[]{}", min_size=1)).map(" ".join))
def test_plain_words_pass_unchanged(line: str) -> None:
    assert undo_markup(line) == line


@given(st.text(ascii_letters + digits + " -_.=*,+%~^$()[]{}<>&'\"\\/"))
def test_a_line_that_slack_escaped_is_heard_as_it_was_typed(typed: str) -> None:
    """Source: Slack API, “Formatting text for app surfaces”: these three signs are replaced, in this order."""
    sent = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert undo_markup(sent) == typed


def test_a_text_too_long_for_a_command_is_left_alone() -> None:
    text = "&lt;" * (MAX_LENGTH // 4)
    assert undo_markup(text) == "<" * (MAX_LENGTH // 4)
    assert undo_markup(f"{text} ") == f"{text} "


def test_markup_nested_deeper_than_slack_nests_it_stays_as_it_is() -> None:
    nested = "&lt;https:a|" * 40 + "&gt;" * 40
    assert undo_markup(nested) == nested
    assert undo_markup("&lt;https:a|b&gt;") == "b"
