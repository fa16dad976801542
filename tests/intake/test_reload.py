"""`slipway reload` of a running bot: what it takes in, what it names, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.cli.operating.reload import _ask
from slipway.bot.config.differences import differences, merged
from slipway.bot.config.settings import ScheduleSettings, SlipwaySettings
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.totp import new_secret
from slipway.bot.intake.control import SOCKET
from tests.support.azure import X64, simulated_gallery
from tests.support.clock import FakeClock
from tests.support.configuration import put, settings_of, simulated_settings, valid_document
from tests.support.harness import BotHarness, audit_trail, running_bot


class File:
    """What the configuration's file says, changed by tests as a person would."""

    def __init__(self, settings: SlipwaySettings) -> None:
        self.settings = settings
        self.mistake = ""

    def load(self) -> SlipwaySettings:
        if self.mistake:
            raise ConfigError((self.mistake,))
        return self.settings

    def people(self, **roles: tuple[str, ...]) -> None:
        """Give persons these roles, and leave the others as they are."""
        changed = tuple(
            each.model_copy(update={"roles": roles[each.id]}) if each.id in roles else each
            for each in self.settings.person
        )
        self.change(person=changed)

    def change(self, **fields: Any) -> None:
        self.settings = self.settings.model_copy(update=fields)


@asynccontextmanager
async def bot_with_file(
    folder: Path, changes: Mapping[str, Any] | None = None, hangup: asyncio.Event | None = None
) -> AsyncIterator[tuple[BotHarness, File]]:
    clock = FakeClock()
    async with simulated_gallery() as azure:
        file = File(simulated_settings(folder, azure, None, changes))
        async with running_bot(
            folder, azure=azure, changes=changes, clock=clock, load=file.load, hangup=hangup
        ) as bot:
            yield bot, file


async def reload(folder: Path) -> dict[str, Any]:
    """What the bot answers to the program."""
    return await asyncio.to_thread(_ask, folder)


async def test_a_vote_counts_by_the_roles_that_were_taken_in_and_who_did_it_stands_in_the_trail(
    tmp_path: Path,
) -> None:
    async with bot_with_file(tmp_path) as (bot, file):
        await bot.say("alice", f"!promote {X64}")
        file.people(bob=())
        answer = await reload(tmp_path)
        assert [each for each in answer["taken"] if each.startswith("person.bob.roles: ")]
        assert answer["restart"] == []
        (refused,) = await bot.say("bob", "!approve")
        assert "bob" not in [each["actor"] for each in await audit_trail(bot) if each["action"] == "approval"]
        file.people(bob=("releng",))
        await reload(tmp_path)
        await bot.say("bob", "!approve")
        trail = await audit_trail(bot)
    assert refused.card.outcome is not None
    assert "bob" in [each["actor"] for each in trail if each["action"] == "approval"]
    first, second = [each for each in trail if each["action"] == "reloaded"]
    assert first["detail"]["people"]["bob"] == []
    assert second["detail"]["people"]["bob"] == ["releng"]
    assert first["detail"]["changes"][0].startswith("person.bob.roles: ")
    assert first["detail"]["user"]
    assert first["detail"]["configuration"] != second["detail"]["configuration"]


async def test_a_file_with_mistakes_changes_nothing_and_says_why(tmp_path: Path) -> None:
    async with bot_with_file(tmp_path) as (bot, file):
        file.people(alice=())
        file.mistake = "policy.promote.role: there is no role reelng"
        assert await reload(tmp_path) == {"mistakes": ["policy.promote.role: there is no role reelng"]}
        assert "waits for" in (await bot.say("alice", f"!promote {X64}"))[0].card.title
        assert "reloaded" not in [each["action"] for each in await audit_trail(bot)]


def test_whoever_comes_or_goes_takes_a_restart_only_for_what_they_bring() -> None:
    before, after = _differing({})
    without = after.model_copy(update={"person": after.person[:1], "roles": {}})
    for one, other in ((before, without), (without, before)):
        assert differences(one, other).restart == ()
    secret = before.person[1].model_copy(update={"totp_secret": new_secret()})
    found = differences(without, before.model_copy(update={"person": (before.person[0], secret)}))
    assert found.restart == ("person.bob.totp_secret",)


