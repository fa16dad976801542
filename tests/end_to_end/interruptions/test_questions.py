"""Questions that a bot had heard when it went down: the next one answers them, each once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from tests.support.azure import X64
from tests.support.clock import FakeClock
from tests.support.harness import inject_fault, running_bot
from tests.support.memory_chat import MemoryChat


async def test_a_question_that_was_heard_is_answered_by_the_next_process_and_never_twice(
    tmp_path: Path,
) -> None:
    chat, clock = MemoryChat(), FakeClock()
    azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
    await azure.start()
    try:
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, grace=timedelta()) as bot:
            inject_fault(bot, FaultKind.SLOW, seconds=3600)
            await bot.say("carol", f"!images {X64}", event_id="e-asked", wait=False)
        assert not any(X64 in each.card.title for each in chat.messages)

        azure.faults.clear()
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat) as bot:
            await bot.running.idle()
            (answer,) = chat.messages
            assert X64 in answer.card.title

            await bot.say("carol", f"!images {X64}", event_id="e-asked")  # the platform delivers it again
            assert chat.messages == [answer]
        edits = len(answer.cards)
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat) as bot:
            await bot.running.idle()
            await bot.say("carol", f"!images {X64}", event_id="e-asked")
            assert chat.messages == [answer]
            assert len(answer.cards) == edits
    finally:
        await azure.stop()


async def test_a_question_that_cannot_be_answered_for_a_fault_is_not_asked_again_at_each_start(
    tmp_path: Path,
) -> None:
    chat, clock = MemoryChat(), FakeClock()
    async with running_bot(tmp_path, clock=clock, chat=chat) as bot:
        await bot.say("mallory", "!frobnicate everything")
        said = len(chat.messages)
    async with running_bot(tmp_path, clock=clock, chat=chat) as bot:
        await bot.running.idle()
        assert len(chat.messages) == said
