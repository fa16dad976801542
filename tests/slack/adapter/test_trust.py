"""Whom and what the Slack adapter believes: the rules by themselves."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.model import Address, Assurance, MessageEvent
from slipway.bot.chat.slack.events.markup import undo_markup
from slipway.bot.chat.slack.events.message_events import message_event_from
from slipway.bot.chat.slack.events.trust import TrustPolicy
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.chat.slack.transport.signatures import is_genuine
from tests.support.clock import NOW

HOME, OTHER = "T0FEDORA0", "T0PARTNER"
BOT, ALICE, CHANNEL = "U0SLIPWAY", "U0ALICE00", "C0IMAGES0"


def envelope(event: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A message of alice's, as Slack delivers it, with changes; None takes something out."""
    said = {
        "type": "message",
        "user": ALICE,
        "channel": CHANNEL,
        "text": "!status",
        "ts": "1795176000.000100",
    }
    said |= {"channel_type": "channel", "team": HOME, **(event or {})}
    outside = {
        "type": "event_callback",
        "event_id": "Ev0001",
        "team_id": HOME,
        "is_ext_shared_channel": False,
    }
    outside |= more
    event = {key: value for key, value in said.items() if value is not None}
    return {key: value for key, value in outside.items() if value is not None} | {"event": event}


def sender(found: dict[str, Any], *teams: str) -> str | None:
    received = message_event_from(found, bot_user=BOT, trust=TrustPolicy(SlackSettings(teams=teams), {HOME}))
    return None if received is None else received.sender


def heard(text: str) -> MessageEvent:
    trust = TrustPolicy(SlackSettings(channels=(CHANNEL,)), {HOME})
    received = message_event_from(envelope({"text": text}), bot_user=BOT, trust=trust)
    assert received is not None
    return received


class TestTeams:
    @pytest.mark.parametrize("field", ["team", "user_team", "source_team"])
    def test_every_team_that_is_named_has_to_be_believed(self, field: str) -> None:
        assert sender(envelope({field: OTHER})) == f"{ALICE}/{OTHER}"
        assert sender(envelope({field: OTHER}), OTHER) == ALICE

    def test_in_a_channel_of_ones_own_the_workspace_need_not_be_named(self) -> None:
        assert sender(envelope({"team": None})) == ALICE
        assert sender(envelope({"team": None}, team_id=OTHER)) == f"{ALICE}/{OTHER}"

    @pytest.mark.parametrize("shared", [True, None, "false"])
    def test_where_others_may_be_whoever_names_no_team_is_nobody(self, shared: object) -> None:
        assert sender(envelope({"team": None}, is_ext_shared_channel=shared)) == f"{ALICE}/T000"
        foreign = envelope({"team": None}, is_ext_shared_channel=shared, team_id=OTHER)
        assert sender(foreign) == f"{ALICE}/{OTHER}"

    def test_the_envelope_counts_beside_what_the_message_names(self) -> None:
        assert sender(envelope(is_ext_shared_channel=True, team_id=OTHER)) == f"{ALICE}/{OTHER}"
        assert sender(envelope(is_ext_shared_channel=True)) == ALICE

    def test_an_organisation_speaks_for_nobody_but_where_it_is_believed(self) -> None:
        trust = TrustPolicy(SlackSettings(), {HOME}, "E0FEDORA0")
        assert trust.account(ALICE, "E0FEDORA0") == f"{ALICE}/T000"
        assert trust.account(ALICE, "E0FEDORA0", HOME) == ALICE
        assert trust.account(ALICE, "E0OTHERS0", HOME) == f"{ALICE}/E0OTHERS0"
        believed = TrustPolicy(SlackSettings(teams=("E0FEDORA0",)), {HOME}, "E0FEDORA0")
        assert believed.account(ALICE, "E0FEDORA0") == ALICE


class TestMessages:
    @pytest.mark.parametrize(
        "event",
        [
            {"user": BOT},
            {"bot_id": "B0OTHER"},
            {"bot_profile": {"id": "B0OTHER"}},
            {"subtype": "bot_message"},
            {"subtype": "message_changed"},
            {"subtype": "me_message"},
            {"edited": {"user": ALICE, "ts": "1.1"}},
            {"hidden": True},
            {"type": "app_mention"},
            {"user": None},
            {"user": "alice"},
            {"channel": "images"},
            {"ts": None},
            {"ts": "yesterday"},
            {"text": None},
        ],
    )
    def test_what_no_person_said_is_nothing(self, event: dict[str, Any]) -> None:
        assert sender(envelope()) == ALICE
        assert sender(envelope(event)) is None

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
    def test_whatever_stands_anywhere_is_survived(self, value: Any) -> None:
        for key in ("event", "event_id", "team_id", "is_ext_shared_channel"):
            sender(envelope() | {key: value})
        for key in ("type", "user", "channel", "text", "ts", "thread_ts", "team", "subtype"):
            found = envelope()
            found["event"][key] = value
            sender(found)


