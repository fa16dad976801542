"""A vote that was taken back does not count, however late the bot hears of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import ButtonEvent, Choice, Room, WithdrawnReaction
from slipway.bot.operations.model import OperationState
from tests.support.harness import BotHarness, newest_operation, propose, running_bot


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
        taken_back = WithdrawnReaction(
            event_id="taken back",
            room=_room(bot),
            sender="bob",
            reaction_event_id="the press",
            sent_at=bot.clock(),
        )
        await _hear(bot, taken_back.model_copy(update={"sent_at": bot.clock() - late}))
        assert (await newest_operation(bot)).votes == ()
        assert (await newest_operation(bot)).state is OperationState.PROPOSED


async def test_a_vote_that_came_twice_goes_with_the_first(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes={"policy": {"promote": {"approvals": 2}}}) as bot:
        card, _ = await propose(bot)
        for event_id in ("the press", "its double"):
            await bot.press("bob", Choice.APPROVE, card, event_id=event_id)
        taken_back = WithdrawnReaction(
            event_id="taken back",
            room=_room(bot),
            sender="bob",
            reaction_event_id="the press",
            sent_at=bot.clock(),
        )
        await _hear(bot, taken_back)
        assert (await newest_operation(bot)).votes == ()


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
