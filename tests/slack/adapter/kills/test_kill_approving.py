"""Killed around a decision: an approval that was pressed is carried out once, and cannot be pressed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.slack.bot_process import TIMEOUT, running_process


@pytest.mark.parametrize(
    "ack_lost", [pytest.param(False, id="acked", marks=pytest.mark.slow), pytest.param(True, id="ack-lost")]
)
async def test_killed_between_an_approval_and_its_run_it_runs_once(tmp_path: Path, ack_lost: bool) -> None:
    async with running_process(tmp_path) as bot:
        bob = bot.sim.person("bob")
        await bot.sim.person("alice").post("images", "!promote Fedora-Cloud-43-x64")
        card = await bot.wait_for_message("waits for 1 approval")
        undecided = card.shown()
        await bot.sim.settled(TIMEOUT)
        looking = bot.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
        if ack_lost:
            bot.lose_next_ack()
        pressed = await bob.press(card, "Approve")
        if ack_lost:
            await bot.wait_for_lost_ack(pressed)
        else:
            await pressed.acked(TIMEOUT)
        await looking.reached.wait()
        await bot.kill()
        assert bot.azure.writes == []

        await bot.start_again()
        await bot.wait_for_message("promote: done", "Ended")
        again = await bob.press(card, "Approve", stale=undecided)  # what bob's client still shows
        await again.acked(TIMEOUT)
        await bot.stop()
        assert len(bot.azure.writes) == 1
        assert len(bot.texts()) == 2  # the card and its report
        assert "Bob approved" in card.all_text
