"""A cloud of images that only a declaration tells of, beside Azure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Choice
from slipway.bot.cli.doctor import examine
from slipway.bot.clouds.model import ImageVersion, TargetRegion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.config.describe import describe
from slipway.bot.config.settings import SlipwaySettings
from tests.support.azure import CANDIDATE, X64
from tests.support.clock import DAY, NOW
from tests.support.configuration import declared_with, problems_of, put, settings_of, valid_document
from tests.support.harness import BotHarness, newest_operation, propose, running_bot
from tests.support.memory_chat import MemoryChat
from tests.toys.cloud import TOYCLOUD, WAREHOUSES, Shelves, ToyCloudSettings

DECLARED = declared_with(clouds=(TOYCLOUD,))

TOY = "Toy-Cloud-43-x64"
NEW, OLD = VersionNumber(43, 20261118, 0), VersionNumber(43, 20261101, 0)


def shelves(*definitions: str) -> Shelves:
    """Definitions with a promoted version and a newer candidate each."""
    return {
        definition: {
            number: ImageVersion(
                definition=definition,
                number=number,
                excluded=number == NEW,
                state=VersionState.SUCCEEDED,
                regions=(TargetRegion("attic"),),
                published_at=NOW - 2 * DAY,
                cloud="",
            )
            for number in (OLD, NEW)
        }
        for definition in definitions
    }


@pytest.fixture(autouse=True)
def warehouse(monkeypatch: pytest.MonkeyPatch) -> Shelves:
    """A warehouse with a definition of its own, and one of a name that Azure has, too."""
    held = shelves(TOY, X64)
    monkeypatch.setitem(WAREHOUSES, "toys.example.org", held)
    monkeypatch.setitem(WAREHOUSES, "spare.example.org", shelves("Spare-43-x64"))
    return held


@asynccontextmanager
async def bot_on_both(
    tmp_path: Path, *, chat: MemoryChat | None = None, **accounts: Any
) -> AsyncIterator[BotHarness]:
    """The bot, with a gallery in Azure and a warehouse."""
    changes = {"toycloud": {"address": "toys.example.org", **accounts}}
    async with running_bot(tmp_path, changes=changes, declarations=DECLARED, chat=chat) as bot:
        yield bot


async def test_images_shows_both_and_a_candidate_of_the_new_cloud_is_promoted(
    tmp_path: Path, warehouse: Shelves
) -> None:
    async with bot_on_both(tmp_path) as bot:
        (listed,) = await bot.say("carol", "!images")
        assert "9 image definitions" in listed.text
        for shown in (TOY, f"azure:{X64}", f"toycloud:{X64}", "Fedora-Cloud-43-Arm64"):
            assert shown in listed.text
        (one,) = await bot.say("carol", f"!images {TOY}")
        assert f"{TOY}: 2 versions, latest {OLD}" in one.text

        card, _ = await propose(bot, f"!promote {TOY}")
        assert f"promote {NEW} of {TOY}" in card.text
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert f"{NEW} of {TOY} is promoted." in report.text
        assert warehouse[TOY][NEW].excluded is False
        assert bot.azure.writes == []

        card, _ = await propose(bot, f"!rollback {TOY}")
        await bot.press("bob", Choice.APPROVE, card)
        (passed,) = await bot.say("alice", f"!promote {TOY}")
        assert f"{NEW} was rolled back (name it to promote it again)" in passed.text


async def test_a_name_that_both_have_means_both_and_with_its_cloud_one(
    tmp_path: Path, warehouse: Shelves
) -> None:
    async with bot_on_both(tmp_path) as bot:
        (answer,) = await bot.say("alice", f"!promote --dry-run {X64}")
        assert f"promote {CANDIDATE} of azure:{X64}" in answer.text
        assert f"promote {NEW} of toycloud:{X64}" in answer.text

        card, _ = await propose(bot, f"!promote toycloud:{X64}")
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert f"{NEW} of toycloud:{X64} is promoted." in report.text
        assert warehouse[X64][NEW].excluded is False
        assert bot.excluded(X64, CANDIDATE) is True

        bot.clock.advance(timedelta(minutes=1))
        card, _ = await propose(bot, f"!promote azure:{X64}")
        await bot.press("bob", Choice.APPROVE, card)
        assert bot.excluded(X64, CANDIDATE) is False


async def test_several_accounts_of_it_are_told_apart(tmp_path: Path) -> None:
    async with bot_on_both(tmp_path, spare={"address": "spare.example.org"}) as bot:
        assert list(bot.running.services.clouds.all(IMAGE_VERSIONS)) == [
            "azure",
            "toycloud",
            "toycloud.spare",
        ]
        card, _ = await propose(bot, "!promote Spare-43-x64")
        await bot.press("bob", Choice.APPROVE, card)
        assert WAREHOUSES["spare.example.org"]["Spare-43-x64"][NEW].excluded is False
        (status,) = await bot.say("carol", "!status")
        assert "warehouse toys.example.org, toycloud.spare warehouse spare.example.org" in status.text


async def test_one_that_does_not_answer_is_told_and_nothing_is_planned_on_half_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bot_on_both(tmp_path) as bot:
        monkeypatch.delitem(WAREHOUSES, "toys.example.org")
        (answer,) = await bot.say("alice", "!cleanup")
        assert "Toycloud (toycloud) does not answer at toys.example.org." in answer.text
        assert "Whose move: whoever runs Slipway." in answer.text
        assert await bot.running.operations.recent(1) == ()


async def test_an_operation_in_a_cloud_that_left_the_configuration_ends_and_says_so(tmp_path: Path) -> None:
    chat = MemoryChat()
    async with bot_on_both(tmp_path, chat=chat) as bot:
        card, name = await propose(bot, f"!promote {TOY}")
    async with running_bot(tmp_path, declarations=DECLARED, chat=chat) as bot:
        await bot.say("bob", f"!approve {name}")
        assert "stale" in card.text
        why = "There is no image gallery toycloud: slipway.toml has no [toycloud] table for one."
        assert why in chat.report_of(card).text
    async with running_bot(tmp_path, chat=chat) as bot:  # a version that never knew such a cloud
        assert (await newest_operation(bot)).plan.unknown == ""
        (shown,) = await bot.say("carol", f"!op {name}")
        assert f"promote {NEW} of {TOY}" in shown.text


class TestConfiguration:
    def document(self, key: str = "toycloud.address", value: object = "toys.example.org") -> dict[str, Any]:
        return put(put(valid_document(), "toycloud", {"address": "toys.example.org"}), key, value)

    def settings(self, environ: dict[str, str] | None = None) -> SlipwaySettings:
        secrets = {"SLIPWAY_MATRIX_PASSWORD": "x", **(environ or {})}
        return settings_of(self.document(), secrets, declarations=DECLARED)

    def test_check_shows_it(self) -> None:
        lines = describe(self.settings(), DECLARED.spec)
        (clouds,) = [line for line in lines if line.startswith("clouds: ")]
        assert clouds.endswith("; toycloud warehouse at toys.example.org")

    @pytest.mark.parametrize("variable", ["SLIPWAY_TOYCLOUD_TOKEN", "TOYS_TOKEN"])
    def test_its_secret_comes_from_the_environment(self, variable: str) -> None:
        settings = self.settings({variable: "hush"})
        token = settings.named(TOYCLOUD.table)["toycloud"].token
        assert token is not None
        assert token.get_secret_value() == "hush"
        assert (
            f"toycloud.token from the environment variable {variable}"
            in describe(settings, DECLARED.spec)[-1]
        )

    @pytest.mark.parametrize(
        ("key", "value", "told"),
        [
            (
                "toycloud.address",
                "a/b",
                'toycloud.address: "a/b" is a path; write a name like toys.example.org',
            ),
            (
                "toycloud.spare",
                {"address": "a/b"},
                'toycloud.spare.address: "a/b" is a path; write a name like toys.example.org',
            ),
            (
                "toycloud.adress",
                "a",
                'toycloud.adress: there is no such key; did you mean "address"? Keys here: address, token_file',
            ),
            (
                "toycloud.token",
                "hush",
                (
                    "toycloud.token: a secret does not belong into this file; put it into a file of its own "
                    "and name that with token_file, or into the environment variable "
                    "SLIPWAY_TOYCLOUD_TOKEN"
                ),
            ),
        ],
    )
    def test_a_mistake_is_one_sentence(self, key: str, value: object, told: str) -> None:
        assert problems_of(self.document(key, value), declarations=DECLARED) == (told,)

    def test_it_is_enough_to_work_in(self) -> None:
        document = self.document()
        del document["azure"], document["aws"], document["profiles"]
        settings = settings_of(document, declarations=DECLARED)
        assert settings.schedule[0].command == "cleanup"
        del document["toycloud"]
        told = problems_of(document, declarations=DECLARED)
        assert told == (
            (
                "aws: is missing, and so are azure and toycloud: there is no cloud to work in; "
                "add [aws], [azure] or [toycloud]"
            ),
            (
                "schedule.weekly-cleanup.command: cleanup works in azure, toycloud or family, and there "
                "is no [azure], [toycloud] or [family]; add one"
            ),
        )

    async def test_doctor_tries_each_account(self) -> None:
        document = self.document("toycloud.spare", {"address": "nowhere.example.org"})
        del document["azure"], document["aws"], document["profiles"], document["matrix"]
        document |= {"console": {"enabled": True, "speaker": "alice"}, "schedule": []}
        for person in document["person"]:
            person["identities"] = [f"{CONSOLE}:{person['id']}"]
        found = await examine(settings_of(document, declarations=DECLARED), DECLARED)
        assert [(each.what, each.detail) for each in found] == [
            ("toycloud", "2 image definitions in the warehouse"),
            ("toycloud.spare", "does not work"),
        ]
        assert found[1].problems == ("Toycloud (toycloud.spare) does not answer at nowhere.example.org.",)


class Forms(ToyCloudSettings):
    """Settings of a cloud, of which one may have several forms."""

    shelf: Literal["top", "bottom"] | tuple[str, ...] = "top"


@pytest.mark.parametrize("value", [5, {"a": [1, 2]}, "middle", [1, 2], ["a", 1]])
def test_a_setting_of_several_forms_that_has_none_of_them_is_told_once(value: object) -> None:
    declarations = declared_with(clouds=(replace(TOYCLOUD, settings=Forms),))
    document = valid_document() | {"toycloud": {"address": "toys.example.org", "shelf": value}}
    (problem,) = {found.partition(":")[0] for found in problems_of(document, declarations=declarations)}
    assert problem == "toycloud.shelf"
