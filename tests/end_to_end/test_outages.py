"""A platform that takes nothing for a while: what is to be said is kept, and said in order once it takes it again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.core.errors import ChatError
from slipway.bot.operations.model import OperationState
from tests.support.azure import ARM, CANDIDATE, RAWHIDE, X64
from tests.support.clock import HOUR, MINUTE, FakeClock
from tests.support.harness import (
    BotHarness,
    newest_operation,
    newest_state,
    no_pauses,
    propose,
    refusing_database,
    running_bot,
)
from tests.support.memory_chat import MemoryChat, PostedMessage

AWAY = ChatError("The server is away.", passing=True)
NEVER = ChatError("The room is archived.", passing=False)


class Outage:
    """A platform that is away until so much time has passed: the bot's pauses are what lets it pass."""

    def __init__(self, chat: MemoryChat, lasts: timedelta) -> None:
        self._chat = chat
        self._left = lasts.total_seconds()
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """A pause of the bot."""
        await no_pauses(seconds)
        if self._chat.away is None:
            return
        self.pauses.append(seconds)
        self._left -= seconds
        if self._left <= 0:
            self._chat.away = None


@pytest.mark.parametrize("lasts", [5, 60, 600])
async def test_all_is_said_once_and_in_order_when_the_platform_is_back(tmp_path: Path, lasts: int) -> None:
    chat = MemoryChat()
    outage = Outage(chat, timedelta(seconds=lasts))
    async with running_bot(tmp_path, chat=chat, sleep=outage.sleep) as bot:
        card, _ = await propose(bot)
        chat.away = AWAY
        answered = await bot.say("carol", "!whoami", wait=False)
        await (
            bot.running.workflows.idle()
        )  # events are answered side by side: the order is that of what is said
        await bot.say("alice", "!status", wait=False)
        await bot.running.workflows.idle()
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        assert answered == []
        await bot.running.idle()

        assert "promote: done" in card.card.title
        assert not card.card.buttons
        assert [each.card.title.split(" ")[0] for each in bot.messages if each.thread is None] == [
            card.card.title.split(" ")[0],
            "You",
            "Slipway",
        ]
        (report,) = [each for each in bot.messages if each.thread == card.id]
        assert "promote: done" in report.text
        assert max(outage.pauses) <= 60


async def test_it_does_not_ask_oftener_than_once_a_minute_after_a_while(tmp_path: Path) -> None:
    chat = MemoryChat()
    outage = Outage(chat, HOUR)
    async with running_bot(tmp_path, chat=chat, sleep=outage.sleep) as bot:
        chat.away = AWAY
        await bot.say("carol", "!whoami")
        assert [each.card.title for each in bot.messages] == ["You are Carol."]
        assert len(outage.pauses) < 150


async def test_what_waits_is_said_by_the_next_start_in_the_order_in_which_it_was_said(tmp_path: Path) -> None:
    chat, clock = MemoryChat(), FakeClock()
    async with running_bot(tmp_path, chat=chat, clock=clock, sleep=no_pauses) as bot:
        card, name = await propose(bot)
        chat.away = AWAY
        await bot.say("alice", "!whoami", wait=False)
        await bot.running.workflows.idle()
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await bot.running.workflows.idle()
        await bot.say("alice", f"!promote {ARM}", wait=False)
        await bot.running.workflows.idle()
        assert bot.excluded(X64, CANDIDATE) is False
        assert bot.messages == [card]
        assert "waits for 1 approval" in card.text
    chat.away = None
    async with running_bot(tmp_path, chat=chat, clock=clock, sleep=no_pauses) as bot:
        await bot.running.idle()
        assert f"{name} promote: done" in card.card.title
        _, whoami, report, proposal = bot.messages
        assert whoami.card.title == "You are Alice."
        assert (report.thread, "promote: done" in report.text) == (card.id, True)
        assert "waits for 1 approval" in proposal.text
        # The card that came late is an operation's card like any other.
        await bot.press("bob", Choice.REJECT, proposal)
        assert await newest_state(bot) is OperationState.REJECTED


async def test_a_card_that_changed_meanwhile_is_brought_to_its_newest_state_by_one_edit(
    tmp_path: Path,
) -> None:
    chat = MemoryChat()
    policy = {"policy": {"promote": {"approvals": 2}}}
    outage = Outage(chat, MINUTE)
    async with running_bot(tmp_path, chat=chat, sleep=outage.sleep, changes=policy) as bot:
        card, name = await propose(bot)
        chat.away = AWAY
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await bot.running.workflows.idle()
        await bot.say("bob", f"!reject {name} too early", wait=False)
        await bot.running.idle()
        assert "Rejected by Bob: too early." in card.text
        assert len(card.cards) <= 3  # as proposed, perhaps with the vote, and as it ended


