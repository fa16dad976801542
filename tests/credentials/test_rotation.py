"""A rotation in the room: a successor is made, tried and delivered, and the former taken away; the secret is nowhere
but in the file."""

from __future__ import annotations

import asyncio
import base64
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.graph import SeedCredential
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.operations.runs.step_runner import WAIT_SECONDS
from tests.credentials.test_listing import entries
from tests.support.azure import one_version_seed
from tests.support.clock import DAY, HOUR, MINUTE, FakeClock, FakeUptime
from tests.support.directory import application, secret
from tests.support.harness import BotHarness, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.support.pauses import no_pauses

ROOM = {"commands": {"room": "console:console"}}


@dataclass
class World:
    """A directory with one application, a file for its secret, and bots that come and go."""

    folder: Path
    azure: SimulatedAzure
    clock: FakeClock = field(default_factory=FakeClock)
    uptime: FakeUptime = field(default_factory=FakeUptime)
    chat: MemoryChat = field(default_factory=MemoryChat)
    entry: dict[str, Any] = field(default_factory=dict)

    @property
    def secrets(self) -> list[SeedCredential]:
        """The secrets of the application."""
        return self.azure.graph.applications[0].secrets

    @property
    def file(self) -> Path:
        """Where a new secret goes."""
        return self.folder / "uploader-secret"

    async def sleep(self, seconds: float) -> None:
        """Hours pass while a rotation waits; all else is quick."""
        if seconds == WAIT_SECONDS:
            self.clock.advance(HOUR)
            self.uptime.advance(HOUR)
            await asyncio.sleep(0.005)  # others have their turn
        else:
            await no_pauses(seconds)

    async def a_while(self, bot: BotHarness) -> None:
        """What is looked after once a minute is looked after."""
        self.clock.advance(2 * MINUTE)
        await bot.running.upkeep.sweep()
        await bot.running.idle()

    @asynccontextmanager
    async def bot(self, **more: Any) -> AsyncIterator[BotHarness]:
        """A bot in this world."""
        usual = {
            "application": self.azure.graph.applications[0].client_id,
            "deliver": [f"file:{self.file}"],
            "used_by": "the image uploader",
        }
        changes = {**entries(uploader={**usual, **self.entry}), **ROOM, **more}
        async with running_bot(
            self.folder / "state",
            azure=self.azure,
            clock=self.clock,
            uptime=self.uptime,
            chat=self.chat,
            changes=changes,
            sleep=self.sleep,
        ) as bot:
            yield bot


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = FakeClock()
    azure = SimulatedAzure(one_version_seed(), clock=clock)
    azure.graph.applications = [application("uploader", secret("by hand", left=200 * DAY))]
    azure.graph.login.unknown_for = 2
    await azure.start()
    yield World(tmp_path, azure, clock)
    await azure.stop()


async def rotate(
    bot: BotHarness, line: str = "!credential rotate uploader"
) -> tuple[PostedMessage, list[PostedMessage]]:
    """Ask for it, and have Bob agree: its card, and what is said then."""
    card, _ = await propose(bot, line)
    return card, await bot.press("bob", Choice.APPROVE, card)


def places_of(world: World, bot: BotHarness, logged: str) -> dict[str, bytes]:
    """Everything in which something stays that was in memory."""
    files = {str(path): path.read_bytes() for path in (world.folder / "state").rglob("*") if path.is_file()}
    said = "\n".join(repr(card) for message in bot.messages for card in message.cards)
    asked = "\n".join(f"{each.label}" for each in world.azure.requests)
    environment = Path("/proc/self/environ").read_bytes() + repr(dict(os.environ)).encode()
    return {
        **files,
        "messages": said.encode(),
        "log": logged.encode(),
        "requests": asked.encode(),
        "env": environment,
    }


