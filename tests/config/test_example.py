"""The example that people copy, and the demo's configuration, are right and complete."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from slipway.bot.chat.console.declaration import CHAT as CONSOLE
from slipway.bot.cli.demo_settings import demo_settings
from slipway.bot.clouds.aws.declaration import CLOUD as AWS
from slipway.bot.clouds.simulated.applications import demo_applications
from slipway.bot.config.describe import describe
from slipway.bot.config.load import load
from slipway.bot.config.schema import Schema
from slipway.bot.config.settings import Missed, SlipwaySettings
from slipway.bot.config.tables import table_in
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.patterns import fits
from slipway.bot.core.settings import Settings
from slipway.bot.people import People
from slipway.bot.subjects.credentials.settings import CREDENTIALS
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.machines.subject import PROFILES
from slipway.commands.scheduled import schedule_problems
from tests.support.clock import DAY, NOW
from tests.support.configuration import DECLARED, settings_of, valid_document
from tests.support.directory import graph_date

EXAMPLE = Path(__file__).parents[2] / "slipway.example.toml"


def _example() -> SlipwaySettings:
    return load(EXAMPLE, {"SLIPWAY_MATRIX_PASSWORD": "x"}, spec=DECLARED.spec)


def test_the_example_is_right() -> None:
    settings = _example()
    assert [person.id for person in settings.person] == ["alice", "bob"]
    overdue = next(entry for entry in settings.schedule if entry.command == "terminate --overdue")
    assert overdue.quiet
    assert overdue.missed is Missed.SKIP


def test_the_report_that_the_example_shows_as_a_comment_is_a_schedule_that_can_be_said() -> None:
    text = EXAMPLE.read_text("utf-8")
    shown = "\n".join(line[4:] for line in text.splitlines() if line.startswith("#   "))
    document = {**tomllib.loads(text), "state_dir": "/var/lib/slipway"}
    document["schedule"] = tomllib.loads(shown)["schedule"]
    settings = settings_of(document, {"SLIPWAY_MATRIX_PASSWORD": "x"})
    assert [each.command for each in settings.schedule] == ["instances --report"]
    assert schedule_problems(settings, DECLARED.commands) == ()
    schedule = People(settings).schedule("machines-report")
    assert People(settings).may(schedule, "instances", changes=False)


def _fields(table: type[Settings], above: str = "") -> Iterator[tuple[str, str]]:
    for name, field in table.model_fields.items():
        inner = table_in(field)
        if inner is not None:
            yield from _fields(inner, above or name)
        else:
            yield above, name


def test_the_example_names_every_setting_in_its_own_table() -> None:
    """A commented key counts: it shows what could be written."""
    spoken: set[tuple[str, str]] = set()
    table = ""
    for line in EXAMPLE.read_text().splitlines():
        if head := re.match(r"(?:# )?\[+(\w+)[\w.-]*(?:\"[^\"]+\")?\]+$", line):
            table = head[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            spoken.add((table, key[1]))
    secrets = {
        (each.table[0], each.name) for each in Schema(DECLARED.spec).secrets({"person": [{"id": "alice"}]})
    }
    wanted = {
        (table, f"{name}_file") if (table, name) in secrets else (table, name)
        for table, name in _fields(Schema(DECLARED.spec).root)
    }
    assert wanted - spoken == set(), "not in slipway.example.toml"
    assert spoken - wanted == set(), "in slipway.example.toml, and no setting"


def test_the_example_shows_the_defaults_of_policies_retention_and_commands() -> None:
    document = tomllib.loads(EXAMPLE.read_text())
    assert set(document["policy"]) == {kind.name for kind in DECLARED.spec.kinds}
    assert RetentionSettings(**document["retention"]) == RetentionSettings()
    written = {*document["retention"], "announce"}  # which has none where nothing is announced
    assert written == RetentionSettings.model_fields.keys()
    assert document["commands"]["prefix"] == SlipwaySettings().commands.prefix


def test_a_good_configuration_is_described() -> None:
    lines = describe(_example(), DECLARED.spec)
    assert "people: 2 persons (alice, bob), 5 roles (releng, admin, publisher, tester, janitor)" in lines
    assert any("matrix as @slipway:example.org" in line for line in lines)
    assert any("aws eu-west-1; azure gallery Fedora in fedora-cloud" in line for line in lines)
    assert "promote 1 by releng; rollback 1 by releng, the requester too" in "\n".join(lines)
    assert lines[-1] == "secrets: matrix.password from the environment variable SLIPWAY_MATRIX_PASSWORD"


def test_a_description_says_what_is_switched_off_and_asked_of_schedules() -> None:
    document = valid_document()
    document["schedule"][0]["enabled"] = False
    document["policy"] = {"promote": {"role": "releng", "approvals_scheduled": 0}}
    document["profiles"] = {}
    lines = describe(settings_of(document), DECLARED.spec)
    assert any(line.endswith("(switched off)") for line in lines)
    assert any("promote 1 by releng, none when scheduled" in line for line in lines)
    assert "profiles: none" in lines


class TestDemo:
    def settings(
        self,
        speaker: str = "alice",
        aws: str | None = "http://127.0.0.1:5000",
        signing_ends: date | None = None,
    ) -> SlipwaySettings:
        return demo_settings(
            signing_ends=signing_ends,
            state_dir=Path("/tmp/demo"),  # noqa: S108 - nothing is written there
            aws_endpoint=aws,
            azure_endpoint="http://127.0.0.1:5001",
            spec=DECLARED.spec,
            speaker=speaker,
        )

    def test_its_people_can_do_the_tour(self) -> None:
        settings = self.settings("bob")
        people = People(settings)
        assert settings.table(CONSOLE.table).speaker == "bob"
        assert [person.id for person in people.role_holders("releng")] == ["alice", "bob"]
        assert not people.may(people.by_id("carol"), "promote", changes=True)
        assert people.may(people.by_id("carol"), "images", changes=False)
        assert {profile.template for profile in settings.named(PROFILES).values()} == {
            "slipway-small",
            "slipway-arm",
        }
        assert not settings.policy["promote"].requester_may_approve

    def test_it_works_without_a_simulated_aws(self) -> None:
        settings = self.settings(aws=None)
        assert not settings.named(AWS.table)
        assert settings.named(PROFILES) == {}

    def test_its_credentials_are_in_its_directory_and_remind_of_nothing_yet(self) -> None:
        entries = self.settings(signing_ends=NOW.date()).named(CREDENTIALS)
        applications = demo_applications(NOW)
        assert entries["uploader"].deliver == ("file:/tmp/demo/uploader-secret",)
        assert applications[0].client_id == entries["uploader"].application
        assert fits(applications[1].name, entries["tests"].application)
        soon = graph_date(NOW + 30 * DAY)
        assert all(any(str(each.ends) > soon for each in app.secrets) for app in applications)
        assert self.settings().named(CREDENTIALS) == {}

    def test_nobody_else_can_speak(self) -> None:
        with pytest.raises(ConfigError, match=r"console.speaker: nobody has the identity"):
            self.settings("mallory")


def test_every_setting_that_can_be_missing_or_misspelt_says_how_it_is_written() -> None:
    def silent(table: type[Settings]) -> Iterator[str]:
        for name, field in table.model_fields.items():
            if inner := table_in(field):
                yield from silent(inner)
            elif not field.description and (field.is_required() or "pattern" in repr(field.metadata)):
                yield f"{table.__name__}.{name}"

    assert list(silent(Schema(DECLARED.spec).root)) == []
    assert not any(field.is_required() for field in SlipwaySettings.model_fields.values())
