"""Slipway in Slack, as people there live it, over both ways in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations.kit import CANDIDATE, X64
from tests.house import FakeClock
from tests.slack.bot import slack_bot
from tests.slack.simulator import SimulatedSlack


@pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])
async def test_one_asks_another_approves_and_the_report_stands_in_the_thread(
    tmp_path: Path, over_http: bool
) -> None:
    clock = FakeClock()
    async with (
        SimulatedSlack(clock=clock) as sim,
        slack_bot(tmp_path, sim, clock=clock, over_http=over_http) as bot,
    ):
        alice, bob = sim.person("alice"), sim.person("bob")
        await alice.post("images", f"!promote {X64}")
        card = await bot.says("images", "waits for 1 approval")
        assert [button.label for button in card.buttons] == ["Approve", "Reject", "Details"]
        assert bot.excluded(X64, CANDIDATE) is True
        await (await bob.press(card, "Approve")).acked()
        await bot.quiet()
        assert bot.excluded(X64, CANDIDATE) is False
        report = await bot.says("images", "promote: done", "Ended")
        assert report.thread_ts == card.ts
        (shown,) = [m for m in sim.messages("images") if m.ts == card.ts]
        assert shown.buttons == []
        assert "Bob approved" in shown.everything
        assert bot.chat.health().connected
