"""`!revoke` in the room, at once and at a time that comes after restarts."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from tests.support.azure import LATEST, X64, simulated_gallery, writes
from tests.support.clock import FakeClock
from tests.support.harness import (
    audit_trail,
    inject_fault,
    newest_operation,
    newest_state,
    propose,
    running_bot,
)
from tests.support.memory_chat import MemoryChat

IMAGE = f"{X64}/{LATEST}"


async def test_it_is_out_of_latest_and_bad_at_once(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot, f"!revoke {IMAGE} CVE-2026-1 in openssl")
        assert "CVE-2026-1 in openssl" in card.text
        await bot.press("bob", Choice.APPROVE, card)
        assert "revoke: done" in card.card.title
        assert bot.excluded(X64, LATEST)
        (shown,) = await bot.say("carol", f"!images {X64}")
        row = next(line for line in shown.text.splitlines() if LATEST in line)
        assert "rolled back" in row
        (dry,) = await bot.say("alice", f"!good --dry-run {IMAGE}")
        assert "bad, by Alice on 2026-11-20: revoked: CVE-2026-1 in openssl" in dry.text
        (idle,) = await bot.say("alice", f"!revoke {IMAGE} again")
        assert "is not promoted, so there is nothing to take out of latest" in idle.text


async def test_a_later_time_survives_restarts_and_is_kept_once(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    async with simulated_gallery(clock) as azure:
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat) as bot:
            card, name = await propose(bot, f"!revoke --at 18:00 {IMAGE} its mirrors end")
            assert "Begins" in card.text
            assert (
                "2026-11-20 18:00 UTC; where a cloud cannot be read then, it is tried again until 2026-11-20 "
                "19:00 UTC" in re.sub(r"\s+", " ", card.text)
            )
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat) as bot:  # while it is proposed
            await bot.press("bob", Choice.APPROVE, card)
            assert f"{name} revoke: approved, begins 2026-11-20 18:00 UTC" in card.card.title
            assert not card.cards[-1].buttons
            await bot.running.upkeep.sweep()
            await bot.running.idle()
            assert await newest_state(bot) is OperationState.APPROVED
            assert writes(azure) == []
        clock.advance(timedelta(hours=5, minutes=59))
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat) as bot:  # before its time
            await bot.running.upkeep.sweep()
            await bot.running.idle()
            assert await newest_state(bot) is OperationState.APPROVED
            (pending,) = await bot.say("carol", "!pending")
            assert name in pending.text
            assert writes(azure) == []
        clock.advance(timedelta(minutes=1))
        async with running_bot(
            tmp_path, azure=azure, clock=clock, chat=chat, grace=timedelta()
        ) as bot:  # at its time, and down again within the write
            held = inject_fault(bot, FaultKind.HOLD_AFTER, "PUT *")
            await bot.running.upkeep.sweep()
            await held.reached.wait()
        azure.faults.clear()
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat) as bot:
            await bot.running.idle()
            assert await newest_state(bot) is OperationState.DONE
            assert len(writes(azure)) == 1
            assert bot.excluded(X64, LATEST)
            await bot.running.upkeep.sweep()
            await bot.running.idle()
            assert len(writes(azure)) == 1
            trail = [each["action"] for each in await audit_trail(bot) if each["operation"] == name]
            assert trail.count("started") == 1
            assert f"{name} revoke: done" in card.card.title
            reports = [each for each in chat.messages if f"{name} revoke: done" in each.card.title]
            assert len([each for each in reports if each.thread == card.id]) == 1


async def test_what_waits_for_its_time_is_shown_where_people_look(tmp_path: Path) -> None:
    async with running_bot(tmp_path, clock=FakeClock()) as bot:
        card, name = await propose(bot, f"!revoke --at 2h {IMAGE} its mirrors end")
        await bot.press("bob", Choice.APPROVE, card)
        (pending,) = await bot.say("carol", "!pending")
        assert "approved, begins 2026-11-20 14:00 UTC" in pending.text
        (shown,) = await bot.say("alice", f"!images {IMAGE}")
        assert f"{name} revoke: approved, begins 2026-11-20 14:00 UTC." in shown.text
        assert f"To stop it: `!cancel {name}`" in shown.text


async def test_where_the_cloud_cannot_be_read_at_its_time_it_is_tried_again_and_done(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_bot(tmp_path, clock=clock) as bot:
        card, _ = await propose(bot, f"!revoke --at 2h {IMAGE} its mirrors end")
        await bot.press("bob", Choice.APPROVE, card)
        inject_fault(bot, FaultKind.UNAVAILABLE, "GET *", times=None)
        for passed in (timedelta(hours=2), timedelta(minutes=50)):
            clock.advance(passed)
            await bot.running.upkeep.sweep()
            await bot.running.idle()
            assert await newest_state(bot) is OperationState.APPROVED
            assert re.search(
                r"Now: Azure .* It is tried again each minute, until 2026-11-20 15:00 UTC\.", card.text
            )
        bot.azure.faults.clear()
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        assert await newest_state(bot) is OperationState.DONE
        assert len(bot.azure.writes) == 1


async def test_where_it_cannot_be_read_for_an_hour_it_fails_and_says_whose_move_it_is(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_bot(tmp_path, clock=clock) as bot:
        card, name = await propose(bot, f"!revoke --at 2h {IMAGE} its mirrors end")
        await bot.press("bob", Choice.APPROVE, card)
        inject_fault(bot, FaultKind.UNAVAILABLE, "GET *", times=None)
        clock.advance(timedelta(hours=3))
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        assert await newest_state(bot) is OperationState.FAILED
        report = next(each for each in reversed(bot.messages) if f"{name} revoke: failed" in each.card.title)
        assert "Azure" in report.text
        assert bot.azure.writes == []


async def test_it_can_be_cancelled_until_its_time_and_then_nothing_happens(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_bot(tmp_path, clock=clock) as bot:
        card, name = await propose(bot, f"!revoke --at 2h {IMAGE} its mirrors end")
        await bot.press("bob", Choice.APPROVE, card)
        await bot.say("alice", f"!cancel {name}")
        assert await newest_state(bot) is OperationState.CANCELLED
        clock.advance(timedelta(hours=3))
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        assert bot.azure.writes == []


async def test_approved_after_its_time_it_is_carried_out_at_once(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_bot(tmp_path, clock=clock) as bot:
        card, _ = await propose(bot, f"!revoke --at 2h {IMAGE} its mirrors end")
        clock.advance(timedelta(hours=3))
        await bot.press("bob", Choice.APPROVE, card)
        assert await newest_state(bot) is OperationState.DONE
        assert (await newest_operation(bot)).plan.not_before is not None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"!revoke {IMAGE}", "Say why it is revoked"),
        (f"!revoke {X64} because", "Say which version of"),
        (
            f"!revoke --at yesterday {IMAGE} why",
            "“yesterday” is no time; write it like 18:00, 2h or YYYY-MM-DDTHH:MM",
        ),
        (f"!revoke --at 2026-11-19T09:00 {IMAGE} why", "2026-11-19 09:00 UTC has passed"),
        (f"!revoke --at 2031-11-19T09:00 {IMAGE} why", "is more than a year away"),
        (f"!revoke {IMAGE} why --at 18:00", "`--at` stands before the image"),
        (f"!revoke {X64}/43.1.0 why", f"{X64} has no version 43.1.0"),
    ],
)
async def test_bad_input_is_one_sentence_and_proposes_nothing(tmp_path: Path, line: str, said: str) -> None:
    async with running_bot(tmp_path) as bot:
        (answer,) = await bot.say("alice", line)
        assert said in answer.text
        (none,) = await bot.say("carol", "!pending")
        assert "Nothing waits" in none.text