async def test_policies_count_for_what_is_asked_for_from_then_on(tmp_path: Path) -> None:
    async with bot_with_file(tmp_path) as (bot, file):
        policy = dict(file.settings.policy)
        policy["promote"] = policy["promote"].model_copy(update={"approvals": 2})
        file.change(policy=policy)
        assert (await reload(tmp_path))["taken"] == ["policy.promote.approvals: 1 → 2"]
        (card,) = await bot.say("alice", f"!promote {X64}")
    assert "2" in card.text


async def test_a_new_schedule_ticks_and_one_that_is_gone_does_not(tmp_path: Path) -> None:
    def schedule(name: str, minute: int) -> dict[str, Any]:
        room = "memory:!releng:example.org"
        return {
            "name": name,
            "cron": f"{minute} * * * *",
            "command": "images",
            "room": room,
            "roles": ["viewer"],
        }

    async with bot_with_file(tmp_path) as (bot, file):
        file.change(schedule=(ScheduleSettings(**schedule("hourly", 30)),))
        assert (await reload(tmp_path))["taken"] == ["schedule.hourly is new"]
        assert "hourly" in (await bot.say("alice", "!schedules"))[0].text
        assert [name for name, _ in bot.running.services.upcoming()] == ["hourly"]
        file.change(schedule=())
        assert (await reload(tmp_path))["taken"] == ["schedule.hourly is gone"]
        assert bot.running.services.upcoming() == ()


async def test_what_else_changed_is_named_and_left_as_it_was(tmp_path: Path) -> None:
    async with bot_with_file(tmp_path) as (bot, file):
        file.change(commands=file.settings.commands.model_copy(update={"prefix": "+"}))
        assert await reload(tmp_path) == {"taken": [], "restart": ["commands.prefix"], "replicas": []}
        assert "alice" in (await bot.say("alice", "!whoami"))[0].text


async def test_a_signal_does_the_same(tmp_path: Path) -> None:
    hangup = asyncio.Event()
    async with bot_with_file(tmp_path, hangup=hangup) as (bot, file):
        file.people(carol=("releng",))
        hangup.set()
        async with asyncio.timeout(60):
            while "reloaded" not in [each["action"] for each in await audit_trail(bot)]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        (entry,) = [each for each in await audit_trail(bot) if each["action"] == "reloaded"]
    assert entry["detail"]["user"] == "SIGHUP"
    assert not (tmp_path / SOCKET).exists()


async def test_a_bot_without_a_file_says_so(tmp_path: Path) -> None:
    async with running_bot(tmp_path):
        (said,) = (await reload(tmp_path))["mistakes"]
    assert "without a file" in said


def _differing(change: Mapping[str, Any]) -> tuple[SlipwaySettings, SlipwaySettings]:
    before, after = valid_document(), valid_document()
    for document in (before, after):
        put(document, "policy.promote", {"approvals": 1, "role": "releng"})
    for key, value in change.items():
        put(after, key, value)
    return settings_of(before), settings_of(after)


@pytest.mark.parametrize(
    ("change", "taken", "restart"),
    [
        ({"policy.promote.expires": "2h"}, ("policy.promote.expires: 1d → 2h",), ()),
        ({"commands.prefix": "+", "zone": "Europe/Berlin"}, (), ("zone", "commands.prefix")),
        ({"name": "other", "policy.promote.remind": False}, ("policy.promote.remind: ",), ("name",)),
    ],
)
def test_what_is_taken_in_and_what_is_not(
    change: Mapping[str, Any], taken: tuple[str, ...], restart: tuple[str, ...]
) -> None:
    before, after = _differing(change)
    found = differences(before, after)
    assert all(any(each.startswith(start) for each in found.taken) for start in taken)
    assert all(each.startswith("policy.") for each in found.taken)  # other kinds take promotion's policy, too
    assert bool(found.taken) == bool(taken)
    assert found.restart == restart
    counts = merged(before, after)
    assert differences(counts, after).taken == ()
    assert differences(before, counts).restart == ()
