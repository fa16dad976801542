"""What a conversation keeps while the bot is away, on every platform."""

from __future__ import annotations

import pytest

from slipway.bot.chat.model import Choice
from tests.conformance.harness import Capability
from tests.conformance.run import ConformanceRun
from tests.support.azure import X64


async def test_a_proposal_outlives_the_bot(run: ConformanceRun) -> None:
    session = run.session
    typed = Capability.LASTING_BUTTONS in session.platform.missing  # what can be typed stays everywhere
    async with run.bot():
        card, name = await session.propose()
    async with run.bot():
        if typed:
            (report,) = await session.say("bob", f"!approve {name}")
        else:
            (report,) = await session.press("bob", Choice.APPROVE, card)
        assert report.thread == card.id
        assert run.excluded() is False
        card = await session.current(card)
        assert f"{name} promote: done" in card.text
        assert not card.choices


async def test_what_was_said_while_the_bot_was_down_is_answered_after_its_start(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.OFFLINE_MESSAGES)
    async with run.bot():
        await session.say("carol", "!whoami")
    await session.say("alice", f"!promote {X64}", wait=False)
    async with run.bot():
        await session.settle()
        _, card = await session.visible_messages()
        assert "waits for 1 approval" in card.text


@pytest.mark.every_transport
async def test_a_press_made_while_the_bot_was_down_counts_after_its_start(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.OFFLINE_PRESSES)
    async with run.bot():
        card, _ = await session.propose()
    await session.press("bob", Choice.APPROVE, card, wait=False)
    async with run.bot():
        await session.settle()
        assert "promote: done" in (await session.current(card)).text
        assert run.excluded() is False
        assert len(run.azure.writes) == 1
