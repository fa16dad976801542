"""Operations that Slipway's own faults or another operation get in the way of: each ends, and says the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.core.errors import StorageError
from slipway.bot.core.steps import Step
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.runs.locks import Locks
from slipway.bot.subjects.images.cleaning_up.confirmation import CleanupConfirmation
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.services import ImageServices
from tests.support.azure import CANDIDATE, LATEST, RAWHIDE, X64, publishing_profile
from tests.support.harness import (
    audit_trail,
    inject_fault,
    lost_database,
    newest_operation,
    newest_state,
    propose,
    running_bot,
)
from tests.support.harness import refusing_database as refusing
from tests.support.pauses import impatient, no_pauses


@pytest.mark.parametrize(
    ("entry", "told", "changed"),
    [
        ("started", "It broke off after 0 of 1 steps", False),
        ("step-1:begun", "It broke off after 0 of 1 steps", False),
        ("step-1:done", "1 of 1 steps failed", True),
    ],
)
async def test_an_operation_that_cannot_be_recorded_ends_failed_and_says_whose_move_it_is(
    tmp_path: Path, entry: str, told: str, changed: bool
) -> None:
    async with running_bot(tmp_path) as bot:
        card, operation = await propose(bot)
        async with refusing(bot, f"INSERT ON audit WHEN NEW.action = '{entry}'"):
            (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "failed" in card.card.title
        assert told in report.text
        assert "Whose move: whoever runs Slipway." in report.text
        assert f"!op {operation}" in report.text
        assert (bot.excluded(X64, CANDIDATE) is False) is changed
        assert [line["action"] for line in await audit_trail(bot)][-1] == "failed"


async def test_an_operation_whose_end_cannot_be_recorded_ends_once_it_can(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        async with refusing(bot, "UPDATE ON operation WHEN OLD.state = 'running'"):
            await bot.press("bob", Choice.APPROVE, card)
            assert await newest_state(bot) is OperationState.RUNNING
        before = len(bot.messages)
        await bot.running.housekeeping.sweep()
        await bot.running.housekeeping.sweep()
        (report,) = bot.messages[before:]
        assert f"{CANDIDATE} of {X64} is promoted." in report.text
        assert "done" in card.card.title


@pytest.mark.parametrize("held_at", ["GET *", "PUT *"])
async def test_an_operation_that_cannot_be_read_for_a_while_goes_on_once_it_can(
    tmp_path: Path, held_at: str
) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        card, _ = await propose(bot)
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, held_at)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        async with lost_database(bot, tmp_path):
            held.release()
        await bot.running.workflows.idle()
        assert await newest_state(bot) is OperationState.DONE
        assert len(bot.azure.writes) == 1


async def test_what_cannot_be_answered_for_a_while_is_answered_once_it_can(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "GET *")
        await bot.say("alice", f"!promote {X64}", wait=False)
        await held.reached.wait()
        async with lost_database(bot, tmp_path):
            held.release()
        await bot.running.idle()
        texts = [each.text for each in bot.messages]
        assert sum("promote: waits for 1 approval" in text for text in texts) == 1, texts
        assert not any("Internal error" in text for text in texts)


async def test_a_last_look_that_cannot_read_the_state_folder_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, look = [], CleanupConfirmation.__call__

    async def unlucky(self: CleanupConfirmation, done: Sequence[Step]) -> str:
        looks.append(done)
        if len(looks) == 1:
            raise StorageError("slipway.db cannot be used now: the disk does not read or write.")
        return await look(self, done)

    monkeypatch.setattr(CleanupConfirmation, "__call__", unlucky)
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        card, _ = await propose(bot, f"!cleanup {RAWHIDE}")
        await bot.press("bob", Choice.APPROVE, card)
        assert "cleanup: done" in card.card.title
        assert len(looks) == 2


async def test_housekeeping_leaves_an_operation_alone_that_is_at_work(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        await bot.running.housekeeping.sweep()
        assert await newest_state(bot) is OperationState.RUNNING
        held.release()
        await bot.running.workflows.idle()
        assert await newest_state(bot) is OperationState.DONE


async def test_of_two_operations_on_one_definition_the_second_sees_what_the_first_did(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:  # whose cards show at once how far it is
        promotion, _ = await propose(bot)
        rollback, _ = await propose(bot, f"!rollback {X64}")
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
        await bot.press("bob", Choice.APPROVE, promotion, wait=False)
        await held.reached.wait()
        await bot.press("bob", Choice.APPROVE, rollback, wait=False)
        await bot.until(lambda: "approved" in rollback.card.title or "running" in rollback.card.title)
        held.release()
        await bot.running.workflows.idle()
        assert "done" in promotion.card.title
        assert "stale" in rollback.card.title
        report = bot.chat.report_of(rollback)
        assert f"{LATEST} is not the latest of {X64} any more; {CANDIDATE} is." in report.text
        assert bot.excluded(X64, LATEST) is False


async def test_a_rollback_does_not_wait_for_a_clean_up_of_other_definitions(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        cleanup, _ = await propose(bot, f"!cleanup {RAWHIDE}")
        rollback, _ = await propose(bot, f"!rollback {X64}")
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "DELETE *")
        await bot.press("bob", Choice.APPROVE, cleanup, wait=False)
        await held.reached.wait()
        await bot.press("bob", Choice.APPROVE, rollback, wait=False)
        await bot.until(lambda: "done" in rollback.card.title)
        held.release()
        await bot.running.workflows.idle()
        assert "done" in cleanup.card.title
        assert (await newest_operation(bot)).state is OperationState.DONE


async def test_a_cancelled_wait_for_a_definition_holds_up_nobody() -> None:
    locks = Locks()
    entered = asyncio.Event()

    async def wait() -> None:
        async with locks.holding(("a", "b")):
            entered.set()

    async with locks.holding(("b",)):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(5), locks.holding(("b", "a", "a")):
        assert not entered.is_set()


async def test_a_version_whose_roll_back_failed_is_not_promoted_by_itself_again(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        inject_fault(bot, FaultKind.REFUSE, "PUT *")
        rollback, _ = await propose(bot, f"!rollback {X64}")
        await bot.press("bob", Choice.APPROVE, rollback)
        assert "failed" in rollback.card.title
        publishing_profile(bot.azure, X64, CANDIDATE)["excludeFromLatest"] = (
            True  # it, or somebody, did it after all
        )
        (answer,) = await bot.say("alice", f"!promote {X64}")
        assert f"{CANDIDATE} of {X64} is newer, and is passed over because it was rolled back." in answer.text
        assert "(it is the newest candidate that was not rolled back)" in answer.text
        (chosen,) = [each.model_dump()["version"] for each in (await newest_operation(bot)).plan.steps]
        (one,) = await bot.say("alice", f"!images {X64}")
        rows = {row[0]: row[1] for row in one.card.tables[0].rows}
        assert rows[CANDIDATE] == "candidate, rolled back"
        assert rows[chosen] == "candidate"
        assert f"Promote {chosen}: `!promote {X64}`" in one.card.notes
        assert any(note.endswith(f"`!promote {X64}/{CANDIDATE}`") for note in one.card.notes)
        (every,) = await bot.say("alice", "!images")
        assert {row[0]: row[2] for row in every.card.tables[0].rows}[X64] == chosen

        bot.clock.advance(timedelta(minutes=1))
        named, _ = await propose(bot, f"!promote {X64} {CANDIDATE}")
        await bot.press("bob", Choice.APPROVE, named)
        assert "done" in named.card.title
        history = bot.running.services.get(ImageServices).history
        assert await history.rolled_back([Pin(definition=X64, version=CANDIDATE)]) == ()
