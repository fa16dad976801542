"""A vote that was taken back does not count, however late the bot hears of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import ButtonEvent, Choice, Room, WithdrawnReaction
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from tests.support.harness import (
    BotHarness,
    audit_trail,
    inject_fault,
    newest_operation,
    propose,
    running_bot,
)


def _room(bot: BotHarness) -> Room:
    return Room(platform=bot.chat.platform, id="console")


async def _hear(bot: BotHarness, event: ButtonEvent | WithdrawnReaction) -> None:
    assert bot.chat.accept is not None
    await bot.chat.accept(event)
    await bot.running.workflows.idle()


@pytest.mark.parametrize("late", [timedelta(), timedelta(hours=1)])
async def test_a_vote_taken_back_while_the_bot_was_down_does_not_count(
    tmp_path: Path, late: timedelta
) -> None:
    async with running_bot(tmp_path, changes={"policy": {"promote": {"approvals": 2}}}) as bot:
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card, event_id="the press")
        assert [vote.person for vote in (await newest_operation(bot)).votes] == ["bob"]
        await _hear(bot, _taken_back(bot).model_copy(update={"sent_at": bot.clock() - late}))
        assert (await newest_operation(bot)).votes == ()
        assert (await newest_operation(bot)).state is OperationState.PROPOSED


async def test_a_vote_that_came_twice_goes_with_the_first(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes={"policy": {"promote": {"approvals": 2}}}) as bot:
        card, _ = await propose(bot)
        for event_id in ("the press", "its double"):
            await bot.press("bob", Choice.APPROVE, card, event_id=event_id)
        await _hear(bot, _taken_back(bot))
        assert (await newest_operation(bot)).votes == ()


def _taken_back(bot: BotHarness, press: str = "the press") -> WithdrawnReaction:
    return WithdrawnReaction(
        event_id=f"{press} taken back",
        room=_room(bot),
        sender="bob",
        reaction_event_id=press,
        sent_at=bot.clock(),
    )


async def test_an_approval_taken_back_before_the_first_step_stops_the_operation(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "GET *")
        await bot.press("bob", Choice.APPROVE, card, event_id="the press", wait=False)
        await held.reached.wait()  # it is approved, and planned again
        assert bot.chat.accept is not None
        await bot.chat.accept(_taken_back(bot))
        await bot.until(lambda: "stale" in card.card.title)
        held.release()
        await bot.running.workflows.idle()

        (report,) = [shown for shown in bot.messages if shown.thread == card.id]
        assert "Bob took their approval back before it began" in report.text
        assert report.card.mentions == ("alice",)
        assert bot.azure.writes == []
        said = [(entry["actor"], entry["action"]) for entry in await audit_trail(bot)][-2:]
        assert said == [("bob", "approval withdrawn"), ("bob", "stale")]
        await bot.running.housekeeping.sweep()
        assert len([shown for shown in bot.messages if shown.thread == card.id]) == 1


async def test_an_approval_taken_back_after_the_first_step_began_is_told_as_too_late(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, event_id="the press", wait=False)
        await held.reached.wait()
        assert bot.chat.accept is not None
        await bot.chat.accept(_taken_back(bot))
        await bot.until(lambda: "too late" in bot.messages[-1].text)
        told = bot.messages[-1]
        assert told.thread == card.id
        assert told.card.private_to == "bob"
        assert f"{name} has begun, so it is too late to take your approval back." in told.text
        assert f"`!cancel {name}`" in told.text
        held.release()
        await bot.running.workflows.idle()
        assert "done" in card.card.title
        assert "Bob approved" in card.text

        await bot.chat.accept(_taken_back(bot).model_copy(update={"event_id": "once more"}))
        await bot.running.workflows.idle()
        assert f"{name} is already done; nothing was changed by this." in bot.messages[-1].text


async def test_a_rejection_that_comes_too_late_is_told_what_stops_the_operation(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        await bot.say("bob", f"!reject {name} wait", wait=False)
        await bot.until(lambda: "nothing was changed by this" in bot.messages[-1].text)
        assert f"`!cancel {name}`" in bot.messages[-1].text
        held.release()
        await bot.running.workflows.idle()


@pytest.mark.parametrize(
    ("choice", "state"),
    [(Choice.REJECT, OperationState.REJECTED), (Choice.APPROVE, OperationState.PROPOSED)],
)
async def test_an_old_rejection_counts_and_an_old_approval_does_not(
    choice: Choice, state: OperationState, tmp_path: Path
) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        press = ButtonEvent(
            event_id="long ago",
            room=_room(bot),
            sender="bob",
            choice=choice,
            message_id=card.id,
            sent_at=bot.clock() - timedelta(hours=1),
        )
        await _hear(bot, press)
        assert (await newest_operation(bot)).state is state


async def test_whoever_agreed_can_say_that_they_do_not_any_more_on_every_platform(tmp_path: Path) -> None:
    policy = {"approvals": 2, "requester_may_approve": True}
    async with running_bot(tmp_path, changes={"policy": {"promote": policy}}) as bot:
        card, name = await propose(bot)
        (nothing,) = await bot.say("bob", "!withdraw")
        assert f"You have not approved {name}" in nothing.text
        await bot.press("bob", Choice.APPROVE, card)
        (nothing,) = await bot.say("carol", f"!withdraw {name}")
        assert "there is nothing to take back" in nothing.text
        for _ in range(2):  # as a platform may deliver it
            await bot.say("bob", "!withdraw", event_id="said once")
        assert (await newest_operation(bot)).votes == ()
        assert "waits for 2 approvals" in card.card.title
        (why,) = await bot.say("carol", f"!op {name} --why")
        assert "took it back" in why.text
        actions = [each["action"] for each in await audit_trail(bot) if each["actor"] == "bob"]
        assert actions == ["approval", "approval withdrawn"]
        await bot.say("bob", "!approve")
        await bot.say("alice", "!approve")
        assert (await newest_operation(bot)).state is OperationState.DONE
        (late,) = await bot.say("bob", f"!withdraw {name}")
        assert f"{name} is already done" in late.text
