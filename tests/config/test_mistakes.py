"""Every kind of mistake in slipway.toml is told by its key, with what would be right."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.clouds.aws.declaration import CLOUD as AWS
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.problems import one_of, render_problems
from slipway.bot.subjects.machines.subject import PROFILES
from tests.support.configuration import DECLARED, problems_of, put, settings_of, valid_document

CLOUDS = [cloud.name for cloud in DECLARED.clouds]
GALLERIES = [
    *(cloud.name for cloud in DECLARED.clouds if IMAGE_VERSIONS in cloud.by_itself),
    *(cloud.described[IMAGE_VERSIONS] for cloud in DECLARED.clouds if IMAGE_VERSIONS in cloud.described),
]
CHATS = [f"[{chat.platform}]" for chat in DECLARED.chats if not chat.auxiliary]


def test_a_good_configuration_is_read() -> None:
    settings = settings_of(valid_document())
    assert settings.named(AWS.table)["aws"].region == "eu-west-1"
    assert settings.named(PROFILES)["small"].max_for == timedelta(days=3)
    assert settings.state_dir == Path("/etc/slipway/state")


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        # unknown keys and names
        (
            "zonne",
            "UTC",
            'zonne: there is no such key; did you mean "zone"? Keys here: alarms, audit, aws, azure, ',
        ),
        (
            "matrix.pasword_file",
            "x",
            'matrix.pasword_file: there is no such key; did you mean "password_file"?',
        ),
        ("person.1.rolls", [], 'person.bob.rolls: there is no such key; did you mean "roles"?'),
        (
            "policy.promot",
            {},
            'policy.promot: there is no "promot" here; did you mean "promote"? There are: ',
        ),
        # wrong kinds of value
        ("name", "Slip Way", 'name: it is "Slip Way"; write lowercase letters, digits and dashes, a letter'),
        ("name", 5, 'name: it is 5; must be text in quotes, like "abc"'),
        ("zone", "Mars", "zone: “Mars” is not a time zone; write it like UTC or Europe/Prague"),
        ("zone", 1, "zone: a time zone is written as text"),
        ("name", date(2026, 1, 1), 'name: it is "2026-01-01"; write lowercase letters'),
        ("log_format", "jsn", "log_format: it is \"jsn\"; must be 'console' or 'json'"),
        ("console", True, "console: it is true; must be a table that begins with [console]"),
        ("person", "alice", 'person: it is "alice"; must be tables that begin with [[person]]'),
        ("person.1", 5, "person #2: it is 5; must be tables that begin with [[person]]"),
        ("roles.releng", 5, "roles.releng: it is 5; must be tables that begin with [roles.NAME]"),
        ("roles", [], "roles: it is an empty list; must be tables that begin with [roles.NAME]"),
        ("console.enabled", "yes", 'console.enabled: it is "yes"; must be true or false'),
        ("console.enabled", 1, "console.enabled: it is 1; must be true or false"),
        ("aws.max_attempts", "3", 'aws.max_attempts: it is "3"; must be a whole number'),
        ("aws.max_attempts", True, "aws.max_attempts: it is true; must be a whole number"),
        ("aws.max_attempts", 11, "aws.max_attempts: it is 11; must be at most 10"),
        ("aws.max_attempts", 10**40, 'aws.max_attempts: it is "a number beyond 64 bits"; must be a whole'),
        ("retention.max_share", 0, "retention.max_share: it is 0; must be more than 0"),
        ("retention.max_share", float("nan"), "retention.max_share: it is nan; must be "),
        ("retention.approval_share", 0, "retention.approval_share: it is 0; must be more than 0"),
        ("profiles.small.max_for", "3 days", "profiles.small.max_for: “3 days” is not a duration; write it"),
        ("profiles.small.max_for", 3, "profiles.small.max_for: it is 3; must be a duration in quotes, like"),
        ("roles.releng.may", "read", 'roles.releng.may: it is "read"; write the commands that holders may'),
        ("roles.releng.may", [1], 'roles.releng.may #1: it is 1; must be text in quotes, like "abc"'),
        (
            "schedule.0.missed",
            "catchup",
            "schedule.weekly-cleanup.missed: it is \"catchup\"; must be 'catch-up'",
        ),
        (
            "person.0.identities",
            [],
            "person.alice.identities: it is an empty list; write the person's accounts",
        ),
        ("person.0.id", "Alice", 'person.Alice.id: it is "Alice"; write lowercase letters, digits, dots'),
        (
            "matrix.user_id",
            "slipway",
            'matrix.user_id: it is "slipway"; write the bot\'s own account, like @',
        ),
        # addresses
        ("matrix.homeserver", "example.org", 'matrix.homeserver: "example.org" is not an address; write it'),
        ("matrix.homeserver", "http://example.org", "is not encrypted; write https:// (http:// is for this"),
        ("aws.endpoint", "http://10.0.0.1:5000", "aws.endpoint: "),
        ("azure.endpoint", "https://[", "azure.endpoint: "),
        ("azure.endpoint", "https://a:99999", "azure.endpoint: "),
        (
            "azure.endpoint",
            "https://example.org?x=1",
            "there is a query or fragment in the address; take out",
        ),
        (
            "matrix.homeserver",
            "https://example.org/#",
            "there is a query or fragment in the address; take out",
        ),
        *(
            (
                "matrix.rooms",
                [room],
                f'matrix.rooms: "{room}" is not a room; write its id, like !abc:example.org',
            )
            for room in ("releng", "#releng", "#:example.org")
        ),
        ("aws.owners", [1], "aws.owners #1: it is 1; must be text in quotes"),
        ("aws.owners", [], "aws.owners: is empty; write whose images to use, like"),
        # people and roles
        (
            "person.1.roles",
            ["relengs", "releng"],
            'person.bob.roles: there is no role "relengs"; did you mean',
        ),
        ("person.1.id", "alice", 'person.alice.id: 2 persons have the id "alice"; give each their own'),
        (
            "person.1.identities",
            ["matrix:@alice:example.org"],
            "is given 2 times (to alice and bob); an account",
        ),
        ("person.1.identities", ["irc:bob"], "person.bob.identities: “irc:bob” is not platform:id; write it"),
        (
            "person.1.identities",
            ["matrix:bob"],
            'person.bob.identities: "matrix:bob" is not a Matrix account',
        ),
        (
            "roles.releng.may",
            ["read", "cleanup", "promot"],
            'roles.releng.may: there is no command "promot"; did',
        ),
        # policies
        (
            "policy.promote",
            {"role": "relengs"},
            'policy.promote.role: there is no role "relengs"; did you mean "releng"? Roles here: admin, rel',
        ),
        (
            "policy.promote",
            {},
            "policy.promote.role: is missing: 1 approval is asked for, and no role may give",
        ),
        (
            "policy.cleanup",
            {"approvals": 0},
            "policy.cleanup.role: is missing: 1 approval is asked for at times",
        ),
        (
            "policy.promote",
            {"approvals": 3, "role": "releng"},
            'the role "releng" is held by 2 persons (alice, bob); ask for fewer, or give more persons the ro',
        ),
        (
            "policy.promote",
            {"approvals": 2, "role": "releng"},
            "from others than the requester, and whoever may promote (alice, bob) never finds as many: the",
        ),
        (
            "policy.launch",
            {"approvals": 1, "role": "admin"},
            'the role "admin" is held by nobody; ask for fewer',
        ),
        # profiles
        (
            "profiles.small.default_for",
            "4d",
            "profiles.small.default_for: 4d is longer than max_for, which is 3d; shorten the one or",
        ),
        (
            "profiles.very small",
            {"template": "x"},
            "profiles.very small: people must be able to type the name",
        ),
        # schedules
        ("schedule.0.cron", "0 25 * * mon", "schedule.weekly-cleanup.cron: the hour “25” is not understood"),
        ("schedule.0.roles", ["bots"], 'schedule.weekly-cleanup.roles: there is no role "bots". Roles here:'),
        (
            "schedule.0.roles",
            [],
            "schedule.weekly-cleanup.roles: no role here has the right to cleanup; roles ",
        ),
        (
            "schedule.0.command",
            "clean",
            'schedule.weekly-cleanup.command: there is no command "clean"; did you',
        ),
        (
            "schedule.0.command",
            "!cleanup x",
            "schedule.weekly-cleanup.command: leave the prefix out: cleanup x",
        ),
        (
            "schedule.0.command",
            "cleanup 'x",
            'schedule.weekly-cleanup.command: "cleanup \'x" is not a command',
        ),
        (
            "schedule.0.command",
            "rollback x",
            "schedule.weekly-cleanup.roles: no role here has the right to roll",
        ),
        ("schedule.0.room", "releng", 'schedule.weekly-cleanup.room: "releng" is not a room; write it like'),
        (
            "schedule.0.room",
            "matrix:#releng:example.org",
            'schedule.weekly-cleanup.room: "matrix:#releng:example.org" is not a room\'s id; write it like',
        ),
        ("schedule.0.room", "slack:C1", "schedule.weekly-cleanup.room: the room is on slack, which is not"),
        (
            "schedule.0.room",
            "console:console",
            "which is not configured; set console.enabled or name another",
        ),
        (
            "schedule.0.room",
            "matrix:!other:example.org",
            'there is no room "!other:example.org"; did you mean',
        ),
        ("state_dir", "a\0b", "state_dir: there is a zero byte in it"),
        ("state_dir", "/proc/x", "state_dir: /proc/x keeps no files; name a folder on a disk"),
        (
            "profiles.small.template",
            "",
            'profiles.small.template: it is ""; write a launch template by name',
        ),
        ("profiles.small.template", "spec:small", "profiles.small.template: write a template spec as"),
        ("problems", {"room": "releng"}, 'problems.room: "releng" is not a room; write it like'),
        (
            "problems",
            {"owner": "role:relegn"},
            'problems.owner: there is no role "relegn"; did you mean "releng"?',
        ),
        (
            "problems",
            {"owner": "alise"},
            'problems.owner: there is no person or role "alise"; did you mean "alice"?',
        ),
        ("problems", {"acknowledged_for": "31d"}, "problems.acknowledged_for: "),
        ("audit", {"cron": "0 6 * *"}, "audit.cron: a time has five fields"),
        ("audit", {"room": "releng"}, 'audit.room: "releng" is not a room; write it like'),
        ("audit", {"room": "matrix:!other:example.org"}, "audit.room: there is no room"),
        ("audit", {"file": "state/heads.jsonl"}, "audit.file: lies in state_dir"),
        ("audit", {"file": "else/../state/heads.jsonl"}, "audit.file: lies in state_dir"),
        ("housekeeping", {"keep_messages": "2h"}, "housekeeping.keep_messages: "),
    ],
)
def test_a_mistake_is_told_by_its_key_and_alone(key: str, value: object, line: str) -> None:
    problems = problems_of(put(valid_document(), key, value))
    assert [line in problem for problem in problems] == [True], problems


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("aws.region", "aws.region: is missing; write the region's name, like eu-west-1"),
        ("azure.gallery", "azure.gallery: is missing; write the gallery's name"),
        ("azure.subscription_id", "(or set AZURE_SUBSCRIPTION_ID in the environment)"),
        ("schedule.0.cron", "schedule.weekly-cleanup.cron: is missing; write when, as minute hour day"),
        ("schedule.0.name", "schedule #1.name: is missing; write lowercase letters"),
        ("person.1.id", "person #2.id: is missing; write lowercase letters"),
        ("aws", "profiles: profiles launch machines on AWS, and there is no [aws]; add it"),
        (
            "azure",
            f"schedule.weekly-cleanup.command: cleanup works in {one_of(GALLERIES)}, and there is no [",
        ),
        ("matrix", f"matrix: is missing: there is no room to talk in; add {one_of(CHATS)}"),
        ("person", "person: is missing: nobody may do anything; add a [[person]] for each of you"),
    ],
)
def test_what_is_missing_is_told(key: str, line: str) -> None:
    document: Any = valid_document()
    *above, last = key.split(".")
    here = document
    for part in above:
        here = here[int(part)] if isinstance(here, list) else here[part]
    del here[last]
    assert any(line in problem for problem in problems_of(document))


def test_a_configuration_without_any_cloud_is_refused() -> None:
    document = valid_document()
    for table in ("aws", "azure", "profiles", "schedule"):
        del document[table]
    others = f"{'is' if len(CLOUDS) == 2 else 'are'} {' and '.join(CLOUDS[1:])}"
    any_cloud = one_of(f"[{cloud}]" for cloud in CLOUDS)
    assert problems_of(document) == (
        f"aws: is missing, and so {others}: there is no cloud to work in; add {any_cloud}",
    )


def test_a_console_turned_off_is_no_place_to_talk() -> None:
    document = valid_document() | {"console": {"enabled": False}, "schedule": []}
    del document["matrix"]
    assert problems_of(document) == (
        f"console.enabled: there is no room to talk in; set it to true, or add {one_of(CHATS)}",
    )


def test_who_speaks_on_the_console_must_be_somebody() -> None:
    problems = problems_of(valid_document() | {"console": {"enabled": True}})
    assert problems == (
        'console.speaker: nobody has the identity "console:alice"; add it to the identities of a [[person]]',
    )


def test_many_mistakes_are_all_told_in_one_go_in_the_order_of_the_tables() -> None:
    document = valid_document()
    put(document, "zonne", "UTC")
    put(document, "matrix.user_id", "slipway")
    put(document, "aws.max_attempts", 0)
    put(document, "person.1.roles", ["relengs"])
    put(document, "policy.rollback", {"role": "nobody"})
    put(document, "profiles.small.default_for", "9d")
    put(document, "schedule.0.cron", "0 9 * *")
    put(document, "schedule.0.room", "slack:C1")
    keys = [problem.split(":")[0] for problem in problems_of(document, {})]
    assert set(keys) == {
        "zonne",
        "matrix.user_id",
        "aws.max_attempts",
        "person.bob.roles",
        "policy.promote.approvals",
        "policy.promote-override.approvals",
        "policy.cleanup.approvals",
        "policy.rollback.role",
        "profiles.small.default_for",
        "schedule.weekly-cleanup.cron",
        "schedule.weekly-cleanup.room",
    }
    tables = [key.split(".")[0] for key in keys]
    assert tables == sorted(tables, key=list(dict.fromkeys(tables)).index), "each table's mistakes together"


def test_a_mistake_in_a_part_hides_no_other_and_invents_none() -> None:
    """The role `releng` is wrong itself, and yet it is there: nobody who names it is blamed."""
    document = put(valid_document(), "roles.releng", {"may": 5})
    assert [problem.split(":")[0] for problem in problems_of(document)] == ["roles.releng.may"]


def test_two_schedules_of_one_name_are_told() -> None:
    document = valid_document()
    document["schedule"] *= 2
    assert problems_of(document) == (
        'schedule.weekly-cleanup.name: 2 schedules have the name "weekly-cleanup"; give each its own',
    )


def test_default_approvals_need_the_default_role() -> None:
    document = valid_document()
    document["roles"] = {"team": {"may": ["read", "promote", "cleanup"]}}
    document["schedule"][0]["roles"] = ["team"]
    for person in document["person"]:
        person["roles"] = ["team"]
    problems = problems_of(document)
    kinds = [
        kind for kind in DECLARED.spec.kinds if not kind.by_oneself
    ]  # those are confirmed without a role
    without = {
        "credential-rotate",
        "credential-remove",
    }  # there is no credential, so nobody could ask for any
    asked = [f"policy.{kind.name}" for kind in kinds if kind.approvals and kind.name not in without]
    assert [problem.split(":")[0] for problem in problems] == asked
    assert "write [policy.promote] with role = one of team, or add [roles.releng]" in problems[0]


def test_every_kind_of_operation_has_a_policy_by_default() -> None:
    settings = settings_of(valid_document())
    assert {kind: policy.approvals for kind, policy in settings.policy.items()} == {
        **dict.fromkeys(("promote", "promote-override", "rollback", "revoke", "cleanup", "restore"), 1),
        **dict.fromkeys(("region-retry", "good", "bad", "hold", "unhold", "adopt"), 0),
        **dict.fromkeys(("launch", "test", "terminate", "expire", "remove-leftovers"), 0),
        **dict.fromkeys(("extend", "stop", "start", "handover", "instance-adopt"), 0),
        "sshkey-add": 1,
        "sshkey-remove": 0,
        "problem-ack": 0,
        "emergency-review": 0,
        **dict.fromkeys(("credential-snooze", "credential-done"), 0),
        **dict.fromkeys(("schedule-pause", "schedule-resume"), 0),
        **dict.fromkeys(("freeze", "unfreeze", "lock-release"), 0),
        **dict.fromkeys(("credential-rotate", "credential-remove"), 1),
    }
    confirmed = {"sshkey-add"}
    assert {policy.role for kind, policy in settings.policy.items() if kind not in confirmed} == {"releng"}
    for own in map(settings.policy.__getitem__, confirmed):
        assert (own.role, own.requester_may_approve) == ("", True)  # whoever may ask for it


def test_a_rotation_asks_those_who_decide_about_promotions_and_never_whoever_asked() -> None:
    document = put(valid_document(), "credentials.uploader", {"owner": "alice", "user": "uploader"})
    put(document, "credentials.uploader.deliver", ["file:/etc/uploader/keys"])
    usual = settings_of(document).policy["credential-rotate"]
    assert (usual.approvals, usual.role, usual.requester_may_approve) == (1, "releng", False)
    put(document, "policy.promote", {"approvals": 2, "role": "releng", "requester_may_approve": True})
    assert settings_of(document).policy["credential-rotate"].approvals == 2
    document = put(document, "roles", {"team": {"may": ["read", "credential.*"]}})
    assert any(problem.startswith("policy.credential-remove") for problem in problems_of(document))


def test_one_approver_is_enough_where_another_asks_or_the_requester_may_approve() -> None:
    document = valid_document()
    document["person"][1]["roles"] = ["admin"]
    assert settings_of(document)  # bob asks by right of "*", alice approves
    del document["person"][1]
    assert any("whoever may promote (alice) never finds" in problem for problem in problems_of(document))
    for kind in ("promote", "promote-override", "rollback", "cleanup"):
        put(document, f"policy.{kind}", {"role": "releng", "requester_may_approve": True})
    assert settings_of(document)


def test_a_room_behind_an_alias_is_not_doubted() -> None:
    document = put(valid_document(), "matrix.rooms", ["#releng:example.org"])
    assert settings_of(document).schedule[0].room == "matrix:!releng:example.org"


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost:8008", "[::1]:80", "x.localhost"])
def test_this_machine_may_be_spoken_to_without_encryption(host: str) -> None:
    assert settings_of(put(valid_document(), "aws.endpoint", f"http://{host}"))


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    for address in ("https://me:hunter2@example.org", "ftp://me:hunter2@example.org", "https://hunter2@["):
        (problem,) = problems_of(put(valid_document(), "azure.endpoint", address))
        assert problem == "azure.endpoint: there is a name or password in the address; take it out"


def test_a_key_in_an_address_is_not_repeated() -> None:
    (problem,) = problems_of(put(valid_document(), "azure.endpoint", "https://example.org?key=hunter2"))
    assert "hunter2" not in problem


def test_problems_are_rendered_with_their_number_one_a_line() -> None:
    text = render_problems(("zone: wrong\x1b[31m\n", "name: wrong"), "Nothing was started.")
    assert text.splitlines() == [
        "The configuration has 2 mistakes. Nothing was started.",
        "  ✘ zone: wrong\\x1b[31m\\x0a",
        "  ✘ name: wrong",
    ]
    assert "has 1 mistake." in render_problems(("zone: wrong",))
