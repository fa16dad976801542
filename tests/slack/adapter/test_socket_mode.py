"""The sockets of Socket Mode: one stands while the other is renewed, and lost ones are made anew."""

from __future__ import annotations

import asyncio

import pytest

from slipway.bot.chat.slack.transport import socket_mode as sockets
from tests.slack.harness import running_adapter
from tests.slack.simulator import Reason, SimulatedSlack


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket is given up after one and a half seconds."""
    monkeypatch.setattr(sockets, "RECONNECT_AFTER", 1.5)
    monkeypatch.setattr(sockets, "CHECK_SECONDS", 0.05)


async def test_what_slack_does_not_repeat_comes_while_a_socket_is_renewed(sim: SimulatedSlack) -> None:
    async with running_adapter(sim, opening_interval=0) as adapter:
        await sim.connected(2)
        sim.sockets.refuse = 1  # so that it takes longer than the command
        await sim.disconnect(Reason.REFRESH_REQUESTED, most=1)
        assert len(sim.sockets.live) == 1
        typed = await sim.person("alice").command("/slipway", "images")
        await typed.acked()
        assert adapter.chat.health().connected
        assert adapter.lines == ["images"]


async def test_sockets_that_a_break_brought_back_at_once_are_apart_again(
    sim: SimulatedSlack, hasty: None
) -> None:
    def gap() -> float:
        since = [connection.since for connection in sim.sockets.live]
        return max(since) - min(since) if len(since) == sockets.CONNECTIONS else 0

    async with running_adapter(sim, opening_interval=1):
        await sim.connected(2)
        assert gap() >= 0.5
        before = sim.cut()
        await sim.connected(2, after=before)
        await sim.until(lambda: gap() >= 0.5, "sockets that were opened apart")


@pytest.mark.parametrize(
    ("first", "second", "now", "near"),
    [
        (0, 60, 3600, False),
        (0, 30, 3600, False),
        (0, 29, 60, True),
        (0, 29, 59, False),  # not yet: the next would be as near
        (29, 0, 89, True),
        (29, 0, 88, False),
        (3600, 60, 3700, False),  # the first was renewed
    ],
)
def test_what_is_too_near(first: float, second: float, now: float, near: bool) -> None:
    assert sockets.opened_too_close(first, second, 60, now) is near
    assert not sockets.opened_too_close(first, first, 0, now)


async def test_a_stop_while_the_second_socket_is_awaited_leaves_nothing_behind(sim: SimulatedSlack) -> None:
    before = asyncio.all_tasks()
    async with running_adapter(sim, opening_interval=60):
        assert asyncio.all_tasks() > before
    left = asyncio.all_tasks() - before
    assert [task.get_name() for task in left if "slack" in task.get_name()] == []


class TestLost:
    @pytest.fixture(autouse=True)
    def _hasty(self, hasty: None) -> None:
        """In all of these."""

    async def test_a_socket_that_cannot_be_had_again_is_made_anew(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim) as adapter:
            sim.sockets.refuse = 3
            before = sim.cut()
            await sim.connected(after=before)
            await (await sim.person("alice").post("images", "!status")).deliveries[0].acked()
            assert adapter.lines == ["!status"]

    async def test_a_socket_on_which_slack_does_not_greet_is_no_connection(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim) as adapter:
            sim.sockets.mute = 1
            before = await sim.disconnect(Reason.WARNING)
            await sim.until(lambda: sim.sockets.opened > before, "a socket without a greeting")
            assert not adapter.chat.health().connected
            await sim.connected(after=before + 1)
            await (await sim.person("alice").post("images", "!status")).deliveries[0].acked()
            assert adapter.chat.health().connected
            assert len(sim.calls("auth.test")) > 1  # it has logged in again

    async def test_a_second_socket_that_cannot_be_had_leaves_the_first_alone(
        self, sim: SimulatedSlack
    ) -> None:
        async with running_adapter(sim, opening_interval=0) as adapter:
            await sim.connected(2)
            (first, second) = sim.sockets.live
            sim.faults.refuse("apps.connections.open", "invalid_auth", times=10_000)
            await sim.disconnect(Reason.REFRESH_REQUESTED, most=1)
            await sim.until(lambda: bool(adapter.sleeps), "a pause")
            assert sim.sockets.live == [second]
            assert adapter.chat.health().connected
            await (await sim.person("alice").post("images", "!status")).deliveries[0].acked()
            sim.faults.clear()
            await sim.connected(2)
            assert second in sim.sockets.live
            assert first not in sim.sockets.live
            assert adapter.lines == ["!status"]
            assert set(adapter.sleeps) == {sockets.RECONNECT_AFTER}

    async def test_a_lost_socket_waits_for_as_long_as_slack_asks(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim, opening_interval=0) as adapter:
            await sim.connected(2)
            limited = sim.faults.rate_limit("apps.connections.open", times=2, retry_after=3600)
            await sim.disconnect(Reason.REFRESH_REQUESTED, most=1)
            await sim.faults.struck(limited, 2)  # by the SDK, and then by who has lost patience with it
            await sim.connected(2)
            assert adapter.sleeps == [3600]

    async def test_a_refusal_of_the_second_while_the_first_is_renewed_ends_nothing(
        self, sim: SimulatedSlack
    ) -> None:
        async with running_adapter(sim, opening_interval=0.3) as adapter:
            slow = sim.faults.slow("apps.connections.open")
            await sim.disconnect(Reason.REFRESH_REQUESTED)
            await sim.faults.struck(slow)  # the first, which the SDK brings back
            refused = sim.faults.refuse("apps.connections.open", "access_denied")
            await sim.faults.struck(refused)  # the second
            slow.release()
            await sim.connected(2)
            await (await sim.person("alice").post("images", "!status")).deliveries[0].acked()
            assert adapter.lines == ["!status"]
