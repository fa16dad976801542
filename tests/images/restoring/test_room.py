"""`!restore` in the room: a deleted version comes back as a candidate, over restarts, and what cannot is told why."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure.conditions import Conditions
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from tests.support.azure import LATEST, X64, simulated_gallery, version_numbers, writes
from tests.support.clock import FakeClock
from tests.support.harness import BotHarness, inject_fault, newest_state, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.support.pauses import no_pauses

SOFT = Conditions(soft_delete=True)
ENDED = "Fedora-Cloud-41-x64"


async def clean_up(bot: BotHarness, definition: str) -> PostedMessage:
    """What the report of a clean-up says."""
    card, _ = await propose(bot, f"!cleanup {definition}")
    said = await bot.press("bob", Choice.APPROVE, card)
    assert "cleanup: done" in card.card.title
    return next(each for each in said if each.thread == card.id)


async def test_a_clean_up_names_the_command_that_takes_it_back_and_it_works(tmp_path: Path) -> None:
    async with (
        simulated_gallery(conditions=SOFT) as azure,
        running_bot(tmp_path, azure=azure, sleep=no_pauses) as bot,
    ):
        before = version_numbers(azure, X64)
        report = await clean_up(bot, X64)
        gone = sorted(before - version_numbers(azure, X64))
        assert gone
        line = f"!restore {X64}/{gone[-1]}"
        assert f"is deleted. {line} brings it back until 2026-11-27 12:00 UTC" in report.text
        (shown,) = await bot.say("alice", f"!images {X64}")
        assert (
            f"{gone[-1]} was deleted on 2026-11-20, and can be restored until 2026-11-27 12:00 UTC"
            in shown.text
        )
        assert f"`{line}`" in shown.text
        (one,) = await bot.say("alice", f"!images {X64}/{gone[-1]}")
        assert "deleted, and can be restored" in one.text
        assert f"`{line}`" in one.text
        card, _ = await propose(bot, line)
        assert "a candidate; " in card.text
        assert f"stays {LATEST}" in card.text
        assert f"unless `!hold {X64}/{gone[-1]}` keeps it" in card.text
        await bot.press("bob", Choice.APPROVE, card)
        assert "restore: done" in card.card.title
        assert bot.excluded(X64, gone[-1])
        (again,) = await bot.say("alice", line)
        assert "is there, in state Succeeded: there is nothing to restore" in again.text


async def test_what_cannot_come_back_says_why_and_offers_what_can(tmp_path: Path) -> None:
    async with (
        simulated_gallery(conditions=SOFT) as azure,
        running_bot(tmp_path, azure=azure, sleep=no_pauses) as bot,
    ):
        (none,) = await bot.say("alice", f"!restore {X64}/43.20261001.0")
        assert f"{X64} has no version 43.20261001.0 that is disabled, or deleted and still kept" in none.text
        (bare,) = await bot.say("alice", f"!restore {X64}")
        assert f"{X64} has no version that can be restored." in bare.text
        before = version_numbers(azure, X64)
        await clean_up(bot, X64)
        (gone, *_) = sorted(before - version_numbers(azure, X64))
        (offered,) = await bot.say("alice", f"!restore {X64}")
        assert re.search(rf"Say which version of {X64}.* Next: `!restore {X64}/43", offered.text, re.DOTALL)
        typo = f"{gone[:-1]}7"
        (near,) = await bot.say("alice", f"!restore {X64}/{typo}")
        assert gone in near.text
        (there,) = await bot.say("alice", f"!restore {X64}/{LATEST}")
        assert "is there, in state Succeeded" in there.text
        (reader,) = await bot.say("carol", f"!images {X64}")
        assert "can be restored until" in reader.text
        assert "!restore" not in reader.text


async def test_what_was_latest_never_is_by_that_and_the_card_says_what_may_be_meanwhile(
    tmp_path: Path,
) -> None:
    """Somebody deleted what is latest, by another way."""
    async with (
        simulated_gallery(conditions=SOFT) as azure,
        running_bot(tmp_path, azure=azure, sleep=no_pauses) as bot,
    ):
        azure.state.delete(X64, LATEST)
        azure.state.versions_of(X64)
        azure.state.versions_of(X64)
        assert LATEST not in version_numbers(azure, X64)
        latest = azure.latest(X64, "eastus")
        card, _ = await propose(bot, f"!restore {X64}/{LATEST}")
        assert "not known: no operation of this Slipway took it away" in card.text
        assert "may be latest for some minutes" in card.text
        await bot.press("bob", Choice.APPROVE, card)
        assert "restore: done" in card.card.title
        assert azure.latest(X64, "eastus") == latest
        assert bot.excluded(X64, LATEST)


async def test_a_restart_between_coming_back_and_being_excluded_leaves_nothing_latest(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    async with simulated_gallery(clock, conditions=SOFT) as azure:
        azure.state.delete(X64, LATEST)
        azure.state.versions_of(X64)
        azure.state.versions_of(X64)
        async with running_bot(
            tmp_path, azure=azure, clock=clock, chat=chat, grace=timedelta(), sleep=no_pauses
        ) as bot:
            card, _ = await propose(bot, f"!restore {X64}/{LATEST}")
            held = inject_fault(bot, FaultKind.HOLD_AFTER, "PUT *")
            await bot.press("bob", Choice.APPROVE, card, wait=False)
            await held.reached.wait()
        azure.faults.clear()
        clock.advance(timedelta(hours=2))  # a break after which what is left is planned again
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, sleep=no_pauses) as bot:
            await bot.running.idle()
            assert await newest_state(bot) is OperationState.DONE
            assert bot.excluded(X64, LATEST)
            assert writes(azure)[-1] == f"PUT {LATEST}"
            assert len(writes(azure)) == 2


async def test_what_somebody_else_restored_meanwhile_is_left_alone(tmp_path: Path) -> None:
    async with (
        simulated_gallery(conditions=SOFT) as azure,
        running_bot(tmp_path, azure=azure, sleep=no_pauses) as bot,
    ):
        azure.state.delete(X64, LATEST)
        azure.state.versions_of(X64)
        azure.state.versions_of(X64)
        card, _ = await propose(bot, f"!restore {X64}/{LATEST}")
        azure.state.put(X64, LATEST, {"location": azure.seed.location})
        azure.state.versions_of(X64)
        azure.state.versions_of(X64)
        said = await bot.press("bob", Choice.APPROVE, card)
        assert "restore: stale" in card.card.title
        assert any("was deleted, and is now there" in each.text for each in said)
        assert bot.excluded(X64, LATEST) is False
