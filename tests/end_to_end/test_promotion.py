"""What people in a room see of the bot's main job."""

from __future__ import annotations

from pathlib import Path

from slipway.bot.chat.model import Choice
from tests.support.azure import CANDIDATE, X64
from tests.support.harness import running_bot


async def test_a_promotion_is_planned_approved_done_and_reported(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        (card,) = await bot.say("alice", f"!promote {X64}")
        assert "waits for 1 approval" in card.text
        assert CANDIDATE in card.text
        assert bot.excluded(X64, CANDIDATE) is True

        (report,) = await bot.press("bob", Choice.APPROVE, card)

        assert bot.excluded(X64, CANDIDATE) is False
        assert report.thread == card.id
        assert "done" in report.text
        assert "promote: done" in card.text
        assert not card.card.buttons


async def test_the_same_event_twice_is_one_operation(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        await bot.say("alice", f"!promote {X64}", event_id="same")
        assert await bot.say("alice", f"!promote {X64}", event_id="same") == []
        assert len(await bot.running.operations.recent(10)) == 1
