"""Releasing a lock: when it is safe, what is said where it is not, and what is never called released."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.operations.locking.model import Claim
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.locks.releasing import (
    STUCK_AFTER,
    Needed,
    Releasable,
    ReleaseExecutor,
    release_of,
)
from slipway.bot.subjects.locks.steps import DropLock
from tests.operations.builders import operation
from tests.support.azure import X64
from tests.support.clock import HOUR, NOW
from tests.support.harness import inject_fault, propose, running_bot
from tests.support.pauses import impatient

CLAIM = Claim("op-7k3f", frozenset({"definition azure:x"}), 4, NOW - HOUR, NOW - HOUR)
STEP = DropLock(operation="op-7k3f", targets=("definition azure:x",), ticket=4, person="alice", words="stuck")
RUNNING = operation().model_copy(update={"state": OperationState.RUNNING})
STOPPED = RUNNING.model_copy(update={"cancelled_by": "alice"})


class Stored:
    """Stands for what is stored; whether it keeps what is released."""

    def __init__(self, found: Releasable | Needed, *, broken: bool = False) -> None:
        self.locks = self
        self.claim: Claim | None = CLAIM
        self.found = found
        self.broken = broken

    async def of(self, _operation_id: str) -> Claim | None:
        return self.claim

    async def release(self, _operation_id: str) -> None:
        self.claim = self.claim if self.broken else None

    async def judge(self, _claim: Claim) -> Releasable | Needed:
        return self.found


def executor(stored: Stored) -> ReleaseExecutor:
    return ReleaseExecutor(stored)  # type: ignore[arg-type]


def test_one_that_is_at_work_has_to_be_stopped_first() -> None:
    found = release_of(CLAIM, RUNNING, NOW - HOUR, NOW)
    assert isinstance(found, Needed)
    assert found.sentence.startswith(
        "op-7k3f is at work on definition azure:x, and nothing else may change that"
    )
    assert found.hint == "cancel op-7k3f"


def test_one_that_was_stopped_gets_time_to_end_its_step_and_then_loses_its_lock_with_a_warning() -> None:
    soon = release_of(CLAIM, STOPPED, NOW, NOW + STUCK_AFTER - timedelta(seconds=1))
    assert isinstance(soon, Needed)
    assert "finishes its step 1; its lock goes with its end" in soon.sentence
    late = release_of(CLAIM, STOPPED, NOW, NOW + STUCK_AFTER)
    assert isinstance(late, Releasable)
    assert "whether it still changes something is not known" in late.warning


@pytest.mark.parametrize("state", [state for state in OperationState if state.ended])
def test_one_that_has_ended_needs_none(state: OperationState) -> None:
    assert release_of(CLAIM, RUNNING.model_copy(update={"state": state}), NOW, NOW) == Releasable()


async def test_a_lock_is_released_once_for_its_ticket() -> None:
    stored = Stored(Releasable())
    assert await executor(stored).observe(STEP, "t") is None
    await executor(stored).act(STEP, "t")
    assert (await executor(stored).verify(STEP, "t")).summary.startswith("op-7k3f has no lock")
    stored.claim = Claim("op-7k3f", CLAIM.targets, 9, NOW, NOW)  # it claims the same again
    done = await executor(stored).observe(STEP, "t")
    assert done is not None
    assert done.already


async def test_a_lock_that_is_needed_after_all_is_not_released() -> None:
    with pytest.raises(CloudError, match="is at work") as caught:
        await executor(Stored(Needed("op-7k3f is at work.", "cancel op-7k3f"))).observe(STEP, "t")
    assert caught.value.kind is CloudErrorKind.CONFLICT
    assert caught.value.remedy.command == "cancel op-7k3f"


async def test_a_lock_that_stays_is_never_called_released() -> None:
    stored = Stored(Releasable(), broken=True)
    await executor(stored).act(STEP, "t")
    with pytest.raises(CloudError, match="is there still") as caught:
        await executor(stored).verify(STEP, "t")
    assert caught.value.kind is CloudErrorKind.UNVERIFIED


async def test_the_lock_of_a_stuck_operation_is_released_by_whom_may_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:

        async def said(text: str, words: str, who: str = "admin") -> None:
            before = len(bot.messages)
            await bot.say(who, text, wait=False)
            await bot.until(lambda: any(words in each.text for each in bot.messages[before:]))

        stuck, name = await propose(bot)
        other, _ = await propose(bot, f"!rollback {X64}")
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
        await bot.press("bob", Choice.APPROVE, stuck, wait=False)
        await held.reached.wait()
        await bot.press("bob", Choice.APPROVE, other, wait=False)
        await bot.until(lambda: f"waits for {name}" in other.text)

        await said(f"!lock release {name} it hangs", "You need the right `lock.release`", who="carol")
        await said("!lock release op-2222 it hangs", "op-2222 has no lock.")
        await said(f"!lock release {name} it hangs", f"{name} is at work on")
        await bot.say("alice", f"!cancel {name}", wait=False)
        await bot.until(lambda: "Stopped by" in stuck.text)
        await said(f"!lock release {name} it hangs", "was asked to stop, and finishes its step 1")
        bot.clock.advance(STUCK_AFTER)
        await said(f"!lock release {name} it hangs", f"{name} has no lock on definition azure:")
        await bot.running.housekeeping.sweep()
        await bot.until(lambda: any(word in other.card.title for word in ("done", "stale", "failed")))
        held.release()
        await bot.running.workflows.idle()
        assert await bot.running.services.locks.all() == ()
