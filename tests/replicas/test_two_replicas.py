"""Two replicas of the whole bot on one PostgreSQL: both hear, one works, and the other takes up its work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.cli.operating.reload import _ask
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.health.report import report
from slipway.bot.operations import audit
from slipway.bot.replicas.model import LeaseTiming
from slipway.commands.general.problems import look_at_replicas
from tests.slack.bot_process import free_port
from tests.support.azure import CANDIDATE, X64, simulated_gallery
from tests.support.clock import FakeClock
from tests.support.harness import BotHarness, running_bot
from tests.support.memory_chat import MemoryChat
from tests.support.processes.postgres import Postgres
from tests.web.test_whole_bot import asked

TIMING = LeaseTiming(ttl=60, margin=20, beat=0.05, patience=30, settle=10)
PATIENCE = 60.0


@pytest.fixture
def url(postgres: Postgres) -> str:
    """A database for this test alone."""
    return postgres.new()


@asynccontextmanager
async def replicas(
    tmp_path: Path, url: str
) -> AsyncIterator[tuple[BotHarness, BotHarness, Callable[[], Awaitable[object]]]]:
    """The leader, a follower, and what stops the leader. They hear separately, and what they say is in one room."""
    clock = FakeClock()
    azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
    changes = {"database": {"url": url}}
    first, second = MemoryChat(), MemoryChat(prefix="n")  # ids of a room are of one message each
    second.messages = first.messages
    second.events = first.events
    async with AsyncExitStack() as stack:
        await azure.start()
        stack.push_async_callback(azure.stop)
        leading = await stack.enter_async_context(AsyncExitStack())
        leader = await leading.enter_async_context(
            running_bot(tmp_path / "a", azure=azure, changes=changes, clock=clock, chat=first, timing=TIMING)
        )
        follower = await stack.enter_async_context(
            running_bot(tmp_path / "b", azure=azure, changes=changes, clock=clock, chat=second, timing=TIMING)
        )
        yield leader, follower, leading.aclose


async def until(seen: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not seen():  # noqa: ASYNC110 - what is waited for is another replica's
            await asyncio.sleep(0.02)


async def test_what_either_hears_is_answered_once_and_the_other_goes_on(tmp_path: Path, url: str) -> None:
    async with replicas(tmp_path, url) as (leader, follower, stop_leader):
        await follower.say("alice", f"!promote {X64}", event_id="both", wait=False)
        await leader.say("alice", f"!promote {X64}", event_id="both", wait=False)
        await until(lambda: leader.messages)
        await leader.running.idle()
        (card,) = leader.messages
        assert card.card.buttons

        (status,) = await leader.say("carol", "!status")
        assert "leads since" in status.text
        assert "hears, too" in status.text

        await follower.press("bob", Choice.APPROVE, card, wait=False, event_id="press")
        await until(lambda: leader.excluded(X64, CANDIDATE) is False)
        await leader.running.idle()
        said = len(leader.messages)

        await follower.say("carol", "!history", event_id="during", wait=False)
        await stop_leader()
        await follower.say("carol", "!history", event_id="after", wait=False)
        await until(lambda: len(follower.messages) == said + 2)
        await follower.say("carol", "!history", event_id="during", wait=False)
        (status,) = await follower.say("carol", "!status")
        assert "leads since" in status.text
        assert "hears" not in status.text
        assert len(follower.messages) == said + 3


class File:
    """What a replica's configuration says, once somebody has changed it."""

    settings: SlipwaySettings

    def load(self) -> SlipwaySettings:
        return self.settings


async def test_each_says_which_it_is_and_reload_health_status_and_problems_whose_configuration_differs(
    tmp_path: Path, url: str
) -> None:
    clock, files = FakeClock(), (File(), File())
    ports = free_port(), free_port()
    ops = [{"listen": f"127.0.0.1:{port}", "pages": "loopback"} for port in ports]
    with_these = partial(running_bot, clock=clock, timing=TIMING)
    changes = [{"database": {"url": url}, "http": {"ops": each}} for each in ops]
    async with (
        simulated_gallery() as azure,
        with_these(tmp_path / "a", azure=azure, changes=changes[0], load=files[0].load) as leader,
        with_these(tmp_path / "b", azure=azure, changes=changes[1], load=files[1].load) as follower,
    ):
        for port, folder, role in zip(ports, "ab", ("leader", "follower"), strict=True):
            (id_,) = (tmp_path / folder / "executor-id").read_text().split()
            _, ready = await asked(port, "/readyz")
            assert (ready["role"], ready["replica"]) == (role, id_[:8])
            _, metrics = await asked(port, "/metrics")
            assert f'slipway_replica_info{{replica="{id_[:8]}"}} 1.0' in metrics
            _, page = await asked(port, "/ui")
            assert ("leads since" if role == "leader" else "hears;") in page
        for file, each in zip(files, (leader, follower), strict=True):
            policy = dict(each.running.services.settings.policy)
            policy["promote"] = policy["promote"].model_copy(update={"approvals": 2})
            file.settings = each.running.services.settings.model_copy(update={"policy": policy})
        answer = await asyncio.to_thread(_ask, tmp_path / "b")
        assert answer["taken"] == ["policy.promote.approvals: 1 → 2"]
        leads, differs = answer["replicas"]
        assert "leads, and its configuration counts" in leads
        assert "has another configuration than" in differs
        assert follower.running.services.settings.policy["promote"].approvals == 2
        services = leader.running.services
        await until(lambda: (facts := services.replicas()) is not None and facts.warnings)
        (status,) = await leader.say("carol", "!status")
        assert "has another configuration than" in status.text
        found = await look_at_replicas(services)
        assert any("has another configuration than" in each.what for each in found.found)
        await until(lambda: "leads since" in (tmp_path / "a" / "health.json").read_text())
        told = report(tmp_path / "b", clock())
        assert any("hears;" in each for each in told.replicas)
        assert await configurations(leader) == ["configured"]
        answer = await asyncio.to_thread(_ask, tmp_path / "a")
        assert answer["replicas"] == []
        assert await configurations(leader) == ["configured", "reloaded"]
        (card, *_) = await leader.say("alice", f"!promote {X64}")
        assert "2" in card.text


async def configurations(bot: BotHarness) -> list[str]:
    """What the audit trail says of configurations."""
    entries = map(json.loads, await audit.lines(bot.running.database))
    return [each["action"] for each in entries if each["action"] in ("configured", "reloaded")]
