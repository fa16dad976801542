"""What the version before left: this one goes on with all of it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.operations import audit
from slipway.bot.operations.model import OperationState
from slipway.bot.store.database import HEAD
from slipway.bot.store.tables import metadata
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.services import ImageServices
from tests.operations.version_before import CONFIGURED, DELETED, ENTRIES, restore
from tests.support.azure import ARM, ARM_CANDIDATE, CANDIDATE, X64, simulated_gallery, writes
from tests.support.clock import DAY, NOW, FakeClock
from tests.support.harness import BotHarness, audit_trail, running_bot
from tests.support.memory_chat import PostedMessage
from tests.support.pauses import no_pauses


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """This version, started on what that one left, with all work done that was under way."""
    chat, clock = restore(tmp_path / "state"), FakeClock(NOW + timedelta(minutes=1))
    async with simulated_gallery(clock) as azure:
        definition, version = DELETED
        del azure.state.versions[definition][version]
        async with running_bot(
            tmp_path / "state", azure=azure, chat=chat, clock=clock, sleep=no_pauses, changes=CONFIGURED
        ) as bot:
            await bot.running.workflows.idle()
            yield bot


def message(bot: BotHarness, message_id: str) -> PostedMessage:
    return next(each for each in bot.messages if each.id == message_id)


async def test_the_schema_is_brought_up_to_date_and_every_table_is_there(
    bot: BotHarness, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "state" / "slipway.db") as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
        found = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert found >= set(metadata.tables)


async def test_the_audit_trail_holds_and_goes_on(bot: BotHarness) -> None:
    trail = await audit_trail(bot)  # which proves the chain
    assert len(trail) > ENTRIES
    assert trail[0]["action"] == "proposed"
    head = trail[ENTRIES - 1]["hash"]
    assert isinstance(await audit.verify(bot.running.database, head), audit.Intact)


async def test_a_run_under_way_goes_on_behind_its_last_step(bot: BotHarness) -> None:
    operation = await bot.running.operations.get("op-runs")
    assert operation.state is OperationState.DONE
    assert [report.number for report in operation.reports] == [1, 2, 3, 4]
    assert writes(bot.azure) == ["DELETE 45.20261110.0", "DELETE 45.20261111.0", "DELETE 45.20261112.0"]
    assert message(bot, "m13").card.title == "op-runs cleanup: done"
    (report,) = [each for each in bot.messages if each.thread == "m13"]
    assert "4 versions of Fedora-Cloud-Rawhide-x64 deleted." in report.text


async def test_what_was_asked_is_answered(bot: BotHarness) -> None:
    (slow,) = [each for each in bot.messages if each.room == "slow"]
    assert slow.card.title == "You are Alice."
    assert "Fedora-Cloud-41-x64: 3 versions" in message(bot, "m14").text  # in place of the wait
    (ticked,) = [each for each in bot.messages if "the schedule weekly" in each.text]
    assert "Fedora-Cloud-41-x64: 3 versions" in ticked.text


async def test_a_pending_approval_is_given_and_done(bot: BotHarness) -> None:
    (shown,) = await bot.say("carol", "!pending")
    assert f"promote {ARM}" in shown.text
    digest = (await bot.running.operations.get("op-pend")).digest_prefix
    await bot.say("bob", f"!approve op-pend {digest}")
    card = message(bot, "m5")
    assert card.card.title == "op-pend promote: done"
    assert f"{ARM_CANDIDATE} is latest of {ARM}." in card.text
    assert bot.excluded(ARM, ARM_CANDIDATE) is False
    await audit_trail(bot)


async def test_a_proposal_expires_at_its_time(bot: BotHarness) -> None:
    bot.clock.advance(DAY)
    await bot.running.housekeeping.sweep()
    await bot.running.workflows.idle()
    for name in ("op-pend", "op-exp2"):
        assert (await bot.running.operations.get(name)).state is OperationState.EXPIRED
    told = bot.chat.report_of(message(bot, "m5"))
    assert f"To plan it afresh: `!promote {ARM}" in told.text
    assert await bot.running.operations.open_ones() == ()


async def test_what_was_rolled_back_is_still_passed_over(bot: BotHarness) -> None:
    history = bot.running.services.get(ImageServices).history
    taken_back = (  # the second one failed, which counts: people agreed that the version is bad
        Pin(definition=X64, version=CANDIDATE),
        Pin(definition="Fedora-Cloud-42-x64", version="42.20261003.0"),
    )
    assert await history.rolled_back(taken_back) == taken_back
    (answer,) = await bot.say("alice", f"!promote {X64}")
    assert f"{CANDIDATE} of {X64} is newer, and is passed over because it was rolled back." in answer.text
    (named,) = await bot.say("alice", f"!promote {X64} {CANDIDATE}")
    await bot.say("bob", f"!approve {named.card.buttons[0].operation_id}")
    assert bot.excluded(X64, CANDIDATE) is False
    assert await history.rolled_back(taken_back) == taken_back[1:]


async def test_how_things_ended_is_shown_as_it_was(bot: BotHarness) -> None:
    (history,) = await bot.say("carol", "!history --limit 20")
    for shown in ("op-prmt", "op-reje", f"promote {X64}", f"rollback {X64}"):
        assert shown in history.text
    (failed,) = await bot.say("carol", "!op op-refu")
    assert "op-refu rollback: failed" in failed.text
    assert "Azure refused to keep" in failed.text
    assert "Whose move: whoever runs Slipway." in failed.text
    (stale,) = await bot.say("carol", "!op op-aged")
    assert "is not the latest of Fedora-Cloud-42-x64 any more" in stale.text
    (rejected,) = await bot.say("carol", "!op op-reje")
    assert "Rejected by Alice: the boot test has not run. Nothing was changed." in rejected.text
    for each in await bot.running.operations.recent(20):
        assert each.plan.unknown == ""