class TestMentions:
    @pytest.mark.parametrize(
        ("text", "line", "assurance"),
        [
            ("<@U0SLIPWAY> status", "status", Assurance.FULL),
            ("<@U0SLIPWAY|slipway>: !promote x", "!promote x", Assurance.FULL),
            ("hey <@U0SLIPWAY> promote x", "promote x", Assurance.FULL),
            ("Good morning, <@U0SLIPWAY>, promote x", "promote x", Assurance.FULL),
            ("promote x <@U0SLIPWAY>", "promote x", Assurance.FULL),
            ("status, <@U0SLIPWAY>!", "status,", Assurance.FULL),
            ("<@U0BOB0000> see <@U0SLIPWAY> status", "status", Assurance.REFUSED),
            ("nobody should say <@U0SLIPWAY> approve op-7k3f", "approve op-7k3f", Assurance.REFUSED),
        ],
    )
    def test_a_mention_anywhere_is_heard_and_only_a_sentence_of_its_own_changes_something(
        self, text: str, line: str, assurance: Assurance
    ) -> None:
        received = heard(text)
        assert (received.text, received.assurance) == (line, assurance)
        assert received.address is Address.MENTION
        assert bool(received.doubt) is (assurance is Assurance.REFUSED)

    @pytest.mark.parametrize("text", ["!reject op-7k3f because <@U0SLIPWAY> errs", "see <@U0BOB0000> status"])
    def test_within_a_command_it_is_a_word_and_others_are_not_the_bot(self, text: str) -> None:
        received = heard(text)
        assert received.address is Address.ROOM
        assert received.text == undo_markup(text)

    def test_in_a_direct_message_the_bot_may_be_a_word_of_what_is_said_to_it(self) -> None:
        trust = TrustPolicy(SlackSettings(changes_in_direct=True), (HOME,))
        for text, line in (
            ("reject op-7k3f <@U0SLIPWAY> errs", "reject op-7k3f @U0SLIPWAY errs"),
            ("hey <@U0SLIPWAY> status", "status"),
        ):
            direct = envelope({"text": text, "channel": "D0ALICE00", "channel_type": "im"})
            received = message_event_from(direct, bot_user=BOT, trust=trust)
            assert received is not None
            assert (received.text, received.assurance) == (line, Assurance.FULL)


class TestSignatures:
    def signed(self, at: datetime, body: bytes = b"{}") -> tuple[str, str]:
        stamp = str(int(at.timestamp()))
        signed = b"v0:" + stamp.encode() + b":" + body
        return stamp, f"v0={hmac.new(b'secret', signed, hashlib.sha256).hexdigest()}"

    @pytest.mark.parametrize(
        ("age", "right"), [(-301, False), (-300, True), (0, True), (300, True), (301, False), (3600, False)]
    )
    def test_a_signature_holds_for_five_minutes_before_and_after(self, age: int, right: bool) -> None:
        stamp, signature = self.signed(NOW - timedelta(seconds=age))
        assert is_genuine("secret", timestamp=stamp, signature=signature, body=b"{}", now=NOW) is right

    @given(st.binary(max_size=40), st.binary(max_size=40), st.text(max_size=70))
    def test_it_is_for_one_body_and_one_secret(self, body: bytes, other: bytes, forged: str) -> None:
        stamp, signature = self.signed(NOW, body)
        assert is_genuine("secret", timestamp=stamp, signature=signature, body=body, now=NOW)
        assert not is_genuine("another", timestamp=stamp, signature=signature, body=body, now=NOW)
        assert is_genuine("secret", timestamp=stamp, signature=signature, body=other, now=NOW) is (
            other == body
        )
        assert not is_genuine("secret", timestamp=stamp, signature=forged, body=body, now=NOW)
        assert not is_genuine("secret", timestamp=forged, signature=signature, body=body, now=NOW)
