"""A platform that takes nothing for a while: what is to be said is kept, and said in order once it takes it again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import many
from slipway.bot.core.errors import ChatError
from slipway.bot.operations.model import OperationState
from slipway.commands.dispatch.dispatcher import PATIENCE_SECONDS
from slipway.commands.operations.pending import MOST_FOLLOWING, MOST_SHOWN
from tests.support.azure import ARM, CANDIDATE, RAWHIDE, X64
from tests.support.clock import HOUR, MINUTE, FakeClock
from tests.support.harness import (
    BotHarness,
    newest_operation,
    newest_state,
    propose,
    refusing_database,
    running_bot,
)
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.support.pauses import no_pauses

AWAY = ChatError("The server is away.", passing=True)
LOCKED_OUT = ChatError("The token was revoked.", passing=False, locked_out=True)
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


def reports(bot: BotHarness, card: PostedMessage) -> list[PostedMessage]:
    """What was reported below a card; those who can decide may have been called there before."""
    return [each for each in bot.messages if each.thread == card.id and "promote: done" in each.text]


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
        (_,) = reports(bot, card)
        assert max(outage.pauses) <= 60


@pytest.mark.parametrize("asked", [0, 30])
async def test_it_tries_at_once_when_the_platform_answers_again_but_no_sooner_than_was_asked_for(
    tmp_path: Path, asked: float
) -> None:
    chat, paused, over = MemoryChat(), asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds == PATIENCE_SECONDS:
            await asyncio.sleep(seconds)
            return
        paused.set()
        await over.wait()

    async with running_bot(tmp_path, chat=chat, sleep=sleep) as bot:
        chat.away_in["console"] = ChatError("The server is away.", passing=True, retry_after=asked)
        await bot.say("carol", "!whoami", wait=False)
        await paused.wait()
        chat.away_in.clear()
        bot.running.messages.answers(chat.platform)
        if asked:
            await bot.say("alice", "!whoami", room="elsewhere", wait=False)
            await until_said(bot, "You are Alice.")
            assert [each.room for each in bot.messages] == ["elsewhere"]
            over.set()
        await until_said(bot, "You are Carol.")


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


async def test_what_a_bot_may_not_say_whose_token_was_revoked_is_said_once_it_has_another(
    tmp_path: Path,
) -> None:
    chat, clock = MemoryChat(), FakeClock()
    async with running_bot(tmp_path, chat=chat, clock=clock, sleep=no_pauses) as bot:
        card, name = await propose(bot)
        chat.away = LOCKED_OUT
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await bot.say("alice", f"!promote {ARM}", wait=False)
        await bot.running.workflows.idle()
        assert bot.messages == [card]
    chat.away = None
    async with running_bot(tmp_path, chat=chat, clock=clock, sleep=no_pauses) as bot:
        await bot.running.idle()
        assert f"{name} promote: done" in card.card.title
        (_,) = reports(bot, card)
        assert any(ARM in each.text and each.card.buttons for each in bot.messages)


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
        (report,) = reports(bot, card)
        assert f"{name} promote: done" in report.text
        assert f"{name} promote: done" in card.card.title
        await bot.running.housekeeping.sweep()
        assert reports(bot, card) == [report]


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
        (other,) = await bot.say("carol", line.format(name))
        assert "A newer card of this stands below" in again.text
        assert {button.choice for button in other.card.buttons} == set(Choice)
        assert not again.card.buttons
        await bot.press("bob", Choice.APPROVE, again)
        assert await newest_state(bot) is OperationState.DONE
        for shown in (again, other):
            assert f"{name} promote: done" in shown.card.title
            assert not shown.card.buttons


async def test_of_several_that_wait_whoever_can_decide_gets_the_cards_below_the_list(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        _, first = await propose(bot)
        _, second = await propose(bot, f"!promote {ARM}")
        pending, *cards = await bot.say("bob", "!pending")
        assert not pending.card.buttons
        assert [each.command for each in pending.card.shortcuts] == [f"op {first}", f"op {second}"]
        assert [each.thread for each in cards] == [pending.id] * 2
        for name, card in zip((first, second), cards, strict=True):
            assert f"{name} promote: waits for 1 approval" in card.text
            assert {button.choice for button in card.card.buttons} == set(Choice)
        assert "Plan: " in cards[0].card.text  # all there is to agree to
        await bot.press("bob", Choice.REJECT, cards[0])
        assert "rejected" in cards[0].text
        assert pending.card.title == "2 open operations"  # a list says what was open when it was asked for
        (alone,) = await bot.say("alice", "!pending")  # she asked for both
        assert "Plan: " in alone.text  # one is left, and shown with all there is to agree to
        _, third = await propose(bot)
        (listed,) = await bot.say("alice", "!pending")
        assert [each.command for each in listed.card.shortcuts] == [f"op {second}", f"op {third}"]


async def test_the_cards_below_a_list_come_with_it_where_it_is_not_taken_at_first(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        names = [(await propose(bot, line))[1] for line in (f"!promote {X64}", f"!promote {ARM}")]
        bot.chat.failures.append(AWAY)
        pending, *cards = await bot.say("bob", "!pending")
        assert "2 open operations" in pending.text
        assert [each.thread for each in cards] == [pending.id] * 2
        assert all(name in card.text for name, card in zip(names, cards, strict=True))


async def test_of_very_many_that_wait_the_first_can_be_shown(tmp_path: Path) -> None:
    clock = FakeClock()
    azure = SimulatedAzure(many(1, MOST_SHOWN + 4, clock()), clock=clock)
    await azure.start()
    async with running_bot(tmp_path, clock=clock, azure=azure) as bot:
        (definition, found), *_ = azure.snapshot()["definitions"].items()
        candidates = [version for version, each in found["versions"].items() if each["excluded"]]
        names = [
            (await propose(bot, f"!promote {definition} {each}"))[1] for each in candidates[: MOST_SHOWN + 1]
        ]
        pending, *cards = await bot.say("bob", "!pending")
        assert [each.text.split()[1] for each in cards] == names[:MOST_FOLLOWING]
        assert [each.command for each in pending.card.shortcuts] == [
            f"op {each}" for each in names[:MOST_SHOWN]
        ]
        assert all(name in pending.text for name in names)
    await azure.stop()


@pytest.mark.parametrize("changes", [1, 2])
async def test_a_card_that_changed_while_nobody_knew_whether_it_was_taken_shows_what_is_so(
    tmp_path: Path, changes: int
) -> None:
    """The platform took it as it was at first, and the answer got lost."""
    chat = MemoryChat()
    outage = Outage(chat, timedelta(seconds=60))
    policy = {"policy": {"promote": {"approvals": 2, "requester_may_approve": True}}}
    async with running_bot(tmp_path, chat=chat, sleep=outage.sleep, changes=policy) as bot:
        chat.lost, chat.away = 1, AWAY
        await bot.say("alice", f"!promote {X64}", wait=False)
        await bot.until(lambda: len(bot.messages) == 1)
        operation = await newest_operation(bot)
        for who in ("bob", "alice")[:changes]:
            await bot.say(who, f"!approve {operation.id}", wait=False)
        await bot.running.idle()
        (card,) = [each for each in bot.messages if each.thread is None]
        assert "Bob approved" in card.text
        assert ("promote: done" in card.card.title) is (changes == 2)
