"""What machines read, while people promote and roll back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.model import Replication, ReplicationState, TargetRegion
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.store.memory import ChatMemory
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.publishing.publisher import UNREAD_FOR, key_of
from slipway.bot.subjects.images.publishing.reading import Reading
from slipway.bot.subjects.images.services import ImageServices
from tests.images.builders import CopyingGallery, promoted
from tests.images.publishing.test_document import check
from tests.support.azure import CANDIDATE, LATEST, X64
from tests.support.clock import FakeClock
from tests.support.clouds import galleries
from tests.support.harness import BotHarness, inject_fault, propose, running_bot
from tests.support.memory_chat import MemoryChat


async def minute(bot: BotHarness) -> None:
    """Let a minute's upkeep happen, and all that follows from it."""
    bot.clock.advance(timedelta(minutes=1))
    await bot.running.upkeep.sweep()
    await bot.running.idle()


def published(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    check(found)
    return found


def releases(path: Path, definition: str = X64) -> set[str]:
    """What is latest of a definition, in whatever region."""
    ((_, held),) = published(path)["streams"][definition]["architectures"].items()
    return {each["release"] for each in held["images"]["azure"]["regions"].values()}


async def promote(bot: BotHarness) -> None:
    card, _ = await propose(bot)
    await bot.press("bob", Choice.APPROVE, card)
    assert "promote: done" in card.text


async def test_a_file_follows_promotion_and_roll_back_and_little_is_read_for_it(tmp_path: Path) -> None:
    path = tmp_path / "images.json"
    async with running_bot(tmp_path / "state", changes={"publishing": {"file": str(path)}}) as bot:
        await minute(bot)
        before = published(path)
        assert len(before["streams"]) == len(bot.azure.snapshot()["definitions"])
        assert releases(path) == {LATEST}
        architecture = before["streams"][X64]["architectures"]["x86_64"]
        image = architecture["images"]["azure"]["regions"]["eastus"]["image"]
        assert image.endswith(f"/images/{X64}/versions/{LATEST}")
        first = path.stat().st_mtime_ns
        bot.azure.requests.clear()
        await minute(bot)
        assert not bot.azure.requests  # where nothing was done, nothing is asked
        await promote(bot)
        bot.azure.requests.clear()
        await minute(bot)
        assert releases(path) == {CANDIDATE}
        asked = [str(each) for each in bot.azure.requests]
        assert {name for name in before["streams"] if any(f"/images/{name}/" in each for each in asked)} == {
            X64
        }
        unchanged = [name for name in before["streams"] if name != X64]
        assert all(published(path)["streams"][name] == before["streams"][name] for name in unchanged)
        assert path.stat().st_mtime_ns > first
        card, _ = await propose(bot, f"!rollback {X64}")
        await bot.press("bob", Choice.APPROVE, card)
        await minute(bot)
        assert releases(path) == {LATEST}
        path.unlink()  # somebody cleans up
        await minute(bot)
        assert releases(path) == {LATEST}
        # What others change is seen with time.
        bot.azure.state.patch(
            X64, CANDIDATE, {"properties": {"publishingProfile": {"excludeFromLatest": False}}}
        )
        await minute(bot)
        assert releases(path) == {LATEST}
        bot.clock.advance(timedelta(hours=1))
        await minute(bot)
        assert releases(path) == {CANDIDATE}


async def test_a_clock_that_is_set_back_by_days_keeps_nothing_from_being_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "images.json"
    async with running_bot(tmp_path / "state", changes={"publishing": {"file": str(path)}}) as bot:
        bot.clock.advance(timedelta(days=3))
        await minute(bot)
        assert releases(path) == {LATEST}
        bot.azure.state.patch(
            X64, CANDIDATE, {"properties": {"publishingProfile": {"excludeFromLatest": False}}}
        )
        bot.clock.advance(-timedelta(days=3))
        await minute(bot)
        assert releases(path) == {CANDIDATE}


async def test_a_promotion_is_published_though_the_bot_dies_right_after_it_and_right_after_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clock, chat = tmp_path / "images.json", FakeClock(), MemoryChat()
    azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
    await azure.start()
    more: dict[str, Any] = {"azure": azure, "clock": clock, "chat": chat}
    more["changes"] = {"publishing": {"file": str(path)}}
    async with running_bot(tmp_path / "state", **more) as bot:
        await minute(bot)
        await promote(bot)
    assert releases(path) == {LATEST}

    keep = ChatMemory.save

    async def dies(memory: ChatMemory, name: str, value: str) -> None:
        if not json.loads(value).get("under_way", True):
            raise RuntimeError("the process is gone")
        await keep(memory, name, value)

    with monkeypatch.context() as patched:
        patched.setattr(ChatMemory, "save", dies)
        async with running_bot(tmp_path / "state", **more) as bot:
            await minute(bot)
    text = path.read_bytes()
    assert releases(path) == {CANDIDATE}
    async with running_bot(tmp_path / "state", **more) as bot:
        await minute(bot)
        await minute(bot)
    assert releases(path) == {CANDIDATE}
    assert json.loads(text)["streams"].keys() == published(path)["streams"].keys()
    kept = path.stat().st_mtime_ns
    async with running_bot(tmp_path / "state", **more) as bot:
        await minute(bot)
    assert path.stat().st_mtime_ns == kept  # a start alone writes nothing
    await azure.stop()


async def test_a_failure_is_told_once_in_the_thread_of_what_was_done_and_so_is_its_end(
    tmp_path: Path,
) -> None:
    folder, clock, chat = tmp_path / "www", FakeClock(), MemoryChat()
    azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
    await azure.start()
    more: dict[str, Any] = {"azure": azure, "clock": clock, "chat": chat}
    more["changes"] = {"publishing": {"file": str(folder / "images.json")}}

    def told() -> list[Any]:
        return [each for each in chat.messages if "for programs" in each.cards[0].title]

    folder.mkdir()
    async with running_bot(tmp_path / "state", **more) as bot:
        await minute(bot)
        (folder / "images.json").unlink()
        folder.rmdir()
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        for _ in range(3):
            await minute(bot)
        (failure,) = told()
        assert failure.thread == card.id
        assert f"There is no folder {folder}." in failure.text
        assert "Make it, or change publishing.file." in failure.text
        assert "It is tried again by itself." in failure.text
    async with running_bot(tmp_path / "state", **more) as bot:
        await minute(bot)
        assert len(told()) == 1
        folder.mkdir()
        clock.advance(timedelta(hours=2))
        await minute(bot)
        assert releases(folder / "images.json") == {CANDIDATE}
        assert [len(each.cards) for each in told()] == [2]
        assert "is published for programs again" in failure.text
        (folder / "images.json").unlink()
        folder.rmdir()
        await promote_back(bot)
        await minute(bot)
        assert len(told()) == 2  # another failure is another message
    await azure.stop()


async def promote_back(bot: BotHarness) -> None:
    card, _ = await propose(bot, f"!rollback {X64}")
    await bot.press("bob", Choice.APPROVE, card)


async def test_galleries_that_cannot_be_read_leave_what_was_published_and_are_told_of_after_a_while(
    tmp_path: Path,
) -> None:
    path = tmp_path / "images.json"
    changes = {"publishing": {"file": str(path)}, "commands": {"room": "console:console"}}
    async with running_bot(tmp_path / "state", changes=changes) as bot:
        await minute(bot)
        before = path.read_bytes()
        bot.clock.advance(timedelta(hours=1))
        inject_fault(bot, FaultKind.REFUSE, "GET *", times=None)
        await minute(bot)
        assert not [each for each in bot.messages if "for programs" in each.text]
        bot.clock.advance(UNREAD_FOR)
        for _ in range(2):
            await minute(bot)
        (told,) = [each for each in bot.messages if "for programs" in each.text]
        assert "What is latest could not be read: " in told.text
        assert path.read_bytes() == before
        bot.azure.faults.clear()
        await minute(bot)
        assert "is published for programs again" in told.text
        assert path.read_bytes() == before


async def test_what_was_published_is_gone_only_once_it_is_and_not_for_an_empty_listing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "images.json"
    async with running_bot(tmp_path / "state", changes={"publishing": {"file": str(path)}}) as bot:
        await minute(bot)
        inject_fault(bot, FaultKind.GARBAGE, f"GET */images/{X64}/versions*", times=1, body='{"value": []}')
        bot.clock.advance(timedelta(hours=1))
        await minute(bot)
        assert releases(path) == {LATEST}
        for number in bot.azure.snapshot()["definitions"][X64]["versions"]:
            bot.azure.state.delete(X64, number)
        for _ in range(6):  # that takes some looks
            bot.clock.advance(timedelta(hours=1))
            await minute(bot)
        assert published(path)["streams"][X64]["architectures"]["x86_64"]["images"] == {}


async def test_without_a_table_nothing_is_read_or_written(tmp_path: Path) -> None:
    async with running_bot(tmp_path / "state") as bot:
        await minute(bot)
        assert bot.running.services.get(ImageServices).publisher is None
        assert not bot.azure.requests


@pytest.mark.parametrize("state", ReplicationState)
async def test_copies_are_looked_at_each_minute_for_as_long_as_they_may_come_by_themselves(
    state: ReplicationState,
) -> None:
    here, there = Replication(ReplicationState.COMPLETED, 100), Replication(state)
    regions = (TargetRegion("eastus", replication=here), TargetRegion("westus", replication=there))
    clouds = galleries(CopyingGallery(replace(promoted("43.2.0"), regions=regions)))
    reading = Reading(clouds, Catalogue(clouds))
    definitions = await reading.definitions()
    ((stream, settling),) = (await reading.streams(definitions, definitions)).values()
    assert settling is (state in (ReplicationState.REPLICATING, ReplicationState.UNKNOWN))
    wanted = {"eastus", "westus"} if state is ReplicationState.COMPLETED else {"eastus"}
    assert {each.region for each in stream.latest} == wanted


def test_a_target_names_its_definition() -> None:
    assert key_of("version azure.staging fedora cloud 43 43.1.0") == ("azure.staging", "fedora cloud 43")
