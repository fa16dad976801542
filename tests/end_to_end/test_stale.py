"""What changed between proposal and start: only what is still as people agreed to is done."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from tests.support.azure import (
    ARM,
    ARM_CANDIDATE,
    CANDIDATE,
    LATEST,
    X64,
    publishing_profile,
    simulated_gallery,
    version_numbers,
)
from tests.support.configuration import TWO_APPROVALS
from tests.support.harness import BotHarness, audit_trail, inject_fault, newest_state, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage


async def stale(bot: BotHarness, card: PostedMessage, who: str = "bob") -> PostedMessage:
    """Approve, and see that nothing was done and that the card says so."""
    (report,) = await bot.press(who, Choice.APPROVE, card)
    assert "stale" in card.card.title
    assert "Things changed after this was proposed, so nothing was done." in card.text
    assert not card.card.buttons
    assert bot.azure.writes == []
    assert (await audit_trail(bot))[-1]["action"] == "stale"
    return report


async def test_a_gallery_that_was_changed_by_hand_makes_the_plan_stale_and_the_card_says_how(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        publishing_profile(bot.azure, X64, CANDIDATE)["excludeFromLatest"] = False
        report = await stale(bot, card)
        assert "promoted" in report.text
        assert "To plan it afresh" not in report.text  # it is as it was asked for

        card, _ = await propose(bot, f"!promote {ARM}")
        del bot.azure.state.versions[ARM.casefold()][ARM_CANDIDATE]
        report = await stale(bot, card)
        assert f"{ARM} has no version {ARM_CANDIDATE}" in report.text
        assert f"Next: `!images {ARM}`" in report.card.notes

        card, _ = await propose(bot, "!rollback Fedora-Cloud-42-x64")
        name = "fedora-cloud-42-x64"
        latest = bot.azure.latest(name, "eastus")
        assert latest is not None
        publishing_profile(bot.azure, name, latest)["targetRegions"][0]["excludeFromLatest"] = True
        report = await stale(bot, card)
        assert "promoted in was eastus, southeastasia, westeurope" in report.text


async def test_a_newer_candidate_that_arrives_meanwhile_does_not_make_the_plan_stale(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        record = bot.azure.state.versions[X64.casefold()][CANDIDATE]
        newer = deepcopy(record)
        newer.document["name"] = "43.20261119.0"
        bot.azure.state.versions[X64.casefold()]["43.20261119.0"] = newer
        assert "43.20261119.0" in version_numbers(bot.azure, X64)

        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "done" in report.text
        assert bot.excluded(X64, CANDIDATE) is False
        assert bot.excluded(X64, "43.20261119.0") is True


async def test_a_newer_latest_that_somebody_promoted_meanwhile_makes_the_plan_stale(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot, f"!promote {X64} {CANDIDATE}")
        publishing_profile(bot.azure, X64, "43.20261116.0")["excludeFromLatest"] = False
        report = await stale(bot, card)
        assert LATEST in report.text
        assert "43.20261116.0" in report.text


async def test_a_policy_that_was_changed_across_a_restart_makes_the_plan_stale(tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        chat = MemoryChat()
        async with running_bot(tmp_path, azure=azure, chat=chat) as bot:
            card, _ = await propose(bot)
        async with running_bot(tmp_path, azure=azure, chat=chat, changes=TWO_APPROVALS) as bot:
            report = await stale(bot, card)
            assert "who must agree was changed in the configuration" in report.text


async def test_an_approver_who_lost_the_role_before_it_began_does_not_count(tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        chat = MemoryChat()
        async with running_bot(tmp_path, azure=azure, chat=chat, grace=timedelta()) as bot:
            card, _ = await propose(bot)
            held = inject_fault(bot, FaultKind.HOLD_BEFORE, "GET *")
            await bot.press("bob", Choice.APPROVE, card, wait=False)
            await held.reached.wait()  # planning again is under way, and the bot goes down
            assert await newest_state(bot) is OperationState.APPROVED
        azure.faults.clear()
        demoted = [
            {"id": "alice", "name": "Alice", "identities": ["console:alice"], "roles": ["releng"]},
            {"id": "bob", "name": "Bob", "identities": ["console:bob"], "roles": ["reader"]},
            {"id": "dan", "name": "Dan", "identities": ["console:dan"], "roles": ["releng"]},
        ]
        async with running_bot(tmp_path, azure=azure, chat=chat, changes={"person": demoted}) as bot:
            await bot.running.workflows.idle()
            assert await newest_state(bot) is OperationState.STALE
            report = bot.chat.report_of(card)
            assert "an approval no longer counts: its giver lost the role" in report.text
            assert azure.writes == []


async def test_an_approval_before_a_restart_counts_after_it(tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        chat = MemoryChat()
        async with running_bot(tmp_path, azure=azure, chat=chat, changes=TWO_APPROVALS) as bot:
            card, _ = await propose(bot)
            await bot.press("bob", Choice.APPROVE, card)
        erin = [
            {"id": name, "name": name.title(), "identities": [f"console:{name}"], "roles": ["releng"]}
            for name in ("alice", "bob", "erin")
        ]
        async with running_bot(
            tmp_path, azure=azure, chat=chat, changes=TWO_APPROVALS | {"person": erin}
        ) as bot:
            (report,) = await bot.press("erin", Choice.APPROVE, card)
            assert "done" in report.text
            assert len(azure.writes) == 1


@pytest.mark.parametrize("fault", [FaultKind.REFUSE, FaultKind.GARBAGE])
async def test_a_cloud_that_cannot_be_looked_at_before_it_begins_ends_it_with_nothing_changed(
    tmp_path: Path, fault: FaultKind
) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        inject_fault(bot, fault, "GET *", times=None)
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "failed" in card.card.title
        assert "It failed before anything was changed." in report.text
        assert "Whose move: whoever runs Slipway." in report.text
        when = ", once it is permitted" if fault is FaultKind.REFUSE else ""
        assert f"Next{when}: `!promote {X64}" in report.text
        assert bot.azure.writes == []


async def test_a_bot_that_stops_while_a_step_runs_finishes_it_after_the_restart_once(tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        chat = MemoryChat()
        async with running_bot(tmp_path, azure=azure, chat=chat, grace=timedelta()) as bot:
            card, _ = await propose(bot)
            held = inject_fault(bot, FaultKind.HOLD_AFTER, "PUT *")
            await bot.press("bob", Choice.APPROVE, card, wait=False)
            await held.reached.wait()
        azure.faults.clear()
        async with running_bot(tmp_path, azure=azure, chat=chat) as bot:
            async with asyncio.timeout(30):
                await bot.running.workflows.idle()
            assert await newest_state(bot) is OperationState.DONE
            assert bot.excluded(X64, CANDIDATE) is False
            reports = [shown for shown in chat.messages if shown.thread == card.id]
            assert len(reports) == 1
            keys = [entry["key"] for entry in await audit_trail(bot)]
            assert len(keys) == len(set(keys))
        assert len(azure.writes) == 1