async def test_a_successor_is_tried_delivered_and_in_its_place_and_the_secret_nowhere_else(
    world: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for library in ("azure", "aiohttp", "dbos", "slipway", "urllib3"):
        caplog.set_level("DEBUG", logger=library)
    (old,) = world.secrets
    async with world.bot() as bot:
        await world.a_while(bot)
        card, said = await rotate(bot)
        await world.a_while(bot)
        assert not any("changed at their source" in each.text for each in bot.messages), "that is no news"
        assert "make a successor of uploader/" in card.cards[0].text + repr(card.cards[0])
        assert "credential-rotate: done" in card.text
        (new,) = world.secrets
        logged = "".join(capfd.readouterr()) + caplog.text
        places = places_of(world, bot, logged)
    assert new.id != old.id
    assert world.file.read_text("utf-8") == new.text
    assert stat.S_IMODE(world.file.stat().st_mode) == 0o600
    assert world.azure.graph.login.accepted[new.id] == 3, "it works several times in a row, after it did not"
    assert world.clock.now >= FakeClock().now + DAY, "the former stays for the time of grace"
    assert any("works and is in the file uploader-secret" in each.text for each in said)
    assert any(path.endswith("workflows.db") for path in places)
    assert any(path.endswith("slipway.db") for path in places)
    coded = base64.b64encode(new.text.encode())
    for path, content in places.items():
        assert new.text.encode() not in content, path
        assert coded not in content, path
        assert new.text[:12].encode() not in content, path


async def test_what_cannot_be_delivered_leaves_the_old_one_and_is_a_problem_until_it_can(
    world: World,
) -> None:
    (old,) = world.secrets
    world.entry = {"deliver": [f"file:{world.folder}/nowhere/secret"]}
    async with world.bot() as bot:
        card, said = await rotate(bot)
        assert "credential-rotate: failed" in card.text
        report = "".join(each.text for each in said)
        assert "was not put into the file secret: no such file or directory" in report
        assert "works on" in report
        assert world.secrets == [old], "what was made is taken away again"
        await world.a_while(bot)
        (problems,) = await bot.say("alice", "!problems")
        assert "could not be rotated, and works on" in problems.text
        (world.folder / "nowhere").mkdir()
        await rotate(bot)
        assert (world.folder / "nowhere" / "secret").read_text("utf-8") == world.secrets[0].text
        await world.a_while(bot)
        (problems,) = await bot.say("alice", "!problems")
        assert "could not be rotated" not in problems.text


async def test_an_answer_that_is_lost_makes_no_second_secret_in_the_end(world: World) -> None:
    world.azure.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST *addPassword"))
    async with world.bot() as bot:
        card, _ = await rotate(bot)
    assert "credential-rotate: done" in card.text
    (new,) = world.secrets
    assert world.file.read_text("utf-8") == new.text


async def test_a_secret_that_is_gone_by_the_time_of_the_approval_is_not_rotated(world: World) -> None:
    async with world.bot() as bot:
        card, _ = await propose(bot, "!credential rotate uploader")
        world.secrets[:] = [secret("another", left=300 * DAY)]
        await bot.press("bob", Choice.APPROVE, card)
    assert "credential-rotate: stale" in card.text
    assert len(world.secrets) == 1
    assert not any("addPassword" in each.label for each in world.azure.requests)


async def test_without_a_place_for_it_or_the_right_nothing_is_proposed(world: World) -> None:
    world.entry = {"deliver": []}
    async with world.bot() as bot:
        (refused,) = await bot.say("alice", "!credential rotate uploader")
        (forbidden,) = await bot.say("carol", "!credential rotate uploader")
    assert "Nobody says where a new secret of uploader goes" in refused.text
    assert "credential.rotate" in forbidden.text


async def test_leftovers_are_listed_with_a_plan_that_takes_them_away(world: World) -> None:
    kept, ended = world.secrets[0], secret("former", left=-3 * DAY)
    world.secrets.append(ended)
    async with world.bot() as bot:
        card, _ = await propose(bot, "!credential remove")
        assert f"remove uploader/{ended.id[:8]} by its id" in repr(card.cards[0])
        assert "it ended on 2026-11-17" in repr(card.cards[0])
        await bot.press("bob", Choice.APPROVE, card)
        assert world.secrets == [kept]
        (nothing,) = await bot.say("alice", "!credential remove uploader")
        (refused,) = await bot.say("alice", f"!credential remove uploader/{kept.id[:8]}")
    assert "Nothing is left over of uploader." in nothing.text
    assert "works, and nothing is in its place" in refused.text