async def test_an_answer_is_worth_an_hour_and_what_concerns_an_operation_a_week(tmp_path: Path) -> None:
    chat, clock = MemoryChat(), FakeClock()
    async with running_bot(tmp_path, chat=chat, clock=clock, sleep=no_pauses) as bot:
        card, name = await propose(bot)
        chat.away = AWAY
        await bot.say("alice", "!whoami", wait=False)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await bot.running.workflows.idle()
        clock.advance(HOUR)
        chat.away = None
        await bot.running.idle()
        assert f"{name} promote: done" in card.card.title
        assert [each.card.title for each in bot.messages if each.thread is None] == [card.card.title]
        (status,) = await bot.say("alice", "!status")
        assert "1 message was dropped in the last day" in status.text

        chat.away = AWAY
        lost, _ = await newest_operation(bot), await bot.say("alice", f"!promote {ARM}", wait=False)
        await bot.running.workflows.idle()
        assert (await newest_operation(bot)).id != lost.id
        clock.advance(timedelta(days=7))
        chat.away = None
        await bot.running.idle()
        assert all(ARM not in each.text for each in bot.messages)


async def test_status_says_what_waits(tmp_path: Path) -> None:
    chat, other = MemoryChat(), "elsewhere"
    async with running_bot(tmp_path, chat=chat, sleep=no_pauses) as bot:
        chat.away_in[other] = AWAY
        await bot.say("alice", "!whoami", room=other, wait=False)
        await bot.say("alice", "!whoami", room=other, wait=False)
        await bot.running.workflows.idle()
        await bot.say("alice", "!status", wait=False)
        (status,) = await until_said(bot, "is up")
        assert "2 messages wait" in status.text
        chat.away_in.clear()
        await bot.running.idle()
        assert sum(each.room == other for each in bot.messages) == 2


async def until_said(bot: BotHarness, words: str) -> list[PostedMessage]:
    """Wait for a message in the room."""
    await bot.until(lambda: any(words in each.text for each in bot.messages))
    return [each for each in bot.messages if words in each.text]


async def test_a_room_that_takes_nothing_keeps_no_other_waiting(tmp_path: Path) -> None:
    chat = MemoryChat()
    async with running_bot(tmp_path, chat=chat, sleep=no_pauses) as bot:
        chat.away_in["elsewhere"] = AWAY
        await bot.say("alice", "!whoami", room="elsewhere", wait=False)
        await bot.say("carol", "!whoami", wait=False)
        await until_said(bot, "You are Carol.")
        assert all(each.room == "console" for each in bot.messages)
        chat.away_in.clear()


async def test_a_card_whose_buttons_are_missing_is_its_operations_card_all_the_same(tmp_path: Path) -> None:
    chat = MemoryChat()
    async with running_bot(tmp_path, chat=chat, sleep=no_pauses) as bot:
        chat.incomplete = 3
        card, _ = await propose(bot)
        assert bot.messages == [card]
        await bot.press("bob", Choice.APPROVE, card)
        assert await newest_state(bot) is OperationState.DONE
        assert "promote: done" in card.card.title


async def test_a_report_that_could_not_even_be_kept_is_told_once_it_can(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        card, name = await propose(bot)
        async with refusing_database(bot, "UPDATE ON message"):
            await bot.press("bob", Choice.APPROVE, card)
            assert await newest_state(bot) is OperationState.DONE
        await bot.running.housekeeping.sweep()
        await bot.running.idle()
        (report,) = [each for each in bot.messages if each.thread == card.id]
        assert f"{name} promote: done" in report.text
        assert f"{name} promote: done" in card.card.title
        await bot.running.housekeeping.sweep()
        assert len(bot.messages) == 2


async def test_a_proposal_whose_expiry_failed_once_expires_a_minute_later(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_bot(tmp_path, clock=clock) as bot:
        card, _ = await propose(bot)
        _, other = await propose(bot, f"!cleanup {RAWHIDE}")
        clock.advance(timedelta(days=4))
        async with refusing_database(bot, f"UPDATE ON operation WHEN NEW.id != '{other}'"):
            await bot.running.housekeeping.sweep()
            assert (await bot.running.operations.get(other)).state is OperationState.EXPIRED
        await bot.running.housekeeping.sweep()
        await bot.running.idle()
        assert "expired" in card.text
        assert not card.card.buttons


@pytest.mark.parametrize("line", ["!op {}", "!pending"])
async def test_a_lost_card_can_be_had_again_with_its_buttons(tmp_path: Path, line: str) -> None:
    chat = MemoryChat()
    async with running_bot(tmp_path, chat=chat, sleep=no_pauses) as bot:
        chat.failures.append(NEVER)
        assert await bot.say("alice", f"!promote {X64}") == []
        name = (await newest_operation(bot)).id
        (again,) = await bot.say("bob", line.format(name))
        assert {button.choice for button in again.card.buttons} == set(Choice)
        said = again.card
        (other,) = await bot.say("carol", line.format(name))
        assert again.card == said  # as it was asked for, until the operation moves on
        await bot.press("bob", Choice.APPROVE, again)
        assert await newest_state(bot) is OperationState.DONE
        for shown in (again, other):
            assert f"{name} promote: done" in shown.card.title
            assert not shown.card.buttons


async def test_of_several_that_wait_each_is_had_with_its_buttons_by_its_id(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        _, first = await propose(bot)
        await propose(bot, f"!promote {ARM}")
        (pending,) = await bot.say("bob", "!pending")
        assert not pending.card.buttons
        assert f"With its buttons: `!op {first}`" in pending.text
        (ended,) = await bot.say("bob", f"!op {first}")
        await bot.press("bob", Choice.REJECT, ended)
        (after,) = await bot.say("bob", f"!op {first}")
        assert not after.card.buttons
