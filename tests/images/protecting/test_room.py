"""What is latest is protected by a promotion and a rollback, in the room; and where the cloud does not let us."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure.conditions import Conditions
from slipway.bot.operations.model import OperationState
from tests.support.azure import CANDIDATE, LATEST, X64, version_numbers
from tests.support.clock import DAY, FakeClock
from tests.support.harness import BotHarness, newest_state, propose, running_bot

PROTECT: dict[str, Any] = {"promotion": {"*": {"protect": True}}}


def is_blocked(bot: BotHarness, version: str) -> bool:
    properties = bot.azure.state.version(X64, version).document["properties"]
    return bool(properties["safetyProfile"]["blockDeletionBeforeEndOfLife"])


async def test_a_promotion_shows_and_does_it_and_so_does_a_rollback(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=PROTECT) as bot:
        card, _ = await propose(bot, f"!promote {X64}")
        assert f"protect {CANDIDATE} of {X64} from deletion" in card.text
        assert "by Azure's block of deletion before end of life" in card.text
        await bot.press("bob", Choice.APPROVE, card)
        assert "promote: done" in card.card.title
        assert is_blocked(bot, CANDIDATE)
        (shown,) = await bot.say("carol", f"!images {X64}/{CANDIDATE}")
        assert re.search(r"Protected from deletion: +by Slipway", shown.text)
        assert len(re.findall(r"promote \(op-\w+\)", shown.text)) == 1, (
            "one operation, one line of its history"
        )
        back, _ = await propose(bot, f"!rollback {X64}")
        assert f"protect {LATEST} of {X64} from deletion" in back.text
        await bot.press("bob", Choice.APPROVE, back)
        assert "rollback: done" in back.card.title
        assert is_blocked(bot, LATEST), "it was promoted before anything was to be protected"
        assert is_blocked(bot, CANDIDATE), "a clean-up alone lifts that"


async def test_where_the_right_to_a_lock_is_missing_it_is_promoted_and_said_once(tmp_path: Path) -> None:
    by_lock = {**PROTECT, "azure": {"protection": "lock"}}
    async with running_bot(tmp_path, changes=by_lock) as bot:
        bot.azure.state.conditions = Conditions(lock_rights=False)
        card, _ = await propose(bot, f"!promote {X64}")
        await bot.press("bob", Choice.APPROVE, card)
        assert await newest_state(bot) is OperationState.FAILED
        assert not bot.excluded(X64, CANDIDATE)
        report = bot.chat.report_of(card).text
        assert "Microsoft.Authorization/locks/write" in report
        bot.azure.state.conditions = Conditions()
        again, _ = await propose(bot, f"!promote {X64}")
        assert f"{CANDIDATE} of {X64}, latest already, is protected from deletion." in again.text
        await bot.press("bob", Choice.APPROVE, again)
        assert await newest_state(bot) is OperationState.DONE
        assert [lock.name for lock in bot.azure.state.conditions.locks] == ["slipway-slipway-demo"]


async def test_what_is_protected_is_announced_first_and_a_protection_that_stays_is_told_once(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    changes = {
        **PROTECT,
        "azure": {"protection": "lock"},
        "retention": {"announce": "3d", "keep_candidates": 3},
    }
    older = "43.20261114.0"
    async with running_bot(tmp_path, clock=clock, changes=changes) as bot:
        for order in (f"!promote {X64}/{older}", f"!rollback {X64}"):
            card, _ = await propose(bot, order)
            await bot.press("bob", Choice.APPROVE, card)
        line = f"!cleanup {X64}"
        (_, announced) = await bot.say("alice", line)
        assert f"{older} of {X64} is announced to go" in announced.text
        assert "the protection" not in announced.text
        clock.advance(3 * DAY)
        bot.azure.state.conditions = bot.azure.state.conditions.model_copy(update={"lock_rights": False})
        card, _ = await propose(bot, line)
        lift, delete = f"lift the protection of {older} of {X64}", f"delete {older} of {X64}"
        assert lift in card.text
        await bot.press("bob", Choice.APPROVE, card)
        report = bot.chat.report_of(card).text
        assert "1 of 7 steps failed, 5 done, 1 not tried." in report
        assert "Microsoft.Authorization/locks/delete" in report
        assert len(re.findall(r"Step \d+:", report)) == 2
        assert f"- not done: {delete}" in report
        assert re.search(r"Step \d+: not tried, as the step before failed\.", report)
        assert older in version_numbers(bot.azure, X64)

        bot.azure.state.conditions = bot.azure.state.conditions.model_copy(update={"lock_rights": True})
        card, _ = await propose(bot, line)
        await bot.press("bob", Choice.APPROVE, card)
        assert await newest_state(bot) is OperationState.DONE
        assert older not in version_numbers(bot.azure, X64)


@pytest.mark.parametrize("line", [f"!promote {X64}", f"!promote --due {X64}"])
async def test_nothing_of_it_is_shown_where_it_is_not_configured(tmp_path: Path, line: str) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot, line)
        assert "protect" not in card.text
