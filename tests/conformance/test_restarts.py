"""What a conversation keeps while the bot is away, on every platform."""

from __future__ import annotations

from slipway.bot.chat.model import Choice
from tests.conformance.play import X64, Play
from tests.conformance.stage import Trait


async def test_a_proposal_outlives_the_bot(on_stage: Play) -> None:
    scene = on_stage.scene
    typed = Trait.LASTING_BUTTONS in scene.stage.lacks  # what can be typed stays everywhere
    async with on_stage.bot():
        card, name = await scene.propose()
    async with on_stage.bot():
        if typed:
            (report,) = await scene.say("bob", f"!approve {name}")
        else:
            (report,) = await scene.press("bob", Choice.APPROVE, card)
        assert report.thread == card.id
        assert on_stage.excluded() is False
        card = await scene.now(card)
        assert f"{name} promote: done" in card.text
        assert not card.choices


async def test_what_was_said_while_the_bot_was_down_is_answered_after_its_start(on_stage: Play) -> None:
    scene = on_stage.scene
    scene.needs(Trait.KEEPING)
    async with on_stage.bot():
        await scene.say("carol", "!whoami")
    await scene.say("alice", f"!promote {X64}", wait=False)
    async with on_stage.bot():
        await scene.settle()
        _, card = await scene.seen()
        assert "waits for 1 approval" in card.text


async def test_a_press_made_while_the_bot_was_down_counts_after_its_start(on_stage: Play) -> None:
    scene = on_stage.scene
    scene.needs(Trait.KEEPING_PRESSES)
    async with on_stage.bot():
        card, _ = await scene.propose()
    await scene.press("bob", Choice.APPROVE, card, wait=False)
    async with on_stage.bot():
        await scene.settle()
        assert "promote: done" in (await scene.now(card)).text
        assert on_stage.excluded() is False
        assert len(on_stage.azure.writes) == 1
