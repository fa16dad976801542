"""Ids by which everybody may launch a version of a community gallery: on its card, and for programs."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from slipway.bot.clouds.azure.declaration import CLOUD
from slipway.bot.clouds.azure.settings import AzureSettings
from tests.support.azure import LATEST, X64
from tests.support.harness import running_bot

NAMES = ["Fedora-5e266ba4-2250-406d-adad-5d73860d958f", "Fedora-Cloud-1"]
IDS = [f"/CommunityGalleries/{name}/Images/{X64}/Versions/{LATEST}" for name in NAMES]


async def test_all_of_them_are_shown_and_published(tmp_path: Path) -> None:
    file = tmp_path / "images.json"
    changes = {"azure": {"public_names": NAMES}, "publishing": {"file": str(file)}}
    async with running_bot(tmp_path / "state", changes=changes) as bot:
        (shown,) = await bot.say("carol", f"!images {X64}/{LATEST}")
        assert all(each in shown.text for each in IDS)
        bot.clock.advance(timedelta(minutes=1))
        await bot.running.upkeep.sweep()
        await bot.running.idle()
    held = json.loads(file.read_text())["streams"][X64]["architectures"]["x86_64"]["images"]["azure"]
    latest = [each for each in held["regions"].values() if each["release"] == LATEST]
    assert latest
    assert all(each["public"] == IDS for each in latest)


def test_what_is_no_public_name_is_told() -> None:
    settings = AzureSettings(
        subscription_id="s", resource_group="g", gallery="G", public_names=("a/b", "Fedora-1")
    )
    (problem,) = CLOUD.check(settings, True)
    assert problem.key == "public_names"
    assert "a/b" in problem.said
