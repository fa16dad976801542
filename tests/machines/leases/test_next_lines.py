"""What answers about machines and keys say to type next: lines that can be pasted, and that work."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from tests.support.aws import IMAGE, unique_name
from tests.support.harness import BotHarness, running_bot
from tests.support.leases import launched
from tests.support.pauses import no_pauses
from tests.support.ssh_keys import ed25519

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_images_that_may_be_meant_are_whole_lines(bot: BotHarness) -> None:
    (several,) = await bot.say("alice", "!launch *x86_64-43* --for 1h")
    assert f"Did you mean `!launch {IMAGE} --for 1h`" in several.text
    assert "Next: `!images '*x86_64-43*' --cloud aws`" in several.card.notes
    (misspelt,) = await bot.say("alice", f"!launch {IMAGE[:-4]}9.0 --count 2")
    assert f"`!launch {IMAGE} --count 2`" in misspelt.text


@pytest.mark.parametrize("named", ["nope", "ami-00000000000000000"])
async def test_where_no_image_fits_the_list_of_them_is_named(bot: BotHarness, named: str) -> None:
    (none,) = await bot.say("alice", f"!launch {named}")
    assert "Next: `!images --cloud aws`" in none.card.notes
    (listed,) = await bot.say("alice", "!images --cloud aws")
    assert IMAGE in listed.text


async def test_a_version_of_a_gallery_is_called_so_where_nothing_is_launched_from_one(
    bot: BotHarness,
) -> None:
    (refused,) = await bot.say("alice", "!launch Fedora-Cloud-43-x64/43.20261121.0")
    assert "is written like a version in a gallery" in refused.text
    assert "Did you mean" not in refused.text
    assert "Next: `!images --cloud aws`" in refused.card.notes


async def test_the_help_of_a_launch_tells_of_patterns_and_of_the_list(bot: BotHarness) -> None:
    (told,) = await bot.say("alice", "!help launch")
    (_, meaning) = told.card.tables[0].rows[0]
    assert "pattern" in meaning
    assert "`images --cloud NAME`" in meaning


async def test_adding_keys_names_lines_that_work_and_for_whom(aws: SimulatedAws, tmp_path: Path) -> None:
    people = [
        {
            "id": name,
            "name": name.title(),
            "identities": [f"console:{name}"],
            "roles": ["releng"],
            "keys": keys,
        }
        for name, keys in (("alice", ["github:alice"]), ("bob", []))
    ]
    changes = {"name": unique_name("slipway"), "person": people}
    async with running_bot(tmp_path, aws=aws, changes=changes, sleep=no_pauses) as bot:
        (listed,) = await bot.say("alice", "!sshkeys")
        assert "Add those of github:alice: `!sshkey add`" in listed.card.notes
        (refused,) = await bot.say("alice", "!sshkey add alice")
        assert "Did you mean `!sshkey add github:alice`?" in refused.text
        (refused,) = await bot.say("bob", "!sshkey add alice")
        assert "Did you mean `!sshkey add github:alice` or `!sshkey add gitlab:alice`?" in refused.text
        (kind,) = await bot.say("alice", "!sshkey add ssh-rsa")
        assert "lacks what stands behind its type" in kind.text
        (card,) = await bot.say("alice", f"!sshkey add {ed25519(1)}")
        facts = {each.label: each.value for each in card.card.fields}
        assert facts["For"] == "alice"
        assert facts["Needs"].startswith("1 approval by one of: Alice, Bob")


async def test_a_launch_without_a_key_names_the_command_as_it_is_typed(bot: BotHarness) -> None:
    (planned,) = await bot.say("alice", f"!launch {IMAGE} --dry-run")
    assert "`!sshkey add` adds one." in planned.text


async def test_what_may_be_meant_by_stop_and_terminate_is_named(bot: BotHarness) -> None:
    (stop,) = await bot.say("alice", "!stop")
    assert "Say which machine to stop. Something else: `!cancel` stops an operation" in stop.text
    assert "Next: `!instances`" in stop.card.notes
    (end,) = await bot.say("alice", "!terminate")
    assert "neither an id, nor `--overdue`, nor `--leftovers`" in end.text


async def test_machines_are_shown_with_the_names_of_their_images(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    (listed,) = await bot.say("alice", "!instances")
    assert IMAGE in listed.text
    assert str(listed.card.tables[0].values[0]["image"]).startswith("ami-")
    (shown,) = await bot.say("alice", f"!instance show {machine}")
    (image,) = [each.value for each in shown.card.fields if each.label == "Image"]
    assert image.startswith(f"{IMAGE} (ami-")


async def test_rights_are_called_as_the_configuration_has_them(bot: BotHarness) -> None:
    (told,) = await bot.say("alice", "!help")
    assert "`instance.adopt`, `sshkey.add`, `sshkey.remove`" in told.card.notes[-1]
    assert "`instance adopt`" not in told.card.notes[-1]
