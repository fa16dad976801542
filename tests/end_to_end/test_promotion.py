"""What people in a room see of the bot's main job."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import Conditions
from slipway.bot.clouds.simulated.faults import FaultKind
from tests.support.azure import ARM, CANDIDATE, LATEST, X64, publishing_profile
from tests.support.harness import BotHarness, inject_fault, leave_as_found, propose, running_bot
from tests.support.pauses import no_pauses


async def test_a_promotion_is_planned_approved_done_and_reported(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        (card,) = await bot.say("alice", f"!promote {X64}")
        assert "waits for 1 approval" in card.text
        assert CANDIDATE in card.text
        assert bot.excluded(X64, CANDIDATE) is True

        (report,) = await bot.press("bob", Choice.APPROVE, card)

        assert bot.excluded(X64, CANDIDATE) is False
        assert report.thread == card.id
        assert "done" in report.text
        assert "promote: done" in card.text
        assert not card.card.buttons


async def test_the_same_event_twice_is_one_operation(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        await bot.say("alice", f"!promote {X64}", event_id="same")
        assert await bot.say("alice", f"!promote {X64}", event_id="same") == []
        assert len(await bot.running.operations.recent(10)) == 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    impatient = {"azure": {"operation_timeout": "2s"}}
    async with running_bot(tmp_path_factory.mktemp("state"), sleep=no_pauses, changes=impatient) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="module")
async def bot(shared: BotHarness) -> AsyncIterator[BotHarness]:
    """One bot for the tests below; each leaves the gallery as it found it."""
    yield shared
    await leave_as_found(shared)


def document(bot: BotHarness, version: str = CANDIDATE, definition: str = X64) -> dict[str, Any]:
    """A version as the gallery holds it."""
    return bot.azure.state.versions[definition.casefold()][version].document


@pytest.mark.asyncio(loop_scope="module")
async def test_a_promotion_needs_no_right_to_what_the_image_was_made_of(bot: BotHarness) -> None:
    bot.azure.conditions = Conditions(linked_rights=False)
    card, _ = await propose(bot)
    before = document(bot)["properties"]["storageProfile"]
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "promote: done" in report.card.title
    assert document(bot)["properties"]["storageProfile"] == before


@pytest.mark.asyncio(loop_scope="module")
async def test_a_change_beside_the_promotion_is_told_and_before_it_what_nobody_can_see(
    bot: BotHarness,
) -> None:
    card, _ = await propose(bot)
    assert "kept, but for one that is made in the moment of the write" in card.text
    held = inject_fault(bot, FaultKind.HOLD_AFTER, "PUT *")
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    document(bot)["tags"]["delete"] = "never"
    held.release()
    await bot.running.workflows.idle()
    assert bot.excluded(X64, CANDIDATE) is False
    report = bot.chat.report_of(card)
    assert (
        f"{CANDIDATE} of {X64} is promoted. Latest is {CANDIDATE} in all 3 regions. But while it"
        in report.text
    )
    assert "tags.delete was not there, and is now never" in report.text
    assert f"Next: `!images {X64}`" in report.card.notes


@pytest.mark.asyncio(loop_scope="module")
async def test_an_end_of_life_that_comes_before_the_next_try_is_not_undone(bot: BotHarness) -> None:
    card, _ = await propose(bot)
    inject_fault(bot, FaultKind.THROTTLE, "PUT *", seconds=0)
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, f"GET */versions/{CANDIDATE}", after=2)
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()  # the look before the second try
    publishing_profile(bot.azure, X64, CANDIDATE)["endOfLifeDate"] = "2026-11-01T00:00:00+00:00"
    held.release()
    await bot.running.workflows.idle()
    told = bot.chat.report_of(card).text
    assert f"{CANDIDATE} of {X64} reached its end of life on 2026-11-01; it was not promoted." in told
    assert bot.excluded(X64, CANDIDATE) is True


@pytest.mark.asyncio(loop_scope="module")
async def test_a_promotion_that_has_not_ended_is_seen_and_waited_for_by_the_next(bot: BotHarness) -> None:
    card, _ = await propose(bot)
    inject_fault(bot, FaultKind.NEVER_END, "PUT *")
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "has not finished within 2s" in report.text
    assert f"Next: `!promote {X64}`" in report.card.notes

    (refused,) = await bot.say("alice", f"!rollback {X64}")
    assert f"{CANDIDATE} of {X64} is Updating right now, and cannot be taken back until" in refused.text
    assert not refused.card.buttons
    card, _ = await propose(bot)  # what the card advised
    assert f"{CANDIDATE} of {X64} is being updated right now: this waits for the end of that." in card.text
    writes = len(bot.azure.writes)
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, f"GET */versions/{CANDIDATE}", after=1)
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()  # the step has seen that it is under way, and waits
    record = bot.azure.state.versions[X64.casefold()][CANDIDATE]
    record.running = None
    record.state = "Succeeded"
    held.release()
    await bot.running.workflows.idle()
    assert "promote: done" in card.text
    assert len(bot.azure.writes) == writes


async def promoted_meanwhile(bot: BotHarness, change: str) -> str:
    """A promotion of two definitions, with something done to the second one while the first is at work."""
    card, _ = await propose(bot, "!promote Fedora-Cloud-43-*")
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    second = X64 if ARM in bot.azure.requests[-1].path else ARM
    profile = publishing_profile(bot.azure, second, CANDIDATE)
    match change:
        case "ended":
            profile["endOfLifeDate"] = "2026-11-01T00:00:00+00:00"
        case "overtaken":
            newer = deepcopy(bot.azure.state.versions[second.casefold()][CANDIDATE])
            newer.document["name"] = "43.20261130.0"
            newer.document["properties"]["publishingProfile"]["excludeFromLatest"] = False
            bot.azure.state.versions[second.casefold()]["43.20261130.0"] = newer
        case "gone":
            del bot.azure.state.versions[second.casefold()][CANDIDATE]
    held.release()
    await bot.running.workflows.idle()
    assert "1 of 2 steps failed, 1 done." in card.text
    return bot.chat.report_of(card).text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("ended", "reached its end of life on 2026-11-01; it was not promoted"),
        (
            "overtaken",
            "is not the newest any more: 43.20261130.0 was promoted meanwhile; it was not promoted",
        ),
        ("gone", "is not there any more"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_each_step_looks_again_at_what_its_reason_rests_on(
    bot: BotHarness, change: str, words: str
) -> None:
    assert words in await promoted_meanwhile(bot, change)


@pytest.mark.asyncio(loop_scope="module")
async def test_what_was_rolled_back_while_a_promotion_of_many_runs_is_not_promoted_again(
    bot: BotHarness,
) -> None:
    card, _ = await propose(bot, "!promote Fedora-Cloud-43-*")
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    second = X64 if ARM in bot.azure.requests[-1].path else ARM
    # Meanwhile the second one is promoted by somebody, found bad, and rolled back.
    publishing_profile(bot.azure, second, CANDIDATE)["excludeFromLatest"] = False
    back, _ = await propose_now(bot, f"!rollback {second}")
    await bot.press("bob", Choice.APPROVE, back, wait=False)
    await bot.until(lambda: "rollback: done" in back.text)
    held.release()
    await bot.running.workflows.idle()
    told = bot.chat.report_of(card).text
    assert f"{CANDIDATE} of {second} was rolled back after this was planned; it was not promoted." in told
    assert bot.excluded(second, CANDIDATE) is True


async def propose_now(bot: BotHarness, text: str) -> tuple[Any, str]:
    """Ask for a change while others run; the card that proposes it."""
    before = len(bot.messages)
    await bot.say("alice", text, wait=False)
    await bot.until(lambda: any(shown.card.buttons for shown in bot.messages[before:]))
    card = next(shown for shown in bot.messages[before:] if shown.card.buttons)
    return card, card.card.buttons[0].operation_id


@pytest.mark.asyncio(loop_scope="module")
async def test_a_plan_is_stale_where_the_version_was_promoted_and_rolled_back_since(bot: BotHarness) -> None:
    card, _ = await propose(bot, f"!promote {X64} {CANDIDATE}")
    publishing_profile(bot.azure, X64, CANDIDATE)["excludeFromLatest"] = False
    back, _ = await propose(bot, f"!rollback {X64}")
    (report,) = await bot.press("bob", Choice.APPROVE, back)
    assert "rollback: done" in report.card.title
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "stale" in card.card.title
    assert f"{CANDIDATE} of {X64} was rolled back after this was planned" in report.text
    (refused,) = await bot.say("alice", f"!promote {X64} {CANDIDATE}")
    assert f"{CANDIDATE} of {X64} is said to be bad: rolled back" in refused.text
    await bot.say("alice", f"!good {X64}/{CANDIDATE} it was the mirror")
    again, _ = await propose(bot, f"!promote {X64} {CANDIDATE}")  # by its number, knowing that
    (report,) = await bot.press("bob", Choice.APPROVE, again)
    assert "promote: done" in report.card.title


@pytest.mark.asyncio(loop_scope="module")
async def test_a_number_that_azure_cannot_have_names_the_limit_and_the_nearest_by_number(
    bot: BotHarness,
) -> None:
    (answer,) = await bot.say("alice", f"!promote {X64} 43.2201041542.0")
    assert "43.2201041542.0 is not a version in Azure: each of the three numbers has 32 bits" in answer.text
    assert "2147483647" in answer.text
    (answer,) = await bot.say("alice", f"!promote {X64} 43.20261112.0")
    assert f"{X64} has no version 43.20261112.0." in answer.text
    assert f"Did you mean `!promote {X64} 43.20261114.0`, " in answer.text
    assert LATEST not in answer.text  # it is promoted already
    failed = "43.20261117.0"
    (answer,) = await bot.say("alice", f"!promote {X64} {failed[:-1]}1")
    assert f"Did you mean `!promote {X64} {CANDIDATE}`, " in answer.text
    assert failed not in answer.text  # nor can this one be
    (refused,) = await bot.say("alice", f"!promote {X64} {failed}")
    assert "is Failed, not Succeeded; it cannot be promoted" in refused.text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_promotion_that_another_operation_took_the_place_of_is_looked_at_again(
    bot: BotHarness,
) -> None:
    card, _ = await propose(bot, f"!promote {X64} {CANDIDATE}")
    inject_fault(bot, FaultKind.FAIL_HALFWAY, "PUT *", code="OperationPreempted")
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "promote: done" in report.card.title
    assert bot.excluded(X64, CANDIDATE) is False


@pytest.mark.asyncio(loop_scope="module")
async def test_a_rollback_that_has_not_ended_is_waited_for_and_takes_no_other_version_back(
    bot: BotHarness,
) -> None:
    card, _ = await propose(bot, "!rollback Fedora-Cloud-42-x64")
    inject_fault(bot, FaultKind.NEVER_END, "PUT *")
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "has not finished within 2s" in report.text
    taken = bot.azure.writes[-1].path.rsplit("/", 1)[1]
    assert "Next: `!rollback Fedora-Cloud-42-x64`" in report.card.notes
    latest = bot.azure.latest("Fedora-Cloud-42-x64", "eastus")
    card, _ = await propose(bot, "!rollback Fedora-Cloud-42-x64")  # what the card advised
    assert f"{taken} of Fedora-Cloud-42-x64 is being taken back right now" in card.text
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, f"GET */versions/{taken}", after=1)
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    record = bot.azure.state.versions["fedora-cloud-42-x64"][taken]
    record.running = None
    record.state = "Succeeded"
    held.release()
    await bot.running.workflows.idle()
    assert "rollback: done" in card.text
    assert len(bot.azure.writes) == 1
    assert bot.azure.latest("Fedora-Cloud-42-x64", "eastus") == latest


@pytest.mark.asyncio(loop_scope="module")
async def test_a_promotion_that_failed_halfway_is_made_again_as_its_card_advises(bot: BotHarness) -> None:
    card, _ = await propose(bot, f"!promote {X64} {CANDIDATE}")
    inject_fault(bot, FaultKind.FAIL_HALFWAY, "PUT *")
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "ended in failure (InternalOperationError)" in report.text
    assert f"Next: `!promote {X64} {CANDIDATE}`" in report.card.notes
    assert document(bot)["properties"]["provisioningState"] == "Failed"
    card, _ = await propose(bot, f"!promote {X64} {CANDIDATE}")
    assert f"{CANDIDATE} of {X64} is Failed: its update is made again." in card.text
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "promote: done" in report.card.title
    assert document(bot)["properties"]["provisioningState"] == "Succeeded"
