"""What the bot says while a platform or a cloud keeps it waiting: each thing once, and nothing hangs on it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.core.errors import ChatError
from slipway.bot.operations.model import OperationState
from tests.support.azure import CANDIDATE, RAWHIDE, X64
from tests.support.harness import (
    inject_fault,
    newest_operation,
    newest_state,
    propose,
    propose_slowly,
    running_bot,
)
from tests.support.memory_chat import MemoryChat
from tests.support.pauses import impatient, no_pauses

LATER = ChatError("The room is busy.", passing=True)
NEVER = ChatError("The bot was thrown out of the room.", passing=False)


async def test_a_slow_answer_is_announced_and_the_same_message_becomes_the_answer(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:
        card, held = await propose_slowly(bot)
        held.release()
        await bot.running.workflows.idle()

        (called,) = bot.messages[1:]  # an edit calls nobody, so those who can decide are called in its thread
        assert (called.thread, called.card.mentions) == (card.id, ("bob",))
        assert "waits for 1 approval" in card.text
        assert "promote: your approval is asked for" in called.text
        # It is the operation's card in every respect: pressed like any other, and kept up to date.
        (button, _) = card.card.buttons
        await bot.press("bob", Choice.APPROVE, card)
        assert await newest_state(bot) is OperationState.DONE
        assert f"{button.operation_id} promote: done" in card.card.title
        assert bot.excluded(X64, CANDIDATE) is False


async def test_a_slow_answer_that_needs_no_card_of_its_own_leaves_no_stale_announcement(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:
        card, held = await propose_slowly(bot)
        held.release()
        await bot.running.workflows.idle()
        name = (await newest_operation(bot)).id
        await bot.say("bob", f"!reject {name} not now")
        assert "Rejected by Bob: not now." in card.text
        assert all("Working on it…" not in shown.text for shown in bot.messages)


async def test_asked_for_in_a_thread_and_in_the_room_it_reports_below_the_card_in_the_room(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "GET *")
        await bot.say("alice", f"!promote {X64}", thread="a-thread", wait=False)
        await bot.until(lambda: bool(bot.messages))
        await bot.say("alice", f"!promote {X64}", wait=False)
        await bot.until(lambda: bool((cards := bot.messages[1:]) and "waits for" in cards[0].text))
        held.release()
        await bot.running.workflows.idle()
        in_thread, in_room, *_ = bot.messages
        assert (in_thread.thread, in_room.thread) == ("a-thread", None)
        (button, _) = in_room.card.buttons
        await bot.press("bob", Choice.APPROVE, in_room)
        assert f"{button.operation_id} promote: done" in in_thread.card.title
        (report,) = (each for each in bot.messages[2:] if "promote: done" in each.card.title)
        assert report.thread == in_room.id


async def test_a_message_that_is_not_taken_at_first_is_sent_once_it_is(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        bot.chat.failures.append(LATER)
        card, _ = await propose(bot)
        assert bot.chat.failures == []
        bot.chat.failures.append(LATER)  # now it is the edit that tells of the end
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "promote: done" in card.card.title
        assert report.thread == card.id
        assert bot.messages == [card, report]


async def test_a_platform_that_asks_for_time_is_given_it(tmp_path: Path) -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await no_pauses(seconds)

    async with running_bot(tmp_path, sleep=wait) as bot:
        bot.chat.failures.append(ChatError("The room is busy.", passing=True, retry_after=90))
        card, _ = await propose(bot)
        assert bot.messages == [card]
        assert 90 in waits


async def test_an_operation_goes_its_way_though_its_card_was_refused(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        bot.chat.failures.append(NEVER)
        assert await bot.say("alice", f"!promote {X64}") == []
        assert bot.chat.failures == []
        name = (await newest_operation(bot)).id
        assert await newest_state(bot) is OperationState.PROPOSED

        shown = await bot.say("bob", f"!approve {name}")  # shown at last, where it is spoken of
        assert await newest_state(bot) is OperationState.DONE
        card, report = shown
        assert f"{name} promote: done" in card.card.title
        assert report.thread == card.id


async def test_an_operation_ends_though_nothing_can_be_sent(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        card, name = await propose(bot)
        bot.chat.failures += [NEVER] * 2
        assert await bot.press("bob", Choice.APPROVE, card) == []
        assert await newest_state(bot) is OperationState.DONE
        assert bot.excluded(X64, CANDIDATE) is False
        (full,) = await bot.say("alice", f"!op {name}")
        assert "promote: done" in full.text


async def test_progress_is_shown_in_one_message_no_faster_than_the_platform_bears(tmp_path: Path) -> None:
    interval = timedelta(seconds=5)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        if seconds == interval.total_seconds():  # between two edits: it never passes in this test
            waits.append(seconds)
            await asyncio.Event().wait()

    async with running_bot(tmp_path, sleep=sleep, chat=MemoryChat(edit_interval=interval)) as bot:
        card, _ = await propose(bot, f"!cleanup {RAWHIDE}")
        steps = len((await newest_operation(bot)).plan.steps)
        assert steps > 3
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "DELETE *", after=1)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        await bot.until(lambda: f"running, 1 of {steps} steps done" in card.text or bool(waits))
        shown = len(card.cards)
        held.release()
        await bot.running.workflows.idle()

        assert "cleanup: done" in card.card.title
        assert len(waits) == 1
        assert len(card.cards) - shown <= 2  # what was under way, and the end: not one an edit a step
        assert len(bot.messages) == 3  # the card, who is called to decide on it, and the report


async def test_a_press_on_any_other_message_of_the_bot_is_nothing(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        (status,) = await bot.say("alice", "!status")
        card, _ = await propose(bot)
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        for shown in (status, report):
            assert await bot.press("bob", Choice.REJECT, shown) == []
        assert await newest_state(bot) is OperationState.DONE


async def test_a_thumbs_up_that_only_looks_old_is_said_not_to_count_each_time_and_a_new_fault_is_told_anew(
    tmp_path: Path,
) -> None:
    ahead = timedelta(hours=3)
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card, age=ahead)
        assert len(bot.messages) == 1, "what is old by every clock is left alone"
        bot.chat.clock_ahead = ahead
        assert len(await bot.say("bob", "!images", age=ahead)) == 1
        for _ in range(2):
            (told,) = await bot.press("bob", Choice.APPROVE, card, age=ahead)
            assert told.thread == card.id
            assert told.card.mentions == ("bob",)
            assert "clock is 3h ahead" in told.text
            assert "This does not count." in told.text
        assert await bot.say("bob", "!images", age=ahead) == []
        assert await newest_state(bot) is OperationState.PROPOSED

        await bot.say("alice", "!whoami")  # heard, which says nothing of the clock
        assert await bot.say("bob", "!images", age=ahead) == []
        bot.chat.clock_ahead = timedelta()
        await bot.say("alice", "!whoami")
        bot.chat.clock_ahead = ahead
        assert len(await bot.say("bob", "!images", age=ahead)) == 1
