"""`!hold`, `!unhold` and `!holds` in the room."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.images.steps import DeleteVersion
from tests.support.azure import CANDIDATE, RAWHIDE, X64, simulated_gallery, version_numbers
from tests.support.clock import FakeClock
from tests.support.harness import inject_fault, newest_state, propose, running_bot
from tests.support.memory_chat import MemoryChat

IMAGE = f"{X64}/{CANDIDATE}"


async def test_a_hold_is_shown_counts_over_a_restart_and_ends_by_itself(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    async with simulated_gallery(clock) as azure:
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat) as bot:
            agreed, _ = await propose(bot, f"!promote {IMAGE}")
            said = await bot.say("bob", f"!hold --for 3d {IMAGE} cloud-init hangs, I look at it")
            assert "hold: done" in said[0].text
            assert "(cloud-init hangs, I look at it)." in said[0].text  # others are to know why
            assert f"{CANDIDATE} of {X64} is held until 2026-11-23 12:00 UTC." in said[-1].text
            (report,) = await bot.press("bob", Choice.APPROVE, agreed)
            assert await newest_state(bot) is not OperationState.RUNNING
            assert "is held by Bob until 2026-11-23 12:00 UTC (cloud-init hangs, I look at it)" in report.text
            assert "Nothing was changed" in report.text or "nothing was done" in report.text
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat) as bot:
            (listed,) = await bot.say("carol", "!holds")
            assert "Bob" in listed.text
            assert "cloud-init hangs, I look at it" in listed.text
            assert "!unhold" not in listed.text  # she may not
            (shown,) = await bot.say("carol", f"!images {X64}")
            assert "candidate, held" in shown.text
            assert f"{CANDIDATE} is held by Bob until" in shown.text
            (refused,) = await bot.say("alice", f"!promote {IMAGE}")
            assert "it is not promoted" in refused.text
            assert bot.azure.writes == []
            clock.advance(timedelta(days=3))
            (none,) = await bot.say("carol", "!holds")
            assert none.text.strip().endswith("Nothing is held.")
            await propose(bot, f"!promote {IMAGE}")


async def test_whoever_may_lifts_a_hold_and_is_told_whose_it_is(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        await bot.say("bob", f"!hold {X64} a freeze until the release")
        (own,) = await bot.say("alice", f"!unhold {IMAGE}")
        assert "is held with all of its definition, by Bob (a freeze until the release)" in own.text
        assert f"!unhold {X64}" in own.text
        await bot.say("alice", f"!hold --for 2h {IMAGE} looked at")
        again = await bot.say("alice", f"!hold {IMAGE} looked at, still")
        assert "hold: done" in again[0].text
        (dry,) = await bot.say("carol", f"!unhold --dry-run {X64}")
        assert f"lift the hold of Bob on all of {X64}" in dry.text
        lifted = await bot.say("alice", f"!unhold {X64} released")
        assert f"The hold of Bob on all of {X64} is lifted." in lifted[-1].text
        (left,) = await bot.say("carol", "!holds")
        assert left.text.count("looked at") == 1
        (nothing,) = await bot.say("alice", f"!unhold {X64}")
        assert f"Nothing holds All of {X64}" in nothing.text or f"Nothing holds all of {X64}" in nothing.text


async def test_a_hold_placed_while_a_clean_up_runs_stops_what_is_left_and_is_told_once(
    tmp_path: Path,
) -> None:
    nobody = {"policy": {"cleanup": {"approvals": 0}}}
    async with running_bot(tmp_path, changes=nobody) as bot:
        before = version_numbers(bot.azure, RAWHIDE)
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "DELETE *")
        await bot.say("alice", f"!cleanup {RAWHIDE}", wait=False)
        await held.reached.wait()
        await bot.say("bob", f"!hold {RAWHIDE} the release team needs all of them", wait=False)
        await bot.until(lambda: any("hold: done" in each.text for each in bot.messages))
        held.release()
        await bot.running.idle()
        operation = next(each for each in await bot.running.operations.recent(5) if each.kind == "cleanup")
        steps = [step for step in operation.plan.steps if isinstance(step, DeleteVersion)]
        assert len(steps) > 2
        assert before - version_numbers(bot.azure, RAWHIDE) == {steps[0].version}
        report = bot.messages[-1].text
        assert report.count("is held by Bob (the release team needs all of them)") == 1
        assert operation.state is OperationState.FAILED


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"!hold {IMAGE}", "Say why it is held"),
        (f"!hold {X64} {CANDIDATE}", "Say why it is held"),
        (f"!hold {IMAGE} why not --dry-run", "`--dry-run` stands before the image"),
        (f"!hold --for tomorrow {IMAGE} why", "is not a duration"),
        (f"!hold {X64}/43.1.0 why", f"{X64} has no version 43.1.0"),
        ("!hold Nothing why", "There is no image definition Nothing"),
        (f"!unhold {IMAGE}", f"Nothing holds {CANDIDATE} of {X64}"),
    ],
)
async def test_bad_input_is_one_sentence_and_holds_nothing(tmp_path: Path, line: str, said: str) -> None:
    async with running_bot(tmp_path) as bot:
        (answer,) = await bot.say("alice", line)
        assert said in answer.text
        (none,) = await bot.say("carol", "!holds")
        assert "Nothing is held." in none.text
