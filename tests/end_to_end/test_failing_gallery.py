"""A gallery that refuses, throttles, breaks or lies: what people are told, and that nothing half-done counts.

One bot serves the whole file; every test leaves the gallery as it found it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from slipway.bot.chat.model import Choice, Tone
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.state import GalleryState
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.images.steps import DeleteVersion
from tests.support.azure import CANDIDATE, RAWHIDE, X64, version_numbers
from tests.support.clock import NOW, FakeClock
from tests.support.harness import (
    BotHarness,
    audit_trail,
    inject_fault,
    newest_operation,
    newest_state,
    propose,
    running_bot,
)
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITE = "Microsoft.Compute/galleries/images/versions/write"
CLOUD = "the cloud; try again later"
ADMIN = "whoever runs Slipway"
YOU = "you"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    impatient = {"azure": {"operation_timeout": "3s"}}
    async with running_bot(tmp_path_factory.mktemp("state"), sleep=no_pauses, changes=impatient) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="module")
async def bot(running: BotHarness) -> AsyncIterator[BotHarness]:
    yield running
    heal(running.azure)


def heal(azure: SimulatedAzure) -> None:
    azure.faults.clear()
    azure.requests.clear()
    azure.state = GalleryState(fedora_gallery(NOW), FakeClock(), 1)


@pytest.mark.parametrize(
    ("kind", "responsible"),
    [
        (FaultKind.THROTTLE, CLOUD),
        (FaultKind.REFUSE, ADMIN),
        (FaultKind.ERROR, CLOUD),
        (FaultKind.GARBAGE, ADMIN),
        (FaultKind.DROP, ADMIN),
    ],
)
async def test_a_gallery_that_cannot_be_looked_at_is_said_and_nothing_is_proposed(
    bot: BotHarness, kind: FaultKind, responsible: str
) -> None:
    before = await audit_trail(bot)
    words = {"message": "No: password=s3cret.", "body": "<b>secret blob</b>"}
    # A throttle as compute documents it: longer than anybody is kept waiting.
    inject_fault(bot, kind, "GET *", times=None, seconds=1200, **words)
    for line in ("images", f"promote {X64}", "cleanup", f"rollback {X64} --dry-run"):
        (shown,) = await bot.say("alice", f"!{line}")
        assert shown.card.tone is Tone.FAILED
        assert shown.card.title == f"{line.split()[0]} could not look at the cloud"
        assert f"Whose move: {responsible}." in shown.card.notes
        assert "Azure" in shown.card.text
        assert "secret blob" not in shown.text
        assert "s3cret" not in shown.text
    assert await audit_trail(bot) == before
    assert bot.azure.writes == []


@pytest.mark.parametrize(
    ("kind", "sentence", "responsible", "changed"),
    [
        (FaultKind.THROTTLE, "too many requests (TooManyRequests)", CLOUD, False),
        (FaultKind.REFUSE, f"Slipway's identity lacks the right {WRITE} (AuthorizationFailed)", ADMIN, False),
        (FaultKind.ERROR, "by an error of its own (InternalServerError)", CLOUD, False),
        (FaultKind.GARBAGE, "gave an answer that cannot be read", ADMIN, False),
        (FaultKind.DROP, "could not be reached", ADMIN, False),
        (FaultKind.NOT_DONE, "does not show as promoted", YOU, False),
        (FaultKind.FAIL_HALFWAY, "ended in failure (InternalOperationError)", CLOUD, True),
        (FaultKind.NEVER_END, "has not finished within 3s", CLOUD, True),
    ],
)
async def test_a_step_that_fails_ends_the_operation_with_cause_responsible_party_and_next_command(
    bot: BotHarness, kind: FaultKind, sentence: str, responsible: str, changed: bool
) -> None:
    card, name = await propose(bot)
    # A throttle is longer than anybody is kept waiting.
    message = f"The client does not have authorization to perform action '{WRITE}'. No: password=s3cret."
    words = {"message": message, "body": "<b>secret blob</b>"}
    inject_fault(bot, kind, "PUT *", times=None, seconds=1200, **words)
    (report,) = await bot.press("bob", Choice.APPROVE, card)

    assert report.thread == card.id
    for shown in (card, report):
        assert shown.card.tone is Tone.FAILED
        assert shown.card.title == f"{name} promote: failed"
        assert "1 of 1 steps failed, 0 done." in shown.text
        assert (
            f"Whose move: {'Alice' if shown is card and responsible == YOU else responsible}." in shown.text
        )
        assert "secret blob" not in shown.text
        assert "s3cret" not in shown.text
    assert "✘ failed" in card.text
    # Why, in full, and what is next stand in the report alone.
    when = ", once it is permitted" if kind is FaultKind.REFUSE else ""
    assert f"Next{when}: `!promote {X64}`" in report.card.notes
    assert sentence in report.text
    assert sentence not in card.text
    assert card.card.notes == (f"In full: in the thread, or `!op {name}`",)
    assert report.card.mentions == ("alice",)
    assert bot.excluded(X64, CANDIDATE) is not changed
    last = [entry["action"] for entry in await audit_trail(bot) if entry["operation"] == name][-3:]
    assert last == ["step-1:begun", "step-1:failed", "failed"]
    full = (await bot.say("alice", f"!op {name}"))[0].text
    assert "✘ failed" in full
    assert sentence in full


async def test_a_change_whose_answer_was_lost_is_done_once_and_reported_as_done(bot: BotHarness) -> None:
    card, _ = await propose(bot)
    inject_fault(bot, FaultKind.LOST_ANSWER, "PUT *")
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert f"{CANDIDATE} of {X64} is promoted." in report.text
    assert "promote: done" in card.text
    assert bot.excluded(X64, CANDIDATE) is False


async def test_a_state_that_is_not_known_is_shown_in_azures_own_word_and_nothing_is_done_with_it(
    bot: BotHarness,
) -> None:
    doomed = min(version_numbers(bot.azure, RAWHIDE))
    for definition, number in ((X64, CANDIDATE), (RAWHIDE, doomed)):
        bot.azure.state.version(definition, number).state = "Hibernating"
    (shown,) = await bot.say("alice", f"!images {X64}")
    (line,) = [line for line in shown.text.splitlines() if CANDIDATE in line]
    assert "candidate, “Hibernating”" in line
    (refused,) = await bot.say("alice", f"!promote {X64} {CANDIDATE}")
    assert f"{CANDIDATE} of {X64} is Hibernating, not Succeeded; it cannot be promoted." in refused.text
    (passed_over,) = await bot.say("alice", f"!promote {X64} --dry-run")
    assert f"Newer in {X64}, and passed over: " in passed_over.text
    assert f"{CANDIDATE} is Hibernating, not Succeeded" in passed_over.text
    card, _ = await propose(bot, f"!cleanup {RAWHIDE}")
    told = f"In a state that Slipway does not know, and so left alone: {doomed} of {RAWHIDE} (Hibernating)."
    assert told in card.text
    assert bot.azure.writes == []


async def test_throttling_that_passes_is_not_even_noticed(bot: BotHarness) -> None:
    card, _ = await propose(bot)
    inject_fault(bot, FaultKind.THROTTLE, "PUT *", seconds=0)
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "promote: done" in report.text


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (FaultKind.REFUSE, "Slipway's identity lacks the right to do that (AuthorizationFailed)"),
        (FaultKind.NOT_DONE, "Azure took the deletion, but"),
        (FaultKind.FAIL_HALFWAY, "ended in failure"),
    ],
)
async def test_one_deletion_that_fails_does_not_keep_a_clean_up_from_the_others(
    bot: BotHarness, kind: FaultKind, sentence: str
) -> None:
    card, name = await propose(bot, f"!cleanup {RAWHIDE}")
    plan = (await newest_operation(bot)).plan
    doomed = [step.version for step in plan.steps if isinstance(step, DeleteVersion)]
    assert len(doomed) > 2
    inject_fault(bot, kind, f"DELETE */{doomed[1]}", times=None)
    (report,) = await bot.press("bob", Choice.APPROVE, card)

    assert f"{name} cleanup: failed" in card.text
    assert f"1 of {len(doomed)} steps failed, {len(doomed) - 1} done." in report.text
    assert sentence in report.text
    when = ", once it is permitted" if kind is FaultKind.REFUSE else ""
    assert f"Next{when}: `!cleanup {RAWHIDE}`" in report.card.notes
    assert version_numbers(bot.azure, RAWHIDE) & set(doomed) == {doomed[1]}
    assert report.text.count("is deleted") == len(doomed) - 1
    assert card.card.tables == ()


async def test_a_promotion_of_several_tries_each_and_counts_what_failed(bot: BotHarness) -> None:
    card, _ = await propose(bot, "!promote Fedora-Cloud-4*")
    steps = len((await newest_operation(bot)).plan.steps)
    assert steps > 2
    inject_fault(bot, FaultKind.REFUSE, "PUT *", after=1, times=None)
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert f"{steps - 1} of {steps} steps failed, 1 done." in report.text
    assert report.text.count("✘ promote") == steps - 1
    assert f"{steps - 1} of {steps} steps failed, 1 done. Whose move: whoever runs Slipway." in card.text
    assert await newest_state(bot) is OperationState.FAILED


async def test_listings_that_fail_or_are_empty_delete_nothing(bot: BotHarness) -> None:
    card, _ = await propose(bot, "!cleanup")
    held = version_numbers(bot.azure, RAWHIDE)

    inject_fault(bot, FaultKind.REFUSE, f"GET */images/{RAWHIDE}/versions")
    (failed,) = await bot.say("alice", "!cleanup")
    assert failed.card.title == "cleanup could not look at the cloud"
    inject_fault(bot, FaultKind.REFUSE, f"GET */images/{RAWHIDE}/versions")
    (report,) = await bot.press("bob", Choice.APPROVE, card)  # planned again: the same holds
    assert "It failed before anything was changed." in report.text

    bot.azure.faults.clear()
    card, _ = await propose(bot, f"!cleanup {RAWHIDE}")
    emptied = bot.azure.state.versions.pop(RAWHIDE.casefold())
    (nothing,) = await bot.say("alice", f"!cleanup {RAWHIDE}")
    assert f"{RAWHIDE} lists no versions at all" in nothing.text
    (report,) = await bot.press("bob", Choice.APPROVE, card)
    assert "It failed before anything was changed." in report.text
    bot.azure.state.versions[RAWHIDE.casefold()] = emptied
    assert version_numbers(bot.azure, RAWHIDE) == held

    bot.azure.state.versions.clear()
    bot.azure.state.definitions.clear()
    (nothing,) = await bot.say("alice", "!cleanup")
    assert nothing.card.tone is Tone.FAILED
    assert bot.azure.writes == []
