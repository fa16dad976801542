"""Edits in Slack: whatever is slow, lost or cancelled, a message ends as it was meant last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.slack.chat import SlackChat
from slipway.bot.core.errors import ChatError
from slipway.bot.operations.model import OperationState
from tests.slack.builders import PROPOSED, REPORT, RUNNING, SLIP
from tests.slack.harness import build_adapter
from tests.slack.simulator import Message, SimulatedSlack
from tests.slack.simulator.seed import IMAGES
from tests.slack.whole_bot import slack_bot
from tests.support.azure import X64
from tests.support.clock import FakeClock


@pytest.fixture
async def chat(sim: SimulatedSlack) -> AsyncIterator[SlackChat]:
    found = build_adapter(sim)
    yield found
    await found.close()


@pytest.fixture
async def hasty(sim: SimulatedSlack) -> AsyncIterator[SlackChat]:
    """It gives up an edit after two seconds."""
    found = build_adapter(sim, request_timeout="2s")
    yield found
    await found.close()


async def _sent(chat: SlackChat, sim: SimulatedSlack) -> Message:
    await chat.send(IMAGES, PROPOSED, thread=None, key="k")
    (message,) = sim.from_bot("images")
    return message


async def test_an_edit_whose_asker_is_gone_does_not_overtake_the_next(
    chat: SlackChat, sim: SimulatedSlack
) -> None:
    message = await _sent(chat, sim)
    slow = sim.faults.slow("chat.update")
    progress = asyncio.create_task(chat.edit(IMAGES, message.ts, RUNNING, thread=None, key="a"))
    await sim.faults.struck(slow)
    progress.cancel()
    last = asyncio.create_task(chat.edit(IMAGES, message.ts, REPORT, thread=None, key="b"))
    await asyncio.gather(progress, return_exceptions=True)
    assert not last.done()
    slow.release()
    await last
    assert "promote: done" in message.all_text


async def test_a_cancelled_asker_takes_nobody_elses_edit_along(chat: SlackChat, sim: SimulatedSlack) -> None:
    message = await _sent(chat, sim)
    slow = sim.faults.slow("chat.update")
    asked = [asyncio.create_task(chat.edit(IMAGES, message.ts, RUNNING, thread=None, key="a"))]
    await sim.faults.struck(slow)
    asked += [
        asyncio.create_task(chat.edit(IMAGES, message.ts, card, thread=None, key=key))
        for key, card in (("b", PROPOSED), ("c", REPORT))
    ]
    await asyncio.sleep(0)
    asked[1].cancel()
    slow.release()
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in results] == [type(None), asyncio.CancelledError, type(None)]
    assert "promote: done" in message.all_text


async def test_after_an_edit_of_doubtful_outcome_the_next_is_made_sure_of(
    hasty: SlackChat, sim: SimulatedSlack
) -> None:
    chat = hasty
    message = await _sent(chat, sim)
    slow = sim.faults.slow("chat.update")
    with pytest.raises(ChatError, match="too long"):
        await chat.edit(IMAGES, message.ts, RUNNING, thread=None, key="a")
    held = sim.faults.slow("chat.update", times=2)
    last = asyncio.create_task(chat.edit(IMAGES, message.ts, REPORT, thread=None, key="b"))
    await sim.faults.struck(held)
    slow.release()  # only now Slack comes to the older edit
    await sim.until(lambda: "running" in message.all_text, "the older edit")
    held.release()
    await last
    await sim.until(lambda: message.edits == 3, "the older edit, the newer, and the newer once more")
    assert "promote: done" in message.all_text


async def test_an_edit_that_was_refused_as_too_fast_is_not_made_twice(
    chat: SlackChat, sim: SimulatedSlack
) -> None:
    message = await _sent(chat, sim)
    sim.faults.rate_limit("chat.update", retry_after=120)  # longer than the adapter itself waits
    with pytest.raises(ChatError) as caught:
        await chat.edit(IMAGES, message.ts, RUNNING, thread=None, key="a")
    assert caught.value.retry_after == 120
    await chat.edit(IMAGES, message.ts, REPORT, thread=None, key="b")
    await chat.close()
    assert message.edits == 1


async def test_what_concerns_one_person_is_told_once_though_an_edit_was_in_doubt(
    chat: SlackChat, sim: SimulatedSlack
) -> None:
    message = await _sent(chat, sim)
    sim.faults.lose_answer("chat.update")
    with pytest.raises(ChatError):
        await chat.edit(IMAGES, message.ts, RUNNING, thread=None, key="a")
    await chat.edit(IMAGES, message.ts, SLIP, thread=None, key="b")
    await sim.called("chat.delete", 2)  # it is made sure of
    await chat.close()
    assert len(sim.person("bob").ephemerals) == 1


async def test_whoever_waits_for_an_edit_when_all_is_closed_is_told_so(
    chat: SlackChat, sim: SimulatedSlack
) -> None:
    message = await _sent(chat, sim)
    slow = sim.faults.slow("chat.update")
    edit = asyncio.create_task(chat.edit(IMAGES, message.ts, RUNNING, thread=None, key="a"))
    await sim.faults.struck(slow)
    await chat.close()
    with pytest.raises(ChatError, match="was closed"):
        await edit


async def test_a_clock_that_is_set_back_stalls_no_edit(sim: SimulatedSlack) -> None:
    clock, waits = FakeClock(), [0.0]

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    chat = build_adapter(sim, clock=clock, sleep=wait)
    message = await _sent(chat, sim)
    for number in range(30):
        if number == 15:
            clock.advance(-timedelta(hours=1))
        card = RUNNING.model_copy(update={"title": f"step {number}"})
        await chat.edit(IMAGES, message.ts, card, thread=None, key=f"{number}")
    await chat.close()
    assert max(waits) < 60


async def test_the_card_of_an_operation_ends_as_done_however_slow_its_progress_is(tmp_path: Path) -> None:
    clock = FakeClock()
    async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
        await sim.person("alice").post("images", f"!promote {X64}")
        card = await bot.wait_for_message("images", "waits for 1 approval")
        await bot.settled()
        slow = sim.faults.slow("chat.update")
        await sim.person("bob").press(card, "Approve")
        await sim.faults.struck(slow)
        (operation,) = await bot.running.operations.recent(1)
        async with asyncio.timeout(20):
            while (await bot.running.operations.get(operation.id)).state is not OperationState.DONE:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        slow.release()
        await bot.settled()
        await bot.wait_for_message("images", "Ended")
        (shown,) = [message for message in sim.from_bot("images") if message.ts == card.ts]
        assert "promote: done" in shown.all_text
        assert shown.buttons == []
