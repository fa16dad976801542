"""What is said about [slack], and roles by user group."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.bot.chat.slack.declaration import CHAT
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.settings import SlackTransport
from slipway.bot.config.describe import describe
from slipway.bot.people import People
from tests.support.configuration import DECLARED, SECRETS, problems_of, put, settings_of, valid_document

TOKENS = {
    **SECRETS,
    "SLIPWAY_SLACK_BOT_TOKEN": "xoxb-1",
    "SLIPWAY_SLACK_APP_TOKEN": "xapp-1",
    "SLIPWAY_SLACK_SIGNING_SECRET": "secret",
}


def _slack(**more: Any) -> dict[str, Any]:
    return valid_document() | {"slack": {"channels": ["C0123456789"], **more}}


def test_a_right_one_is_described_without_its_secrets() -> None:
    settings = settings_of(_slack(transport="http", listen="[::1]:8080"), TOKENS)
    slack = settings.optional(CHAT.table)
    assert slack is not None
    assert slack.transport is SlackTransport.HTTP
    lines = "\n".join(describe(settings, DECLARED.spec))
    assert "slack by http, changes in 1 channel (C0123456789)" in lines
    assert "slack.bot_token from the environment variable SLIPWAY_SLACK_BOT_TOKEN" in lines
    assert "xoxb-" not in lines + repr(settings)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"channels": ["#images"]}, 'slack.channels: "#images" is not a channel\'s id, like C0123456789'),
        ({"teams": ["fedora"]}, 'slack.teams: "fedora" is not a workspace\'s id, like T0123456789'),
        ({"home_channel": "general"}, 'slack.home_channel: "general" is not a channel\'s id'),
        ({"listen": "3000"}, 'slack.listen: it is "3000"; write a host and a port, like 127.0.0.1:3000'),
        ({"transport": "carrier pigeon"}, "slack.transport"),
        ({"endpoint": "http://slack.example.org/api/"}, "is not encrypted"),
        ({"bot_token": "xoxb-1"}, "a secret does not belong into this file"),
    ],
)
def test_a_mistake_is_named(more: dict[str, Any], told: str) -> None:
    (problem,) = problems_of(_slack(**more), TOKENS)
    assert told in problem


@pytest.mark.parametrize(
    ("transport", "missing", "told"),
    [
        ("socket", "SLIPWAY_SLACK_BOT_TOKEN", "slack.bot_token: is missing: put the bot token (xoxb-…)"),
        ("socket", "SLIPWAY_SLACK_APP_TOKEN", "slack.app_token: is missing"),
        ("http", "SLIPWAY_SLACK_SIGNING_SECRET", "slack.signing_secret: is missing"),
    ],
)
def test_each_way_in_needs_its_secrets(transport: str, missing: str, told: str) -> None:
    environ = {name: value for name, value in TOKENS.items() if name != missing}
    (problem,) = problems_of(_slack(transport=transport), environ)
    assert told in problem
    assert missing in problem


def test_tokens_that_were_mixed_up_are_told_and_not_shown() -> None:
    mixed = TOKENS | {"SLIPWAY_SLACK_BOT_TOKEN": "xapp-secret", "SLIPWAY_SLACK_APP_TOKEN": "xoxb-secret"}
    problems = problems_of(_slack(), mixed)
    assert len(problems) == 2
    assert "secret" not in "\n".join(problems)


def test_accounts_rooms_and_groups_are_slacks_ids() -> None:
    document = put(_slack(), "person.0.identities", ["slack:alice"])
    document = put(document, "schedule.0.room", "slack:#images")
    document = put(document, "roles.releng.slack_groups", ["@release-team"])
    problems = "\n".join(problems_of(document, TOKENS))
    assert "is not a Slack account; write it like slack:U0123456789" in problems
    assert "is not a channel's id; write it like slack:C0123456789" in problems
    assert "is not a user group's id, like S0123456789" in problems


def test_user_groups_need_slack() -> None:
    (problem,) = problems_of(put(valid_document(), "roles.releng.slack_groups", ["S0123456789"]))
    assert "user groups are Slack's, and there is no [slack]" in problem


def test_a_role_that_a_group_gives_can_have_holders_that_are_not_known_yet() -> None:
    document = _slack()
    document["policy"] = {"promote": {"approvals": 5, "role": "releng"}}
    assert "5 approvals are asked for" in problems_of(document, TOKENS)[0]
    settings_of(put(document, "roles.releng.slack_groups", ["S0123456789"]), TOKENS)


def test_groups_add_roles_to_persons_and_make_nobody_known() -> None:
    document = put(_slack(), "roles.admin.slack_groups", ["S0123456789"])
    document = put(document, "person.1.identities", ["matrix:@bob:example.org", "slack:U0BOB"])
    people = People(settings_of(document, TOKENS), {SLACK: "slack_groups"})
    assert people.groups(SLACK) == ("S0123456789",)
    people.set_group_members(SLACK, {"S0123456789": frozenset({"U0BOB", "U0STRANGER"})})
    bob = people.by_id("bob")
    assert bob is not None
    assert bob.roles == ("releng", "admin")
    assert people.role_holders("admin") == (bob,)
    assert people.may(bob, "terminate", changes=True)
    people.set_group_members(SLACK, {"S0123456789": frozenset()})
    assert people.role_holders("admin") == ()
    assert not people.may(people.by_id("bob"), "terminate", changes=True)
