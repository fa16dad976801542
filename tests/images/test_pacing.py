"""The card of a clean-up whose deletions wait for their turn says so, and until about when."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure.conditions import Conditions
from slipway.bot.clouds.simulated.azure.quotas import Limits
from tests.support.azure import X64, simulated_gallery
from tests.support.clock import FakeClock
from tests.support.harness import propose, running_bot
from tests.support.pauses import impatient


async def test_a_deletion_that_waits_for_its_turn_is_shown_with_its_time(tmp_path: Path) -> None:
    clock, seen = FakeClock(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        if not 60 <= seconds <= 600:
            await impatient(seconds)
            return
        await seen.wait()
        clock.advance(timedelta(seconds=seconds + 5))  # the bot's own seconds are real ones

    few = Conditions(limits=Limits(in_3_minutes=1))
    async with (
        simulated_gallery(clock, conditions=few) as azure,
        running_bot(tmp_path, azure=azure, clock=clock, sleep=sleep) as bot,
    ):
        card, _ = await propose(bot, f"!cleanup {X64}")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await bot.until(lambda: "Now: waits for its turn" in card.text)
        assert (
            "Now: waits for its turn until about 2026-11-20 12:03 UTC, as Azure takes so many deletions of versions: "
            "150 in 3m and 1,000 in 30m\n"
        ) in card.text
        seen.set()
        await bot.running.idle()
        assert "cleanup: done" in card.card.title
        assert "waits for its turn" not in card.text
