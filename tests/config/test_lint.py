"""What is allowed in slipway.toml and hardly meant is told by `slipway check`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.matrix.account.account_store import AccountStore, Login
from slipway.bot.config.lint import warnings
from slipway.bot.subjects.images.cleaning_up.declared import RETENTION
from tests.support.configuration import DECLARED, SECRETS, put, settings_of, valid_document

ID = "8f1e2d3c-6b5a-4978-8695-a4b3c2d1e0f9"
TOKENS = {"SLIPWAY_SLACK_BOT_TOKEN": "xoxb-1", "SLIPWAY_SLACK_APP_TOKEN": "xapp-1"}


def finished() -> dict[str, Any]:
    """A configuration in which nothing looks unfinished."""
    document = valid_document()
    document["azure"]["subscription_id"] = ID
    text = repr(document).replace("example.org", "fedora.im")
    found: dict[str, Any] = eval(text)  # noqa: S307 - what repr wrote a line above
    return found


def told(document: dict[str, Any], environ: dict[str, str] = SECRETS) -> list[str]:
    return [str(each) for each in warnings(settings_of(document, environ), document, DECLARED.spec)]


def test_an_emergency_that_nobody_else_could_review_is_told() -> None:
    document = put(finished(), "emergency", {"people": ["alice"], "kinds": ["promote"]})
    document["person"][0]["roles"] = ["releng", "admin"]
    assert [each for each in told(document) if "emergency" in each] == [
        "emergency.people: nobody else could review what alice let run; give somebody else the right emergency.review"
    ]
    document["person"][1]["roles"] = ["releng", "admin"]
    assert not [each for each in told(document) if "emergency" in each]


def test_nothing_is_told_of_a_configuration_of_ones_own() -> None:
    document = finished()
    document["person"][0]["name"] = "Example Person"
    document["profiles"]["small"]["description"] = "as on www.example.org"
    put(document, "matrix.homeserver", "https://examples.org")
    put(
        document,
        "azure.staging",
        document["azure"] | {"tenant_id": "fedora.onmicrosoft.com", "gallery": "example"},
    )
    environ = SECRETS | {"SLIPWAY_AZURE_STAGING_CLIENT_SECRET": "x"}
    put(document, "azure.staging.client_id", ID)
    put(document, "aws.owners", ["125523088429", "self"])
    for region in ("us-gov-east-1", "ap-southeast-5", "cn-north-1", "eusc-de-east-1"):
        assert told(put(document, "aws.region", region), environ) == []


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "matrix.homeserver",
            "https://matrix.example.org",
            'matrix.homeserver: "matrix.example.org" stands for an',
        ),
        (
            "matrix.homeserver",
            "https://matrix.Example.COM",
            'matrix.homeserver: "matrix.Example.COM" stands for an',
        ),
        (
            "matrix.homeserver",
            "https://matrix.example",
            'matrix.homeserver: "matrix.example" stands for an example',
        ),
        ("azure.subscription_id", "0" * 8 + "-0000-0000-0000-" + "0" * 12, "azure.subscription_id: "),
        ("azure.subscription_id", ID[:-1], "cannot be Azure's id; write it with 32 digits and letters"),
        ("azure.client_id", "fedora", 'azure.client_id: "fedora" cannot be Azure\'s id'),
        ("azure.tenant_id", "fedora", 'azure.tenant_id: "fedora" cannot be Azure\'s id'),
        ("azure.resource_group", "fedora cloud", 'azure.resource_group: "fedora cloud" cannot be a resource'),
        ("azure.gallery", "Fedora-Cloud", 'azure.gallery: "Fedora-Cloud" cannot be a gallery'),
        ("aws.region", "eu-west", 'aws.region: "eu-west" cannot be a region; write it like eu-west-1'),
        ("aws.region", "eu-west-1a", 'aws.region: "eu-west-1a" cannot be a region'),
        (
            "aws.owners",
            ["12552308842"],
            'aws.owners: "12552308842" cannot be an owner: that is an account of 12',
        ),
        ("aws.owners", ["123456789012"], 'aws.owners: "123456789012" stands for an example'),
        (
            "person.1.identities",
            ["matrix:@bob:example.net"],
            'person.bob.identities #1: "example.net" stands for',
        ),
        ("slack", {"channels": ["C0123456789"]}, 'slack.channels #1: "C0123456789" stands for an example'),
    ],
)
def test_what_looks_unfinished_is_told_by_its_key_and_alone(key: str, value: object, line: str) -> None:
    found = told(put(finished(), key, value), SECRETS | TOKENS)
    assert [line in each for each in found] == [True], found


def test_a_key_by_its_former_name_counts_and_is_told() -> None:
    document = put(finished(), "retention.approval_share", 0.2)
    assert settings_of(document).table(RETENTION).max_share == 0.2
    assert told(document) == [
        "retention.approval_share: this is called max_share by now; it counts under its former name, too, for now"
    ]
    assert told(put(finished(), "retention.max_share", 0.2)) == []
    document = finished()
    document["schedule"][0]["missed_within"] = "1d"
    assert settings_of(document).schedule[0].max_late == timedelta(days=1)
    (said,) = told(document)
    assert said.startswith("schedule.weekly-cleanup.missed_within: this is called max_late by now")


def test_a_space_at_an_end_of_a_password_is_told() -> None:
    for word in ("correct horse ", " correct horse"):
        (said,) = told(finished(), {"SLIPWAY_MATRIX_PASSWORD": word})
        assert said == "matrix.password: begins or ends with a space; if it should not, take that away"
    assert told(finished(), {"SLIPWAY_MATRIX_PASSWORD": "correct horse\n"}) == []


def test_no_way_to_log_in_is_told_until_there_is_one(tmp_path: Path) -> None:
    document = put(finished(), "state_dir", str(tmp_path))
    (said,) = told(document, {})
    assert said.startswith(
        "matrix: there is no way to log in: no password, no access token, and no login of @slipway:"
    )
    assert "`slipway matrix login`" in said
    store = AccountStore.in_state_dir(tmp_path)
    store.prepare()
    matrix = document["matrix"]
    store.save_login(Login(matrix["homeserver"], "@somebody:fedora.im", "D", "t"))
    assert told(document, {}) == [said]
    store.save_login(Login(matrix["homeserver"], matrix["user_id"], "D", "t"))
    assert told(document, {}) == []
    (tmp_path / "matrix" / "login.json").write_text("{")
    assert "is damaged" in told(document, {})[0]
    assert told(document, {"SLIPWAY_MATRIX_ACCESS_TOKEN": "x"}) == []


def test_approvals_that_ask_nobody_else_are_told_where_there_is_somebody_else() -> None:
    document = finished()
    for kind in DECLARED.spec.kinds:
        if kind.approvals and not kind.by_oneself:
            own = {"approvals": 1, "role": "releng", "requester_may_approve": True}
            put(document, f"policy.{kind.name}", own)
    (said,) = told(document)
    assert (
        "whoever asks may approve it alone, in everything that takes an approval (cleanup, credential" in said
    )
    assert "though there are 2 persons" in said
    assert told(put(document, "policy.promote.requester_may_approve", False)) == []
