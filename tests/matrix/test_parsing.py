"""What the bot makes of Matrix events, forged and broken ones included."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.matrix.events.parsing import events_since_own_join, parse_event
from slipway.bot.chat.model import Address, Assurance, ButtonEvent, Choice, MessageEvent, WithdrawnReaction
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


TYPED = st.text(string.ascii_letters + string.digits + string.punctuation + " ", max_size=40)


@given(TYPED)
def test_a_line_that_an_editor_escaped_is_heard_as_it_was_typed(typed: str) -> None:
    """As Element's editors did it (element-x-ios issue 1665): a backslash before every sign."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", f"!{typed}")
    assert said(escaped) == (Address.ROOM, f"!{typed}")


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        (r"\!promote Fedora\-Cloud\-43 43\.1\.0 \-\-dry\-run", "!promote Fedora-Cloud-43 43.1.0 --dry-run"),
        (r"!images Fedora\_\*", "!images Fedora_*"),
        (r"\!reject op\-7k3f C\:\\dir is \"full\"", r'!reject op-7k3f C:\dir is "full"'),
        # Where a person did it: a sign stands both ways, or quotes alone are escaped.
        (r"!reject op-7k3f fails with \-ENOMEM", r"!reject op-7k3f fails with \-ENOMEM"),
        (r"!reject op-7k3f a 5\" disk", r"!reject op-7k3f a 5\" disk"),
        (r"!reject op-7k3f see C:\dir\_x", r"!reject op-7k3f see C:\dir\_x"),
    ],
)
def test_backslashes_go_where_an_editor_put_them(body: str, heard: str) -> None:
    assert said(body) == (Address.ROOM, heard)


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ("slipway\uff1ahelp", "help"),
        ("@slipway:example.org\uff1a help", "help"),
        (r"\@slipway\:example\.org\: images Fedora\-\*", "images Fedora-*"),
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
        ("[x](matrix:u/slipway:example.org?action=chat) help", "help"),
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
        "[Slipway Bot](matrix:u/mallory:example.org): help",
        "[Slipway Bot](matrix:r/slipway:example.org): help",
        "",
    ],
)
def test_named_otherwise_or_not_at_all(body: str) -> None:
    assert said(body) == (Address.ROOM, body)


@pytest.mark.parametrize("start", ["https://matrix.to/#/@", "https://matrix.to/#/%40", "matrix:u/"])
def test_a_pill_names_by_its_link_and_not_by_its_label(start: str) -> None:
    pill = '<a href="' + start + '{}:example.org">Captain &amp; Co</a>: help'
    body = "Captain & Co: help"
    assert said(body, formatted_body=pill.format("slipway")) == (Address.MENTION, "help")
    assert said(body, formatted_body=pill.format("mallory")) == (Address.ROOM, body)


def test_a_mention_makes_a_name_without_colon_certain() -> None:
    mentions = {"user_ids": ["@slipway:example.org"]}
    assert said("slipway help", **{"m.mentions": mentions}) == (Address.MENTION, "help")
    assert said("slipway help", **{"m.mentions": {"user_ids": ["@x:y"]}})[0] is Address.ROOM


PILL = '<a href="https://matrix.to/#/@slipway:example.org">Slipway Bot</a>'
MENTIONED = {"m.mentions": {"user_ids": ["@slipway:example.org"]}}


@pytest.mark.parametrize(
    ("body", "content", "line", "assurance"),
    [
        ("hey @slipway:example.org status", {}, "status", Assurance.FULL),
        ("Good morning, @slipway:example.org: promote x", {}, "promote x", Assurance.FULL),
        ("promote x @slipway:example.org", {}, "promote x", Assurance.FULL),
        ("status, Slipway Bot!", MENTIONED, "status,", Assurance.FULL),
        ("hey slipway status", MENTIONED, "status", Assurance.FULL),
        ("hey Slipway Bot status", {"formatted_body": f"hey {PILL} status"}, "status", Assurance.FULL),
        (
            "hey [Slipway Bot](https://matrix.to/#/@slipway:example.org) promote x",
            {},
            "promote x",
            Assurance.FULL,
        ),
        ("ask slipway to promote x", MENTIONED, "to promote x", Assurance.REFUSED),
        ("nobody should say @slipway:example.org approve op-7k3f", {}, "approve op-7k3f", Assurance.REFUSED),
        ("@bob:example.org see @slipway:example.org status", {}, "status", Assurance.REFUSED),
        (
            "[Bob](https://matrix.to/#/@bob:x) see Slipway Bot status",
            {"formatted_body": f'<a href="https://matrix.to/#/@bob:x">Bob</a> see {PILL} status'},
            "status",
            Assurance.REFUSED,
        ),
    ],
)
def test_a_mention_anywhere_is_heard_and_only_a_sentence_of_its_own_changes_something(
    body: str, content: dict[str, Any], line: str, assurance: Assurance
) -> None:
    received = parsed(event({"msgtype": "m.text", "body": body, **content}))
    assert isinstance(received, MessageEvent)
    assert (received.address, received.text, received.assurance) == (Address.MENTION, line, assurance)
    assert bool(received.doubt) == (assurance is Assurance.REFUSED)


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ("hey slipway status", {}),  # by a name alone anything can be meant
        ("hey slipways status", MENTIONED),
        ("hey @slipway:example.organic status", {}),
        ("hey @slipway:example.org:8448 status", {}),
        ("!reject op-7k3f ask @slipway:example.org first", {}),
        ("!reject op-7k3f ask slipway first", MENTIONED),
        ("- slipway is down", MENTIONED),
        ("hey Captain status", {"formatted_body": 'hey <a href="matrix:u/mallory:example.org">Captain</a>'}),
        # An answer to the bot mentions it beside its text, and quotes it, in any case.
        ("yes, slipway is right", {**MENTIONED, "m.relates_to": {"m.in_reply_to": {"event_id": "$card"}}}),
        ("what Slipway Bot says", {"formatted_body": f"<mx-reply>{PILL}</mx-reply>what Slipway Bot says"}),
    ],
)
def test_what_only_names_the_bot_or_is_a_command_is_left_as_it_is(body: str, content: dict[str, Any]) -> None:
    address, text = said(body, **content)
    assert address in (Address.ROOM, Address.REPLY)
    assert text == body


