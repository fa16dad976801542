"""The bot as a process before a simulated Slack, killed at the worst moments and started anew."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.slack.simulator import Message, SimulatedSlack
from tests.slack.simulator.faults import FaultKind
from tests.slack.simulator.seed import ALICE, BOB, IMAGES
from tests.support.processes.program import CONSOLE_CONFIGURATION, ROOT, environment

pytestmark = pytest.mark.xdist_group("program")

START = 90.0
"""Seconds; far more than a start takes, also on a machine with much else to do."""


def _configure(folder: Path, sim: SimulatedSlack) -> Path:
    text = CONSOLE_CONFIGURATION.replace("enabled = true", "enabled = false", 1)
    text = text.replace("console:alice", f"slack:{ALICE}").replace("console:bob", f"slack:{BOB}")
    text += f'\n[slack]\nchannels = ["{IMAGES}"]\nendpoint = "{sim.api_url}"\n'
    path = folder / "slipway.toml"
    path.write_text(text)
    return path


@asynccontextmanager
async def _bot(path: Path, sim: SimulatedSlack) -> AsyncIterator[asyncio.subprocess.Process]:
    before = sim.sockets.opened
    tokens = {"SLIPWAY_SLACK_BOT_TOKEN": sim.bot_token, "SLIPWAY_SLACK_APP_TOKEN": sim.app_token}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "slipway", "run", "--config", str(path)),
        cwd=ROOT,
        env=environment(**tokens),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await sim.connected(after=before, within=START)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _answers(sim: SimulatedSlack) -> list[Message]:
    return [message for message in sim.from_bot("images") if "Nothing waits" in message.all_text]


async def _goes_on(path: Path, sim: SimulatedSlack, *, looks: bool = False) -> None:
    """Start the bot again on what the killed one left, and see that it works and has caught up."""
    async with _bot(path, sim):
        await sim.until(lambda: len(_answers(sim)) > 0, "the answer of the killed bot", within=START)
        if looks:
            asked = "conversations.history"
            await sim.until(lambda: bool(sim.calls(asked)), "a look before it speaks", within=START)
        await sim.redeliver()
        await sim.settled(within=START)
        await sim.person("bob").post("images", "!whoami")
        await sim.message("images", lambda message: "slack:U0BOB0000" in message.all_text, within=START)
    assert len(_answers(sim)) == 1


async def test_killed_between_the_commit_and_the_acknowledgement(tmp_path: Path) -> None:
    async with SimulatedSlack() as sim:
        path = _configure(tmp_path, sim)
        async with _bot(path, sim):
            sim.sockets.drop_acks = 1
            await sim.person("alice").post("images", "!pending")
            await sim.until(lambda: bool(sim.sockets.lost_acks), "a lost acknowledgement", within=START)
        await _goes_on(path, sim)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [False, True], ids=["before it was sent", "after it was sent"])
async def test_killed_while_the_answer_is_on_its_way(tmp_path: Path, sent: bool) -> None:
    async with SimulatedSlack() as sim:
        path = _configure(tmp_path, sim)
        async with _bot(path, sim):
            said = sim.faults.slow("chat.postMessage") if sent else sim.faults.hang("chat.postMessage")
            assert said.kind in (FaultKind.SLOW, FaultKind.HANG)
            message = await sim.person("alice").post("images", "!pending")
            await message.deliveries[0].acked(within=START)
            await sim.faults.struck(said, within=START)
        said.release()
        if sent:
            await sim.until(lambda: len(_answers(sim)) == 1, "what the killed bot had sent", within=START)
        await _goes_on(path, sim, looks=True)
