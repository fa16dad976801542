"""`[credentials]` and `[expiry]`: what is said of mistakes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.subjects.credentials.settings import CREDENTIALS, EXPIRY, SourceKind
from tests.support.configuration import DECLARED, problems_of, put, settings_of, valid_document

CLIENT = "22222222-2222-2222-2222-222222222222"


def document(**entry: object) -> dict[str, Any]:
    return put(valid_document(), "credentials.uploader", {"owner": "alice", **entry})


@pytest.mark.parametrize(
    ("entry", "source"),
    [
        ({"application": CLIENT}, SourceKind.APPLICATION),
        ({"application": "fedora-*", "cloud": "azure"}, SourceKind.APPLICATION),
        ({"user": "uploader", "max_age": "30d"}, SourceKind.USER),
        ({"endpoint": "example.org:443"}, SourceKind.ENDPOINT),
        ({"endpoint": "[::1]:443"}, SourceKind.ENDPOINT),
        ({"certificate": "/etc/pki/web.pem"}, SourceKind.CERTIFICATE),
        ({"chat": "slack", "remind": ["33%", "1d"]}, SourceKind.CHAT),
        ({"expires": date(2027, 1, 1)}, SourceKind.DATE),
        ({"made": date(2026, 1, 1), "max_age": "365d", "owner": "releng"}, SourceKind.AGE),
    ],
)
def test_each_source_is_understood_and_shown_by_check(entry: dict[str, object], source: SourceKind) -> None:
    settings = settings_of(document(**entry))
    assert settings.named(CREDENTIALS)["uploader"].source is source
    subject = next(each for each in DECLARED.registry.subjects if each.name == "credentials")
    (line,) = subject.summary(settings)
    assert f"1 by {source}" in line
    assert "every 6h" in line
    assert "30d, 14d, 7d, 3d, 1d" in line


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "nothing says where it is found"),
        ({"application": CLIENT, "user": "x"}, "one place only"),
        ({"application": "uploader"}, "is a name, and others may have it"),
        ({"endpoint": "example.org"}, "is no address"),
        ({"endpoint": "example.org:99999"}, "is no address"),
        ({"endpoint": "example.org:443", "cloud": "aws"}, "is in no cloud"),
        ({"expires": date(2027, 1, 1), "max_age": "1d"}, "has an end of its own"),
        ({"made": date(2027, 1, 1)}, "max_age: missing"),
        ({"expires": date(1, 1, 1)}, "0001-01-01 is no day that anybody means"),
        ({"application": CLIENT, "cloud": "azure.other"}, "there is no [azure.other]"),
        ({"application": CLIENT, "deliver": ["secretsmanager@aws.other:x"]}, "there is no [aws.other]"),
        ({"application": CLIENT, "deliver": ["vault:x"]}, "is named by its address without a version"),
        ({"application": CLIENT, "remind": ["soon"]}, "neither a time like 14d nor a share"),
        ({"application": CLIENT, "remind": "30d"}, "how long before its end"),
        ({"application": CLIENT, "owner": "alicia"}, 'no person or role "alicia"; did you mean "alice"?'),
    ],
)
def test_each_mistake_is_told_by_its_key(entry: dict[str, object], said: str) -> None:
    (problem,) = problems_of(document(**entry))
    assert problem.startswith("credentials.uploader")
    assert said in problem


def test_a_look_is_neither_seldom_nor_all_the_time() -> None:
    for odd in ("1m", "2d"):
        (problem,) = problems_of(put(valid_document(), "expiry.every", odd))
        assert "from 5m to 1d" in problem
    assert settings_of(valid_document()).table(EXPIRY).key_age.days == 90


async def test_doctor_names_what_cannot_be_read_and_leaves_tokens_of_chats_to_their_own_probes() -> None:
    subject = next(each for each in DECLARED.registry.subjects if each.name == "credentials")
    (probe,) = subject.probes
    assert not probe.wanted(settings_of(valid_document()))
    wrong = put(
        document(certificate="/nowhere/web.pem"), "credentials.token", {"owner": "alice", "chat": "matrix"}
    )
    places = ["file:/nowhere/secret", "command:/nowhere/push", "secretsmanager:x"]
    rotated = {"owner": "alice", "application": CLIENT, "deliver": places}
    wrong = put(wrong, "credentials.rotated", rotated)
    settings = settings_of(put(wrong, "credentials.date", {"owner": "alice", "expires": date(2027, 1, 1)}))
    assert probe.wanted(settings)
    found = await probe.look(settings, Clouds())
    unread, in_no_cloud, *refused = found.problems
    assert unread == "uploader: Its file cannot be read: No such file or directory."
    assert in_no_cloud.startswith("rotated: ")
    no_program = "there is no such program, or it cannot be run"
    assert refused == [
        "rotated: No secret can be kept there: slipway.toml has no table [aws] that keeps secrets.",
        "rotated: The new secret could not be put into the file secret: no such file or directory.",
        f"rotated: The new secret could not be put into the command push: {no_program}.",
    ]
    assert found.detail == "1 found"
    assert "docs/credentials.md" in found.next
