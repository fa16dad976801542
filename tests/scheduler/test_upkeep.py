"""What is forgotten after its time, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from slipway.bot.chat.model import Choice, Room, WithdrawnReaction
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.core.model import Json
from slipway.bot.operations.model import OperationState
from slipway.bot.store.tables import message
from slipway.scheduler import upkeep
from slipway.scheduler.upkeep import Upkeep
from tests.support.azure import ARM
from tests.support.clock import DAY, NOW
from tests.support.harness import BotHarness, audit_trail, inject_fault, propose, running_bot

LONG_AFTER = datetime(2500, 1, 1, tzinfo=UTC)
"""DBOS notes when a workflow was started by the machine's clock, whatever the bot's own says."""


async def messages(bot: BotHarness) -> int:
    async with bot.running.database.reading() as connection:
        return await connection.scalar(sa.select(sa.func.count()).select_from(message)) or 0


async def sweep_at(bot: BotHarness, moment: datetime) -> None:
    bot.clock.now = moment
    await bot.running.upkeep.sweep()
    await bot.running.workflows.idle()


async def test_what_was_shown_is_forgotten_after_its_time_but_the_card_of_what_still_waits(
    tmp_path: Path,
) -> None:
    changes = {
        "housekeeping": {"keep_messages": "20d"},
        "policy": {"promote": {"role": "releng", "expires": "90d"}},
    }
    async with running_bot(tmp_path, changes=changes) as bot:
        card, name = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        await bot.say("alice", "!images")
        waiting, open_name = await propose(bot, f"!promote {ARM}")
        trail, before = await audit_trail(bot), await messages(bot)

        await sweep_at(bot, NOW + 20 * DAY)
        assert await messages(bot) == before
        await sweep_at(bot, NOW + 21 * DAY)
        assert await messages(bot) == 1

        assert await audit_trail(bot) == trail
        assert "done" in (await bot.say("alice", f"!op {name}"))[0].card.title
        await bot.press("bob", Choice.APPROVE, waiting)
        assert (await bot.running.operations.get(open_name)).state is OperationState.DONE


async def test_what_was_heard_is_forgotten_after_its_time_and_decisions_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "PORTION", 10)
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        for number in range(upkeep.PORTION + 1):  # more than one transaction forgets
            await bot.running.workflows.start("skipped", f"skipped:{number}", skipped(number))
        await bot.running.workflows.idle()
        await bot.say("alice", "!images", event_id="asked")
        trail = await audit_trail(bot)

        await sweep_at(bot, NOW - 9000 * DAY)  # everything is younger than that
        assert await bot.running.workflows.knows("hear:console:asked")
        await sweep_at(bot, LONG_AFTER)
        assert not await bot.running.workflows.knows("hear:console:asked")
        assert not await bot.running.workflows.knows("skipped:0")
        assert not await bot.running.workflows.knows(f"do:{name}")
        assert await audit_trail(bot) == trail
        assert "done" in (await bot.say("alice", f"!op {name}"))[0].card.title
    async with running_bot(tmp_path):  # and nothing counts as lost
        pass


def skipped(number: int) -> dict[str, Json]:
    return {
        "schedule": "weekly",
        "room": "console:console",
        "count": 1,
        "newest": "today",
        "command": "!images",
        "key": f"skipped:{number}",
    }


async def test_work_under_way_is_not_forgotten_however_old(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        bot.clock.now = LONG_AFTER
        await bot.running.upkeep.sweep()
        assert await bot.running.workflows.knows(f"do:{name}")
        held.release()
        await bot.running.workflows.idle()
        assert (await bot.running.operations.get(name)).state is OperationState.DONE


async def test_a_vote_can_be_taken_back_as_long_as_it_counts_however_old(tmp_path: Path) -> None:
    later = NOW + 9000 * DAY
    two = {"approvals": 2, "role": "releng", "requester_may_approve": True, "expires": "9999d"}
    async with running_bot(tmp_path, changes={"policy": {"promote": two}}) as bot:
        card, name = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card, event_id="given")
        await sweep_at(bot, later)
        assert bot.chat.accept is not None
        await bot.chat.accept(
            WithdrawnReaction(
                event_id="w",
                room=Room(platform=bot.chat.platform, id="console"),
                sender="bob",
                reaction_event_id="given",
                sent_at=bot.clock(),
            )
        )
        await bot.running.workflows.idle()
        assert not (await bot.running.operations.get(name)).votes

        await bot.say("alice", f"!cancel {name}")
        await sweep_at(bot, later + DAY)
        assert not await bot.running.workflows.knows("hear:console:given")


async def test_one_work_that_fails_keeps_no_other_from_being_done() -> None:
    done: list[str] = []

    async def fail() -> None:
        raise OSError("disk is full")

    async def work() -> None:
        done.append("work")

    with pytest.raises(ExceptionGroup) as failed:
        await Upkeep(fail, work, fail, work).sweep()
    assert len(failed.value.exceptions) == 2
    assert done == ["work", "work"]
