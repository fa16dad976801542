"""Cleaning up: who must agree, and that deleting stays the careful one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import Conditions, Lock, LockLevel
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.images.steps import DeleteVersion
from tests.support.azure import ARM, ENDED, RAWHIDE, X64, publishing_profile, version_numbers
from tests.support.harness import (
    BotHarness,
    inject_fault,
    leave_as_found,
    newest_operation,
    newest_state,
    propose,
    running_bot,
)
from tests.support.pauses import no_pauses

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
        operation = (await newest_operation(bot)).id
        (shown,) = await bot.say("carol", f"!images {X64}/{min(gone)}")
        assert shown.card.title == f"{X64} has no version {min(gone)} any more"
        assert f"{operation} deleted it: it " in shown.text

        card, _ = await propose(bot, f"!cleanup {ENDED}")  # all of its versions have ended
        assert "waits for 1 approval" in card.text
        assert f"More than 50% would go of {ENDED} (3 of 3)." in card.text
        assert len(version_numbers(bot.azure, ENDED)) == 3
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "cleanup: done" in report.card.title
        assert version_numbers(bot.azure, ENDED) == set()


async def test_the_share_that_needs_an_approval_is_configured(tmp_path: Path) -> None:
    careful = NOBODY | {"retention": {"max_share": 0.01}}
    async with running_bot(tmp_path, changes=careful) as bot:
        card, _ = await propose(bot, f"!cleanup {X64}")
        assert "More than 1% would go of" in card.text
        assert bot.azure.writes == []


async def test_the_last_promoted_version_goes_only_by_an_approval_and_the_card_begins_with_that(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, changes=NOBODY | {"retention": {"max_share": 1}}) as bot:
        for number in version_numbers(bot.azure, ENDED):
            publishing_profile(bot.azure, ENDED, number)["excludeFromLatest"] = False
        card, _ = await propose(bot, f"!cleanup {ENDED}")
        assert "waits for 1 approval" in card.text
        newest = max(version_numbers(bot.azure, ENDED))
        assert f"⚠ Attention, the last promoted version goes: {newest} of {ENDED}." in card.text
        assert card.card.text.split("⚠ ")[1].startswith("Attention, the last promoted version goes")
        assert bot.azure.writes == []
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "cleanup: done" in report.card.title


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
        assert f"All steps: in the thread, or `!op {name}`" in card.card.notes
        assert "Plan: the first 12 of" in card.text
        for step in steps:
            assert step.title in full.text
            assert step.reason
        assert "its definition is rolling, and it is not among the newest 7" in full.text
        assert RAWHIDE in full.text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    async with running_bot(tmp_path_factory.mktemp("state"), sleep=no_pauses) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="module")
async def bot(shared: BotHarness) -> AsyncIterator[BotHarness]:
    """One bot for the tests below; each leaves the gallery as it found it."""
    yield shared
    await leave_as_found(shared)


async def doomed_by_the_plan(bot: BotHarness) -> list[str]:
    """What the newest plan deletes, in its order."""
    plan = (await newest_operation(bot)).plan
    return [step.version for step in plan.steps if isinstance(step, DeleteVersion)]


def document(bot: BotHarness, version: str, definition: str = X64) -> dict[str, Any]:
    """A version as the gallery holds it."""
    return bot.azure.state.versions[definition.casefold()][version].document


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("SubscriptionNotFound", "configured does not exist there, or cannot be used (SubscriptionNotFound)"),
        (
            "ResourceGroupNotFound",
            "configured does not exist there, or cannot be used (ResourceGroupNotFound)",
        ),
        ("GalleryNotFound", "configured does not exist there, or cannot be used (GalleryNotFound)"),
        ("ParentResourceNotFound", "(ParentResourceNotFound)"),
        ("ResourceNotFound", "and lists it all the same"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_404_that_is_no_absence_is_never_called_done(bot: BotHarness, code: str, words: str) -> None:
    card, _ = await propose(bot, f"!cleanup {X64}")
    held = version_numbers(bot.azure, X64)
    # Planning again reads one version, for its copies: what fails is the look before a deletion.
    inject_fault(bot, FaultKind.NOT_FOUND, "GET */versions/4*", code=code, after=1, times=None)
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "cleanup: failed" in report.card.title
    assert ", 0 done." in report.text
    assert words in report.text
    assert ("Whose move: whoever runs Slipway." in report.card.notes) is ("configured" in words)
    assert version_numbers(bot.azure, X64) == held


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_listed_again_at_the_end_is_not_called_done(bot: BotHarness) -> None:
    card, name = await propose(bot, f"!cleanup {X64}")
    first, second, *_ = await doomed_by_the_plan(bot)
    record = bot.azure.state.versions[X64.casefold()][first]
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, f"DELETE */{second}")
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    bot.azure.state.versions[X64.casefold()][first] = record  # somebody restored it
    held.release()
    await bot.running.workflows.idle()
    assert f"{name} cleanup: failed" in card.text
    assert "a last look does not confirm that" in card.text
    assert f"1 version is listed still, or again: {first} of {X64}." in bot.chat.report_of(card).text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_listing_that_cannot_be_made_at_the_end_leaves_it_unconfirmed(bot: BotHarness) -> None:
    card, _ = await propose(bot, f"!cleanup {ENDED}")
    last = (await doomed_by_the_plan(bot))[-1]
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, f"DELETE */{last}")
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    # One listing confirms that the last one is absent; the next one is the last look.
    inject_fault(bot, FaultKind.REFUSE, f"GET */images/{ENDED}/versions", after=1, times=None)
    held.release()
    await bot.running.workflows.idle()
    assert "cleanup: failed" in card.text
    assert "AuthorizationFailed" in bot.chat.report_of(card).text


@pytest.mark.asyncio(loop_scope="module")
async def test_what_azure_would_refuse_to_delete_is_kept_with_its_rule(bot: BotHarness) -> None:
    await propose(bot, f"!cleanup {RAWHIDE}")
    doomed = await doomed_by_the_plan(bot)
    blocked, locked = doomed[-1], doomed[-2]
    safety = document(bot, blocked, RAWHIDE)["properties"]["safetyProfile"]
    safety["blockDeletionBeforeEndOfLife"] = True
    bot.azure.conditions = Conditions(
        locks=(
            Lock(scope=f"{bot.azure.seed.gallery_id}/images/{RAWHIDE}/versions/{locked}", name="keep"),
            Lock(scope=f"{bot.azure.seed.gallery_id}/images/{ARM}", level=LockLevel.READ_ONLY),
        )
    )
    card, _ = await propose(bot, f"!cleanup {RAWHIDE}")
    assert set(await doomed_by_the_plan(bot)) == set(doomed) - {blocked, locked}
    due = "Kept, though due (older rolling versions)"
    assert f"{due}: {blocked} of {RAWHIDE}: its cloud refuses to delete it" in card.text
    assert f"{due}: {locked} of {RAWHIDE}: a lock in its cloud forbids to delete it." in card.text
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "cleanup: done" in report.card.title
    (nothing,) = await bot.say("alice", f"!cleanup {ARM}")
    assert "Nothing to clean up" in nothing.text
    assert "Kept, though due (" in nothing.text
    assert "a lock in its cloud forbids to delete it." in nothing.text


@pytest.mark.asyncio(loop_scope="module")
async def test_locks_that_may_not_be_read_are_said_to_be_unknown(bot: BotHarness) -> None:
    inject_fault(bot, FaultKind.REFUSE, "GET */locks", times=None)
    card, _ = await propose(bot, f"!cleanup {X64}")
    assert "Which locks forbid to delete something is not known: Azure refused to list the locks" in card.text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "43.20260131.00"),
        ("properties.publishingProfile", None),
        ("properties.publishingProfile.endOfLifeDate", "some day"),
        ("properties.provisioningState", 7),
        ("location", None),
        ("tags", ["delete=never"]),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_one_odd_version_is_named_and_takes_nothing_else_hostage(
    bot: BotHarness, path: str, value: object
) -> None:
    held = bot.azure.state.versions[X64.casefold()]
    odd = deepcopy(held[max(held)])
    name = "43.20260131.0" if path != "name" else "43.20260131.00"
    held[name] = odd
    odd.document["name"] = name
    at: Any = odd.document
    *places, last = path.split(".")
    for place in places:
        at = at[place]
    at[last] = value

    (shown,) = await bot.say("carol", f"!images {X64}")
    assert f"Held back from every change in {X64}: {name} " in shown.text
    (everything,) = await bot.say("carol", "!images")
    assert name in everything.text
    card, operation = await propose(bot, "!cleanup")
    plan = (await bot.running.operations.get(operation)).plan
    steps = [step for step in plan.steps if isinstance(step, DeleteVersion)]
    assert {step.definition for step in steps} > {RAWHIDE, ARM}
    assert not [step for step in steps if step.definition == X64 and step.limit is not None]
    assert name in card.text
    assert "something in its definition cannot be read" in card.text
    card, _ = await propose(bot, f"!promote {X64}")
    assert name in card.text
    (refused,) = await bot.say("alice", f"!promote {X64} {name}")
    assert "held back from every change" in refused.text or "is not a version" in refused.text


@pytest.mark.asyncio(loop_scope="module")
async def test_odd_definitions_are_named_and_take_nothing_else_hostage(bot: BotHarness) -> None:
    held = bot.azure.state.definitions
    held["odd"] = {"location": "eastus", "name": "a/b", "properties": {}}
    held["nameless"] = {"location": "eastus", "name": None, "id": f"{bot.azure.seed.gallery_id}/images/Old"}
    held[X64.casefold()].pop("properties")  # but its name is known
    (shown,) = await bot.say("carol", "!images")
    for name in ("a/b", "Old"):
        assert f"{name} has no name that an image definition can have" in shown.text
    card, _ = await propose(bot, "!cleanup")
    assert "a/b has no name that an image definition can have" in card.text
    plan = (await newest_operation(bot)).plan
    assert X64 in {step.definition for step in plan.steps if isinstance(step, DeleteVersion)}
    (answer,) = await bot.say("alice", "!cleanup a/b")
    assert "Nothing to clean up: a/b has no name" in answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_an_empty_definition_is_empty(bot: BotHarness) -> None:
    bot.azure.state.versions.pop(X64.casefold())
    for line, words in (
        (f"!cleanup {X64}", f"Nothing to clean up: {X64} lists no versions at all."),
        (f"!images {X64}", f"{X64}: 0 versions"),
        (f"!promote {X64}", f"{X64} has no versions yet"),
    ):
        (answer,) = await bot.say("alice", line)
        assert words in answer.text
        assert "could not look at the cloud" not in answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_deletion_whose_turn_comes_when_it_is_not_due_any_more_is_not_done(bot: BotHarness) -> None:
    card, _ = await propose(bot, f"!cleanup {X64}")
    first, second, *_ = await doomed_by_the_plan(bot)
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, f"DELETE */{first}")
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    kept = bot.azure.state.versions[X64.casefold()]
    for number in sorted(kept)[-4:]:  # the candidates that were kept are gone
        if number not in (first, second):
            del kept[number]
    held.release()
    await bot.running.workflows.idle()
    assert second in version_numbers(bot.azure, X64)
    told = bot.chat.report_of(card).text
    assert f"{second} of {X64} is not due any more: among the newest candidates" in told


@pytest.mark.asyncio(loop_scope="module")
async def test_a_tag_that_comes_while_a_deletion_waits_for_its_next_try_keeps_the_version(
    bot: BotHarness,
) -> None:
    card, _ = await propose(bot, f"!cleanup {X64}")
    first, *_ = await doomed_by_the_plan(bot)
    throttled = inject_fault(bot, FaultKind.THROTTLE, f"DELETE */{first}", seconds=0)
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, f"GET */versions/{first}", after=2)
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()  # the look before the second try
    assert throttled.hits == 1
    document(bot, first)["tags"]["delete"] = "never"
    held.release()
    await bot.running.workflows.idle()
    assert first in version_numbers(bot.azure, X64)
    assert f"{first} of {X64} is protected now: it is tagged delete=never" in bot.chat.report_of(card).text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_deletion_under_way_is_said_by_the_next_clean_up(bot: BotHarness) -> None:
    await propose(bot, f"!cleanup {X64}")
    first, *_ = await doomed_by_the_plan(bot)
    document(bot, first)["properties"]["provisioningState"] = "Deleting"
    card, _ = await propose(bot, f"!cleanup {X64}")
    assert first not in await doomed_by_the_plan(bot)
    assert f"Under way, and so left alone: {first} of {X64} (Deleting)" in card.text


@pytest.mark.asyncio(loop_scope="module")
async def test_what_a_cancelled_deletion_left_failed_is_named_by_the_next_clean_up(bot: BotHarness) -> None:
    card, _ = await propose(bot, f"!cleanup {ENDED}")
    inject_fault(bot, FaultKind.FAIL_HALFWAY, "DELETE *", code="Canceled")
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "and then somebody or something cancelled it." in report.text
    (left,) = version_numbers(bot.azure, ENDED)
    (answer,) = await bot.say("alice", f"!cleanup {ENDED}")
    assert "Nothing to clean up" in answer.text
    assert f"Kept, though due (past end of life): {left} of {ENDED}: not in state Succeeded." in answer.text
