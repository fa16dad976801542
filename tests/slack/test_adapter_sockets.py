"""The sockets of Socket Mode: one stands while the other is renewed, and lost ones are made anew."""

from __future__ import annotations

import pytest

from bot.chat.slack import sockets
from tests.slack.ears_kit import listening
from tests.slack.simulator import Reason, SimulatedSlack


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket is given up after half a second."""
    monkeypatch.setattr(sockets, "LOST_AFTER", 0.5)
    monkeypatch.setattr(sockets, "LOOK_SECONDS", 0.05)


async def test_what_slack_does_not_repeat_comes_while_a_socket_is_renewed(sim: SimulatedSlack) -> None:
    async with listening(sim, apart=0) as ear:
        await sim.connected(2)
        sim.sockets.refuse = 1  # so that it takes longer than the command
        await sim.disconnect(Reason.REFRESH_REQUESTED, most=1)
        assert len(sim.sockets.live) == 1
        typed = await sim.person("alice").command("/slipway", "images")
        await typed.acked()
        assert ear.chat.health().connected
        assert ear.said == ["images"]


async def test_the_second_socket_comes_later(sim: SimulatedSlack) -> None:
    async with listening(sim, apart=0.05):
        await sim.connected(2)
    assert [call.method for call in sim.calls("apps.connections.open")] == ["apps.connections.open"] * 2


@pytest.mark.usefixtures("hasty")
class TestLost:
    async def test_a_socket_that_cannot_be_had_again_is_made_anew(self, sim: SimulatedSlack) -> None:
        async with listening(sim) as ear:
            sim.sockets.refuse = 3
            before = sim.cut()
            await sim.connected(after=before)
            await (await sim.person("alice").post("images", "!status")).deliveries[0].acked()
            assert ear.said == ["!status"]

    async def test_a_socket_on_which_slack_does_not_greet_is_no_connection(self, sim: SimulatedSlack) -> None:
        async with listening(sim) as ear:
            sim.sockets.mute = 1
            before = sim.cut()
            await sim.until(lambda: sim.sockets.opened > before, "a socket without a greeting")
            assert not ear.chat.health().connected
            await sim.connected(after=before + 1)
            await (await sim.person("alice").post("images", "!status")).deliveries[0].acked()
            assert ear.chat.health().connected

    async def test_a_second_socket_that_cannot_be_had_leaves_the_first_alone(
        self, sim: SimulatedSlack
    ) -> None:
        async with listening(sim, apart=0) as ear:
            await sim.connected(2)
            (first, second) = sim.sockets.live
            sim.sockets.refuse = 1
            refused = sim.faults.refuse("apps.connections.open", "invalid_auth", times=2)
            await sim.disconnect(Reason.REFRESH_REQUESTED, most=1)
            await sim.faults.struck(refused, 2)
            assert sim.sockets.live == [second]
            await (await sim.person("alice").post("images", "!status")).deliveries[0].acked()
            await sim.connected(2)
            assert second in sim.sockets.live
            assert first not in sim.sockets.live
            assert ear.said == ["!status"]
