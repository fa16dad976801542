"""What the bot makes of Matrix events, forged and broken ones included."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.matrix.events.parsing import events_since_own_join, parse_event
from slipway.bot.chat.model import Address, ButtonEvent, Choice, MessageEvent, WithdrawnReaction
from tests.matrix.builders import BOT


def event(content: Any, kind: str = "m.room.message", **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "event_id": "$e",
        "sender": "@alice:example.org",
        "origin_server_ts": 1_795_000_000_000,
        "content": content,
        **more,
    }


def parsed(
    source: Any, address: Address = Address.ROOM
) -> MessageEvent | ButtonEvent | WithdrawnReaction | None:
    return parse_event(source, room="!r", bot=BOT, address=address)


def said(body: str, **more: Any) -> tuple[Address, str]:
    received = parsed(event({"msgtype": "m.text", "body": body, **more}))
    assert isinstance(received, MessageEvent)
    return received.address, received.text


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ("@slipway:example.org: help", "help"),
        ("@slipway:example.org help", "help"),
        ("  @slipway:example.org", ""),
        ("slipway: promote Fedora", "promote Fedora"),
        ("SLIPWAY, help", "help"),
        ("slipway:help", "help"),
        ("@slipway: help", "help"),
        ("Slipway Bot: !help", "!help"),
        ("[Slipway Bot](https://matrix.to/#/@slipway:example.org): help", "help"),
        ("[x](https://matrix.to/#/%40slipway%3Aexample.org?via=example.org) help", "help"),
    ],
)
def test_named_at_the_start(body: str, rest: str) -> None:
    assert said(body) == (Address.MENTION, rest)


@pytest.mark.parametrize(
    "body",
    [
        "slipway is a nice name",
        "ask slipway: help",
        "slipways: help",
        "@slipway:example.organic: help",
        "[Slipway Bot](https://matrix.to/#/@mallory:example.org): help",
        "",
    ],
)
def test_named_otherwise_or_not_at_all(body: str) -> None:
    assert said(body) == (Address.ROOM, body)


def test_a_pill_names_by_its_link_and_not_by_its_label() -> None:
    pill = '<a href="https://matrix.to/#/@{}:example.org">Captain &amp; Co</a>: help'
    body = "Captain & Co: help"
    assert said(body, formatted_body=pill.format("slipway")) == (Address.MENTION, "help")
    assert said(body, formatted_body=pill.format("mallory")) == (Address.ROOM, body)


def test_a_mention_makes_a_name_without_colon_certain() -> None:
    mentions = {"user_ids": ["@slipway:example.org"]}
    assert said("slipway help", **{"m.mentions": mentions}) == (Address.MENTION, "help")
    assert said("slipway help", **{"m.mentions": {"user_ids": ["@x:y"]}})[0] is Address.ROOM
    assert said("thanks to slipway", **{"m.mentions": mentions})[0] is Address.ROOM


def test_a_mention_in_a_direct_chat_stays_direct() -> None:
    received = parsed(event({"msgtype": "m.text", "body": "slipway: help"}), Address.DIRECT)
    assert isinstance(received, MessageEvent)
    assert (received.address, received.text) == (Address.DIRECT, "help")


def test_the_quote_before_a_reply_is_not_what_was_said() -> None:
    relation = {"m.in_reply_to": {"event_id": "$q"}}
    body = "> <@bob:example.org> !promote everything\n> now\n\n!help"
    assert said(body, **{"m.relates_to": relation}) == (Address.ROOM, "!help")
    assert said("> my own words") == (Address.ROOM, "> my own words")


@pytest.mark.parametrize(
    ("relation", "thread", "reply_to"),
    [
        ({"m.in_reply_to": {"event_id": "$card"}}, None, "$card"),
        ({"m.in_reply_to": {"event_id": "card"}}, None, None),
        ({"m.in_reply_to": "$card"}, None, None),
        ({"rel_type": "m.thread", "event_id": "$root"}, "$root", None),
        (
            {
                "rel_type": "m.thread",
                "event_id": "$root",
                "m.in_reply_to": {"event_id": "$last"},
                "is_falling_back": True,
            },
            "$root",
            None,
        ),
        (
            {"rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": {"event_id": "$card"}},
            "$root",
            "$card",
        ),
    ],
)
def test_what_a_message_answers_is_told_where_somebody_chose_to_answer_it(
    relation: dict[str, object], thread: str | None, reply_to: str | None
) -> None:
    received = parsed(event({"msgtype": "m.text", "body": "!approve", "m.relates_to": relation}))
    assert isinstance(received, MessageEvent)
    assert (received.thread, received.reply_to) == (thread, reply_to)


@pytest.mark.parametrize(
    "source",
    [
        event({"msgtype": "m.text", "body": "!x"}, sender=BOT.user_id),
        event({"msgtype": "m.notice", "body": "!x"}),
        event({"msgtype": "m.text", "body": 7}),
        event({"msgtype": "m.text"}),
        event({}),
        event(None),
        event({"msgtype": "m.text", "body": "* !x", "m.relates_to": {"rel_type": "m.replace"}}),
        event({"msgtype": "m.text", "body": "* !x", "m.new_content": {"body": "!x"}}),
        event({"msgtype": "m.text", "body": "!x"}, state_key=""),
        event({"msgtype": "m.text", "body": "!x"}, event_id=None),
        event({"msgtype": "m.text", "body": "!x"}, sender=["@a:b"]),
        event({"msgtype": "m.text", "body": "!x"}, sender="@" + "a" * 300),
        event({"msgtype": "m.text", "body": "!x"}, origin_server_ts=True),
        event({"msgtype": "m.text", "body": "!x"}, origin_server_ts=-1),
        event({"msgtype": "m.text", "body": "!x"}, origin_server_ts=10**30),
        event({"msgtype": "m.text", "body": "!x"}, kind="m.room.encrypted"),
        event({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$c", "key": "👍"}}, "m.reaction"),
        event({"m.relates_to": {"rel_type": "m.annotation", "event_id": 5, "key": "✅"}}, "m.reaction"),
        event({"m.relates_to": {"rel_type": "m.thread", "event_id": "$c", "key": "✅"}}, "m.reaction"),
        event({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$c", "key": []}}, "m.reaction"),
        event({"m.relates_to": "✅"}, "m.reaction"),
    ],
)
def test_what_means_nothing(source: dict[str, Any]) -> None:
    assert parsed(source) is None


@pytest.mark.parametrize(
    ("key", "choice"),
    [
        ("✅", Choice.APPROVE),
        ("✅\ufe0f", Choice.APPROVE),
        ("❌", Choice.REJECT),
        ("❌\ufe0e", Choice.REJECT),
    ],
)
def test_a_reaction_is_a_press_on_the_message(key: str, choice: Choice) -> None:
    relation = {"rel_type": "m.annotation", "event_id": "$card", "key": key}
    press = parsed(event({"m.relates_to": relation}, "m.reaction"))
    assert isinstance(press, ButtonEvent)
    assert (press.event_id, press.message_id, press.choice) == ("$e", "$card", choice)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["msgtype", "body", "m.relates_to", "rel_type", "event_id", "key", "m.mentions"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["msgtype", "body", "formatted_body", "m.relates_to"]), json_values))
def test_no_content_can_break_the_parser(content: dict[str, Any]) -> None:
    for kind in ("m.room.message", "m.reaction"):
        parsed(event({"msgtype": "m.text", "body": "x", **content}, kind))


@given(st.dictionaries(st.sampled_from([*event({}), "state_key", "unsigned"]), json_values))
def test_no_event_can_break_the_parser(source: dict[str, Any]) -> None:
    parsed(source)
    events_since_own_join([source], BOT.user_id)


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_text_is_heard_as_it_was_said_but_for_what_is_no_text(text: str) -> None:
    received = parsed(event({"msgtype": "m.text", "body": "!" + text}))
    assert isinstance(received, MessageEvent)
    assert received.text == "!" + "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in text)


def membership(user: str, now: str, before: str | None = None) -> dict[str, Any]:
    unsigned = {} if before is None else {"prev_content": {"membership": before}}
    content = {"membership": now}
    return event(content, "m.room.member", state_key=user, unsigned=unsigned)


def test_only_what_follows_the_bots_own_coming_counts() -> None:
    early, late = event({"body": "early"}), event({"body": "late"})
    came = membership(BOT.user_id, "join", "invite")
    renamed = membership(BOT.user_id, "join", "join")
    other = membership("@bob:example.org", "join")
    assert events_since_own_join([early, came, renamed, other, late], BOT.user_id) == [renamed, other, late]
    assert events_since_own_join([early, renamed, other, late], BOT.user_id) == [early, renamed, other, late]
