"""Freezes in the room: what is refused, what waits, what goes on, and what everybody is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from tests.support.azure import CANDIDATE, X64, simulated_gallery
from tests.support.clock import DAY, HOUR, NOW
from tests.support.harness import (
    BotHarness,
    audit_trail,
    inject_fault,
    newest_operation,
    propose,
    running_bot,
)
from tests.support.memory_chat import PostedMessage
from tests.support.pauses import impatient

SCHEDULE = {
    "schedule": [
        {
            "name": "weekly",
            "cron": "0 13 * * *",
            "command": f"promote {X64}",
            "room": "console:console",
            "roles": ["releng"],
        }
    ]
}


def windows(*each: dict[str, Any]) -> dict[str, Any]:
    return {"freeze": [{"name": "final", "reason": "final freeze", **one} for one in each]}


async def minute(bot: BotHarness) -> list[PostedMessage]:
    """What is said when a minute is over."""
    before = len(bot.messages)
    await bot.running.upkeep.sweep()
    await bot.running.idle()
    return bot.messages[before:]


def titles(said: Sequence[PostedMessage]) -> list[str]:
    return [each.card.title for each in said]


async def test_nothing_is_proposed_in_a_freeze_votes_count_and_what_was_approved_begins_after_it(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        (done,) = [
            each for each in await bot.say("alice", "!freeze --for 3d we decide on it") if each.thread is None
        ]
        assert "freeze: done" in done.card.title
        (told,) = await minute(bot)
        assert told.card.title == "Changes are frozen"
        assert told.card.text.startswith(
            "Alice froze all changes until 2026-11-23 12:00 UTC: we decide on it."
        )
        assert "Approved, it begins when that is over." in card.text
        assert await minute(bot) == []

        (refused,) = await bot.say("bob", f"!promote {X64} --dry-run")
        assert "dry run" in refused.card.title
        assert "⚠ Alice froze all changes until" in refused.text
        assert "It can be proposed when that is over." in refused.text
        assert "To propose it" not in refused.text
        (refused,) = await bot.say("bob", f"!rollback {X64}")
        assert "Alice froze all changes until" in refused.text
        assert "Nothing was proposed; with `--dry-run` you may see what it would do." in refused.text
        (held,) = [each for each in await bot.say("bob", f"!hold {X64} look") if each.thread is None]
        assert "hold: done" in held.card.title
        await bot.say("bob", f"!unhold {X64}")
        (status,) = await bot.say("carol", "!status")
        assert "Alice froze all changes until" in status.text

        await bot.press("bob", Choice.APPROVE, card)
        assert "approved" in card.card.title
        assert "Alice froze all changes until" in card.text
        await minute(bot)
        assert (await bot.running.operations.get(name)).state is OperationState.APPROVED

        await bot.say("bob", "!unfreeze decided")
        said = await minute(bot)
        assert "Changes are not frozen any more" in titles(said)
        (over,) = [each for each in said if each.card.title == "Changes are not frozen any more"]
        assert over.thread == told.id
        assert "Bob ended it: decided." in over.text
        assert "promote: done" in card.card.title
        assert bot.excluded(X64, CANDIDATE) is False


async def test_a_freeze_that_is_over_in_time_is_noted_and_told_and_a_shorter_one_ends_none(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        await bot.say("alice", "!freeze --for 2h first")
        (nothing,) = await bot.say("bob", "!freeze --for 1h shorter")
        assert "Alice froze all changes already" in nothing.text
        await minute(bot)
        bot.clock.advance(2 * HOUR)
        (over,) = await minute(bot)
        assert "Its time is over." in over.text
        assert await minute(bot) == []
        (entry,) = [each for each in await audit_trail(bot) if each["action"] == "freeze over"]
        assert entry["detail"] == {"frozen by": "alice", "reason": "first"}
        (nothing,) = await bot.say("bob", "!unfreeze")
        assert "Nobody froze anything." in nothing.text


async def test_a_freeze_that_is_over_while_another_one_holds_is_not_told_as_the_end_of_all(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        await bot.say("alice", "!freeze --for 1h first")
        await bot.say("bob", "!freeze --for 2h second")
        await minute(bot)
        bot.clock.advance(HOUR)
        (over,) = await minute(bot)
        assert over.card.title == "One freeze is over, and changes stay frozen"
        assert "Bob froze all changes until" in over.text
        bot.clock.advance(HOUR)
        assert titles(await minute(bot)) == ["Changes are not frozen any more"]


async def test_what_runs_stands_still_after_its_step_and_goes_on_or_is_cancelled(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:
        card, name = await propose(bot, "!promote Fedora-Cloud-43-*")
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        await bot.say("alice", "!freeze we stop", wait=False)
        await bot.until(lambda: any("freeze: done" in each.card.title for each in bot.messages))
        held.release()
        words = "stands still. Alice froze all changes until somebody ends that: we stop."
        await bot.until(lambda: words in card.text)
        await bot.running.workflows.quiet()
        assert len((await newest_of(bot, "promote")).reports) == 1
        assert name not in {each.operation_id for each in await bot.running.services.locks.all()}
        await bot.running.upkeep.sweep()
        assert len((await newest_of(bot, "promote")).reports) == 1
        await bot.say("bob", "!unfreeze", wait=False)
        await bot.until(lambda: any("unfreeze: done" in each.card.title for each in bot.messages))
        await bot.running.upkeep.sweep()
        await bot.running.workflows.idle()
        assert "promote: done" in card.card.title
        noted = [each["action"] for each in await audit_trail(bot) if each["operation"] == name]
        assert noted[noted.index("step-2:begun") :][:3] == [
            "step-2:begun",
            "step-2:standing",
            "step-2:resumed",
        ]


async def newest_of(bot: BotHarness, kind: str) -> Any:
    return next(each for each in await bot.running.operations.recent(5) if each.kind == kind)


async def test_one_that_stands_still_over_a_restart_can_be_cancelled(tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        async with running_bot(tmp_path, azure=azure, sleep=impatient, grace=timedelta(0)) as bot:
            card, name = await propose(bot, "!promote Fedora-Cloud-43-*")
            held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
            await bot.press("bob", Choice.APPROVE, card, wait=False)
            await held.reached.wait()
            await bot.say("alice", "!freeze we stop", wait=False)
            await bot.until(lambda: any("freeze: done" in each.card.title for each in bot.messages))
            held.release()
            await bot.until(lambda: "stands still" in card.text)
            chat = bot.chat
        async with running_bot(tmp_path, azure=azure, chat=chat, sleep=impatient) as bot:
            await bot.running.workflows.quiet()
            assert (await bot.running.operations.get(name)).state is OperationState.RUNNING
            await bot.say("alice", f"!cancel {name}", wait=False)
            await bot.until(lambda: "cancelled" in card.card.title)


async def test_what_cannot_be_read_counts_as_frozen_and_stands_in_the_list_of_problems(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        async with bot.running.database.writing() as connection:
            await connection.execute(sa.text("ALTER TABLE freeze RENAME COLUMN until TO spoilt"))
        (refused,) = await bot.say("bob", f"!promote {X64}")
        assert "Whether changes are frozen cannot be read, so nothing is changed." in refused.text
        (status,) = await bot.say("carol", "!status")
        assert "Whether changes are frozen cannot be read" in status.text
        async with bot.running.database.writing() as connection:
            await connection.execute(sa.text("ALTER TABLE freeze RENAME COLUMN spoilt TO until"))
        await propose(bot)


async def test_what_a_schedule_asks_for_in_a_freeze_is_left_out_without_a_word(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=SCHEDULE) as bot:
        await bot.say("alice", "!freeze we decide on it")
        bot.clock.advance(HOUR)
        before = len(bot.messages)
        await bot.running.schedules.wake()
        await bot.running.idle()
        assert bot.messages[before:] == []
        (listed,) = await bot.say("carol", "!schedules")
        assert "left out, as changes" in listed.text
        assert [each.kind for each in await bot.running.operations.recent(5)] == ["freeze"]
        await bot.say("alice", "!unfreeze")
        bot.clock.advance(DAY)
        await bot.running.schedules.wake()
        await bot.running.idle()
        assert (await newest_operation(bot)).kind == "promote"


async def test_a_window_of_the_configuration_is_about_what_it_names_and_lets_pass_whom_it_names(
    tmp_path: Path,
) -> None:
    ends = (NOW + DAY).isoformat()
    changes = windows(
        {"begins": NOW.isoformat(), "ends": ends, "patterns": ["Fedora-Cloud-43-*"], "may_pass": ["bob"]}
    )
    async with running_bot(tmp_path, changes=changes) as bot:
        await minute(bot)
        assert titles(bot.messages) == ["Some changes are frozen"]
        assert "Of that, nothing new is proposed" in bot.messages[0].text
        (refused,) = await bot.say("alice", f"!promote {X64}")
        assert (
            "The freeze window final keeps Fedora-Cloud-43-* from changing until 2026-11-21" in refused.text
        )
        await propose(bot, f"!promote {X64}", who="bob")
        (nothing,) = await bot.say("alice", "!unfreeze")
        assert "The freeze window final of slipway.toml goes on all the same." in nothing.text
        bot.clock.advance(DAY)
        over = await minute(bot)
        assert "The freeze window final is over." in over[0].text
        assert [each["action"] for each in await audit_trail(bot) if "window" in each["action"]] == [
            "freeze window began",
            "freeze window over",
        ]


async def test_of_windows_that_were_over_before_the_bot_began_nothing_is_noted(tmp_path: Path) -> None:
    changes = windows({"begins": (NOW - 2 * DAY).isoformat(), "ends": (NOW - DAY).isoformat()})
    async with running_bot(tmp_path, changes=changes) as bot:
        assert await minute(bot) == []
        assert not [each for each in await audit_trail(bot) if "window" in each["action"]]
