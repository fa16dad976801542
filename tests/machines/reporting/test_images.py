"""What can be launched in an account, as `!images --cloud` tells it."""

from __future__ import annotations

import pytest

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.commands.images import launchable
from tests.machines.reporting.conftest import CLOUDY, Started
from tests.support.aws import unique_name
from tests.support.harness import BotHarness
from tests.support.memory_chat import PostedMessage

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = "Fedora-Cloud-Base-AmazonEC2"


async def answered(bot: BotHarness, line: str, who: str = "alice") -> PostedMessage:
    (shown,) = await bot.say(who, line)
    return shown


def rows(shown: PostedMessage) -> list[tuple[str, ...]]:
    return [row for table in shown.card.tables for row in table.rows]


async def test_images_of_each_cloud_are_listed_newest_first_with_what_they_are_for(
    started: Started, aws: SimulatedAws
) -> None:
    async with started({"name": unique_name("slipway"), "profiles": {"cloudy": CLOUDY}}) as bot:
        shown = await answered(bot, "!images --cloud AWS")
        found = rows(shown)
        assert found[0] == (f"{BASE}.aarch64-Rawhide-20261119.0", "arm64", "1d", "from 2028-11-18")
        assert shown.card.title == f"{len(found)} images to launch in aws, us-east-1"
        dates = [str(row["created_at"]) for row in shown.card.tables[0].values]
        assert dates == sorted(dates, reverse=True)
        ended = [row for row in found if "-41-" in row[0]]
        assert ended
        assert all(row[3].startswith("⚠ since 2026-") for row in ended)
        assert [row["deprecated"] for row in shown.card.tables[0].values] == ["⚠" in row[3] for row in found]
        assert f"Launch the newest: `!launch {found[0][0]}`" in shown.card.notes

        few = await answered(bot, "!images x86_64-43 --cloud aws", "carol")
        assert [row[0] for row in rows(few)] == [
            f"{BASE}.x86_64-43-{date}.0" for date in ("20261117", "20261110", "20261103")
        ]
        assert few.card.notes == (), "carol may launch nothing"

        gallery = await answered(bot, "!images --cloud azure")
        assert gallery.card.title.endswith(" to launch in azure, eastus")
        latest = {row[0]: row[1] for row in rows(gallery)}
        assert latest["Fedora-Cloud-43-x64/43.20261111.0"] == "x64"
        assert all("/" in name for name in latest), "which version it is"
        west = await answered(bot, "!images Fedora-Cloud-43-x64 --cloud azure --region westeurope")
        assert west.card.title == "1 image to launch in azure, westeurope"


async def test_what_cannot_be_launched_is_named_with_the_reason_and_not_offered(
    started: Started, aws: SimulatedAws
) -> None:
    async with started({"name": unique_name("slipway"), "profiles": {"cloudy": CLOUDY}}) as bot:
        for record in bot.azure.state.versions["fedora-cloud-43-x64"].values():
            publishing = record.document["properties"]["publishingProfile"]
            for flagged in (publishing, *publishing["targetRegions"]):
                flagged["excludeFromLatest"] = True
        shown = await answered(bot, "!images Fedora-Cloud-43-x64 --cloud azure")
        assert shown.card.title == "No image can be launched in azure, eastus"
        assert "cannot be launched: it is not promoted in eastus" in shown.card.notes[0]


async def test_of_many_images_the_newest_are_shown_and_how_others_are_found(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launchable, "_SHOWN", 5)
    async with started({"name": unique_name("slipway")}) as bot:
        shown = await answered(bot, "!images --cloud aws")
        assert len(rows(shown)) == 5
        assert shown.card.title == "18 images to launch in aws, us-east-1"
        assert any("`!images PATTERN --cloud aws`" in note for note in shown.card.notes)


MISTYPED = {
    "!images --cloud asw": ("No account is called asw; configured: aws, azure.", "`!images --cloud aws`"),
    f"!images {BASE}.x86_64-43-20261112.0 --cloud aws": (
        "No image in aws, us-east-1 is called",
        "`!images Fedora-Cloud-",
    ),
    "!images Fedora-Cloud-43-x64 --cloud aws": (
        "No image in aws, us-east-1 is called Fedora-Cloud-43-x64; a definition in azure is.",
        "`!images azure:Fedora-Cloud-43-x64`",
    ),
    "!images --cloud azure --region westeuropa": (
        "is configured for eastus and westeurope",
        "`!images --cloud azure --region westeurope`",
    ),
    "!images --region eastus": ("`--region` is a region of an account", "`!help images`"),
}
"""Lines, what is said of them, and what stands on a note."""


async def test_what_is_mistyped_is_answered_with_what_may_have_been_meant(started: Started) -> None:
    async with started({"name": unique_name("slipway")}) as bot:
        for line, (sentence, meant) in MISTYPED.items():
            shown = await answered(bot, line)
            assert sentence in shown.text
            assert any(meant in note for note in shown.card.notes), shown.card.notes
