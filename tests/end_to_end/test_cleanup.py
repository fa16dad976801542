"""Cleaning up: who must agree, and that deleting stays the careful one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipway.bot.chat.model import Choice
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.images.steps import DeleteVersion
from tests.support.azure import ARM, ENDED, RAWHIDE, X64, publishing_profile, version_numbers
from tests.support.harness import newest_operation, newest_state, propose, running_bot

NOBODY: dict[str, Any] = {"policy": {"cleanup": {"approvals": 0}}}


async def test_without_approvals_it_runs_at_once_but_not_where_most_of_a_definition_would_go(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, changes=NOBODY) as bot:
        held = version_numbers(bot.azure, X64)
        card, report = await bot.say("alice", f"!cleanup {X64}")
        assert "cleanup: done" in card.card.title
        assert report.thread == card.id
        assert not card.cards[0].buttons
        gone = held - version_numbers(bot.azure, X64)
        assert 0 < len(gone) < len(held) / 2
        assert await newest_state(bot) is OperationState.DONE
        (nothing,) = await bot.say("alice", f"!cleanup {X64}")
        assert "Nothing to clean up: retention keeps all" in nothing.text

        card, _ = await propose(bot, f"!cleanup {ENDED}")  # all of its versions have ended
        assert "waits for 1 approval" in card.text
        assert f"More than 50% would go of {ENDED} (3 of 3)." in card.text
        assert len(version_numbers(bot.azure, ENDED)) == 3
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "cleanup: done" in report.card.title
        assert version_numbers(bot.azure, ENDED) == set()


async def test_the_share_that_needs_an_approval_is_configured(tmp_path: Path) -> None:
    careful = NOBODY | {"retention": {"approval_share": 0.01}}
    async with running_bot(tmp_path, changes=careful) as bot:
        card, _ = await propose(bot, f"!cleanup {X64}")
        assert "More than 1% would go of" in card.text
        assert bot.azure.writes == []


async def test_what_was_taken_up_or_protected_meanwhile_is_not_deleted(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot, f"!cleanup {X64}")
        doomed = [
            step.version
            for step in (await newest_operation(bot)).plan.steps
            if isinstance(step, DeleteVersion)
        ]
        candidate = next(each for each in doomed if each > "43.20261001")
        publishing_profile(bot.azure, X64, candidate)["excludeFromLatest"] = False
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "stale" in card.card.title
        assert f"no longer planned: delete {candidate} of {X64}" in report.text

        card, _ = await propose(bot, f"!cleanup {ARM}")
        doomed = [
            step.version
            for step in (await newest_operation(bot)).plan.steps
            if isinstance(step, DeleteVersion)
        ]
        tags = bot.azure.state.versions[ARM.casefold()][doomed[0]].document["tags"]
        tags["delete"] = "never"
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "stale" in card.card.title
        assert bot.azure.writes == []


async def test_each_version_carries_the_rule_that_chose_it(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot, "!cleanup")
        assert "Past end of life" in card.text
        (full,) = await bot.say("carol", f"!op {name}")
        steps = (await newest_operation(bot)).plan.steps
        assert len(steps) > 12
        assert f"All steps: `!op {name}`" in card.card.notes
        assert "Plan: the first 12 of" in card.text
        for step in steps:
            assert step.title in full.text
            assert step.reason
        assert "its definition is rolling, and it is not among the newest 7" in full.text
        assert RAWHIDE in full.text
