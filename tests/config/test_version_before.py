"""The configuration of Slipway 0.1, as it was: it loads, and means the same, in every later version."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.clouds.aws.declaration import CLOUD as AWS
from slipway.bot.clouds.azure.declaration import CLOUD as AZURE
from slipway.bot.config.load import load
from slipway.bot.config.settings import Missed, SlipwaySettings
from slipway.bot.subjects.images.cleaning_up.declared import RETENTION
from slipway.bot.subjects.machines.subject import PROFILES
from tests.support.configuration import (
    DECLARED,
    declared_with,
    problems_of,
    put,
    settings_of,
    valid_document,
)
from tests.toys.chat import POSTBOARD_CHAT
from tests.toys.cloud import TOYCLOUD
from tests.toys.subject import TOYS

PATH = Path(__file__).parent / "data" / "slipway-0.1.toml"

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def settings() -> SlipwaySettings:
    return load(PATH, {"SLIPWAY_MATRIX_PASSWORD": "x"}, spec=DECLARED.spec)


def values(table: object, names: str) -> list[Any]:
    return [getattr(table, name) for name in names.split()]


def test_the_top_and_the_commands(settings: SlipwaySettings) -> None:
    assert values(settings, "name state_dir log_format") == ["slipway", PATH.parent / "state", "console"]
    assert settings.zone.key == "UTC"
    assert values(settings.commands, "prefix max_age") == ["!", timedelta(minutes=10)]


def test_the_chats(settings: SlipwaySettings) -> None:
    (matrix,) = (settings.optional(chat.table) for chat in DECLARED.chats if chat.platform == "matrix")
    assert matrix is not None
    assert values(matrix, "homeserver user_id device_id encryption unsigned_devices rooms") == [
        "https://matrix.example.org",
        "@slipway:example.org",
        "SLIPWAY",
        True,
        "warn",
        ("!releng:example.org",),
    ]
    assert values(matrix, "edit_interval request_timeout display_name avatar access_token") == [
        timedelta(seconds=5),
        timedelta(seconds=30),
        "",
        None,
        None,
    ]
    assert matrix.password.get_secret_value() == "x"
    assert [chat.platform for chat in DECLARED.enabled_chats(settings)] == ["matrix"]
    (console,) = (settings.optional(chat.table) for chat in DECLARED.chats if chat.platform == "console")
    assert values(console, "enabled speaker room") == [False, "alice", "console"]


def test_the_clouds(settings: SlipwaySettings) -> None:
    assert list(settings.named(AWS.table)) == ["aws"]
    aws = settings.named(AWS.table)["aws"]
    assert values(aws, "region owners endpoint access_key_id secret_access_key timeout max_attempts") == [
        "eu-west-1",
        ("125523088429",),
        None,
        None,
        None,
        timedelta(seconds=20),
        4,
    ]
    assert list(settings.named(AZURE.table)) == ["azure"]
    azure = settings.named(AZURE.table)["azure"]
    assert values(azure, "subscription_id resource_group gallery endpoint tenant_id client_secret") == [
        "00000000-0000-0000-0000-000000000000",
        "fedora-cloud",
        "Fedora",
        None,
        None,
        None,
    ]
    assert values(azure, "timeout max_attempts operation_timeout parallel_listings") == [
        timedelta(seconds=30),
        4,
        HOUR,
        16,
    ]


def test_the_people_and_the_roles(settings: SlipwaySettings) -> None:
    alice, bob = settings.person
    assert values(alice, "id name identities roles") == [
        "alice",
        "Alice",
        ("matrix:@alice:example.org", "console:alice"),
        ("releng",),
    ]
    assert alice.zone is not None
    assert alice.zone.key == "Europe/Prague"
    assert values(bob, "id identities roles zone") == [
        "bob",
        ("matrix:@bob:example.org",),
        ("releng", "admin"),
        None,
    ]
    assert {name: role.may for name, role in settings.roles.items()} == {
        "releng": (
            "read",
            "launch",
            "terminate",
            "promote",
            "rollback",
            "cleanup",
            "approve",
            "reject",
            "cancel",
        ),
        "admin": ("*",),
        "publisher": ("read", "promote", "cleanup"),
        "janitor": ("terminate",),
    }
    assert settings.roles["releng"].groups("slack_groups") == ()


def test_the_policies(settings: SlipwaySettings) -> None:
    asked = {
        kind: values(
            settings.policy[kind], "approvals approvals_scheduled role requester_may_approve expires"
        )
        for kind in ("launch", "terminate", "promote", "rollback", "cleanup")
    }
    assert asked == {
        "launch": [0, None, "", False, DAY],
        "terminate": [0, None, "", False, DAY],
        "promote": [1, 1, "releng", False, DAY],
        "rollback": [1, None, "releng", True, DAY],
        "cleanup": [1, None, "releng", False, 3 * DAY],
    }
    reactions = {kind: settings.policy[kind].encrypted_reactions for kind in asked}
    assert reactions == dict.fromkeys(asked) | {"promote": False}


def test_what_is_kept_and_what_can_be_launched(settings: SlipwaySettings) -> None:
    retention = settings.table(RETENTION)
    assert values(retention, "keep_candidates keep_rolling rolling_pattern owner max_share") == [
        7,
        7,
        "*Rawhide*",
        "fedora-cloud",
        0.5,
    ]
    limits = "template template_version description max_count default_for max_for cloud"
    profiles = {name: values(profile, limits) for name, profile in settings.named(PROFILES).items()}
    assert profiles == {
        "small": ["slipway-small", None, "2 cores, 2 GiB", 3, 3 * HOUR, 3 * DAY, "aws"],
        "arm": ["slipway-arm", None, "2 cores, 2 GiB, ARM", 1, 3 * HOUR, 3 * DAY, "aws"],
    }


def test_the_schedules(settings: SlipwaySettings) -> None:
    said = "name cron command room roles missed max_late quiet enabled"
    room = "matrix:!releng:example.org"
    catch_up, skip, two_days = Missed.CATCH_UP, Missed.SKIP, 2 * DAY
    assert [values(entry, said) for entry in settings.schedule] == [
        [
            "weekly-promotion",
            "0 9 * * mon",
            "promote *",
            room,
            ("publisher",),
            catch_up,
            two_days,
            False,
            True,
        ],
        ["weekly-cleanup", "0 10 * * mon", "cleanup", room, ("publisher",), catch_up, two_days, False, True],
        [
            "overdue-machines",
            "*/15 * * * *",
            "terminate --overdue",
            room,
            ("janitor",),
            skip,
            two_days,
            True,
            True,
        ],
    ]
    assert {entry.zone.key for entry in settings.schedule} == {"UTC"}


def test_nothing_in_it_is_read_otherwise_where_there_is_more_than_that_version_knew() -> None:
    more = declared_with(subjects=(TOYS,), chats=(POSTBOARD_CHAT,), clouds=(TOYCLOUD,))
    settings = load(PATH, {"SLIPWAY_MATRIX_PASSWORD": "x"}, spec=more.spec)
    document = tomllib.loads(PATH.read_text())
    assert set(document["policy"]) < set(settings.policy)
    assert settings.policy["toy-make"].approvals == 1
    assert [chat.platform for chat in more.enabled_chats(settings)] == ["matrix"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("toys", "toys: there is no such key. Keys here: "),
        ("retenton", 'retenton: there is no such key; did you mean "retention"? Keys here: '),
        ("profile", 'profile: there is no such key; did you mean "profiles"? Keys here: '),
    ],
)
def test_a_table_of_a_subject_that_is_not_there_is_one_sentence(table: str, told: str) -> None:
    (problem,) = problems_of(put(valid_document(), table, {"shelf": 3}))
    assert problem.startswith(told)
    assert "retention" in problem


def test_a_policy_of_a_kind_that_is_not_there_is_one_sentence() -> None:
    (problem,) = problems_of(put(valid_document(), "policy.toy-make", {"role": "releng"}))
    assert problem == (
        'policy.toy-make: there is no "toy-make" here. '
        f"There are: {', '.join(kind.name for kind in DECLARED.spec.kinds)}"
    )


def test_kinds_that_came_later_ask_those_who_decide_about_their_like() -> None:
    """A configuration whose approvers are no "releng" named each kind there was; it loads with more of them, too."""
    document = valid_document()
    document["roles"] = {"keeper": {"may": ["*"]}}
    for person in document["person"]:
        person["roles"] = ["keeper"]
    kinds = ("promote", "rollback", "cleanup", "launch", "terminate")
    document["policy"] = {kind: {"approvals": 1, "role": "keeper"} for kind in kinds}
    document["policy"]["promote"]["approvals"] = 0
    document["schedule"] = []
    found = settings_of(document).policy
    assert (found["promote-override"].approvals, found["promote-override"].role) == (0, "keeper")
    assert (found["revoke"].approvals, found["revoke"].role) == (1, "keeper")
    document["policy"]["revoke"] = {"approvals": 0, "role": "keeper", "requester_may_approve": True}
    assert settings_of(document).policy["revoke"].approvals == 0