def test_in_a_direct_chat_the_bot_may_be_a_word_of_what_is_said_to_it() -> None:
    for body, heard in (
        ("reject op-7k3f @slipway:example.org is wrong", "reject op-7k3f @slipway:example.org is wrong"),
        ("hey @slipway:example.org status", "status"),
    ):
        received = parsed(event({"msgtype": "m.text", "body": body}), Address.DIRECT)
        assert isinstance(received, MessageEvent)
        assert (received.text, received.assurance) == (heard, Assurance.FULL)


def test_a_mention_in_a_direct_chat_stays_direct() -> None:
    received = parsed(event({"msgtype": "m.text", "body": "slipway: help"}), Address.DIRECT)
    assert isinstance(received, MessageEvent)
    assert (received.address, received.text) == (Address.DIRECT, "help")


def test_the_quote_before_a_reply_is_not_what_was_said() -> None:
    relation = {"m.in_reply_to": {"event_id": "$q"}}
    body = "> <@bob:example.org> !promote everything\n> now\n\n!help"
    assert said(body, **{"m.relates_to": relation}) == (Address.ROOM, "!help")
    assert said("> my own words") == (Address.ROOM, "> my own words")
    assert (
        said("> my own words\n> in two lines", **{"m.relates_to": relation})[1]
        == "> my own words\n> in two lines"
    )


@pytest.mark.parametrize(
    "body", ["> <@bob:example.org> !help", "> <@bob:example.org> !help\n> now\n\n", "> * <@b:c> waves"]
)
@pytest.mark.parametrize("address", [Address.ROOM, Address.DIRECT])
def test_a_reply_that_only_quotes_says_nothing(body: str, address: Address) -> None:
    relation = {"m.in_reply_to": {"event_id": "$q"}}
    assert parsed(event({"msgtype": "m.text", "body": body, "m.relates_to": relation}), address) is None


def test_an_answer_to_the_bot_that_mentions_it_only_beside_the_text_is_for_the_bot() -> None:
    mentions = {"user_ids": ["@alice:example.org", "@slipway:example.org"]}
    relation = {"m.in_reply_to": {"event_id": "$card"}}
    assert said("approve", **{"m.relates_to": relation, "m.mentions": mentions}) == (Address.REPLY, "approve")
    assert said("approve", **{"m.mentions": mentions})[0] is Address.ROOM
    assert (
        said("approve", **{"m.relates_to": relation, "m.mentions": {"user_ids": ["@x:y"]}})[0] is Address.ROOM
    )
    assert (
        said("slipway: approve", **{"m.relates_to": relation, "m.mentions": mentions})[0] is Address.MENTION
    )


@pytest.mark.parametrize("msgtype", ["m.image", "m.file", "m.audio", "m.video"])
def test_the_caption_of_a_file_is_said_and_its_name_is_not(msgtype: str) -> None:
    file = {"msgtype": msgtype, "url": "mxc://example.org/x"}
    received = parsed(event({**file, "filename": "screen.png", "body": "!op op-7k3f"}))
    assert isinstance(received, MessageEvent)
    assert received.text == "!op op-7k3f"
    for content in (
        {"body": "!help"},
        {"body": "!help", "filename": "!help"},
        {"body": "!help", "filename": 5},
    ):
        assert parsed(event({**file, **content})) is None


def edited(text: str, **more: Any) -> dict[str, Any]:
    """An event as a homeserver gives it later that was edited meanwhile, with the edit beside it."""
    content = {
        "msgtype": "m.text",
        "body": f"* {text}",
        "m.new_content": {"msgtype": "m.text", "body": text},
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$e"},
    }
    edit = event(content, event_id="$edit") | more
    relation = {"rel_type": "m.thread", "event_id": "$root"}
    original = {"msgtype": "m.text", "body": "!promote the wrong one", "m.relates_to": relation}
    return event(original, unsigned={"m.relations": {"m.replace": edit}})


def test_a_message_that_was_edited_before_it_is_read_says_what_everybody_sees() -> None:
    received = parsed(edited("!promote the right one"))
    assert isinstance(received, MessageEvent)
    assert (received.event_id, received.text, received.thread) == ("$e", "!promote the right one", "$root")


@pytest.mark.parametrize(
    "more",
    [
        {"sender": "@mallory:example.org"},
        {"type": "m.reaction"},
        {"state_key": ""},
        {"content": {"m.new_content": {"msgtype": "m.text", "body": "!promote another"}}},
        {"content": {"m.new_content": 5, "m.relates_to": {"rel_type": "m.replace", "event_id": "$e"}}},
        {"content": None},
    ],
)
def test_what_is_no_edit_of_a_message_changes_nothing_of_it(more: dict[str, Any]) -> None:
    received = parsed(edited("!promote another", **more))
    assert isinstance(received, MessageEvent)
    assert received.text == "!promote the wrong one"


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
        ("✔️", Choice.APPROVE),
        ("☑️", Choice.APPROVE),
        ("❎", Choice.REJECT),
        ("✖️", Choice.REJECT),
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


@given(st.text(st.characters(exclude_categories=(), exclude_characters="\\"), max_size=60))
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
