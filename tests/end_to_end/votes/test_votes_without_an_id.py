"""Votes that name no operation: they count for what whoever gives them has seen, and else the bot asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Card, Choice, Room
from slipway.bot.core.errors import ChatError
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.standing import NotSeenError, Said, StandingCards
from tests.support.azure import ARM, ARM_CANDIDATE, CANDIDATE, RAWHIDE, X64
from tests.support.clock import MINUTE, FakeClock
from tests.support.harness import BotHarness, newest_state, propose, propose_slowly, running_bot
from tests.support.memory_chat import MemoryChat
from tests.support.pauses import impatient

SECOND = timedelta(seconds=1)


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with running_bot(tmp_path) as running:
        yield running


async def test_an_old_line_that_comes_late_decides_on_nothing_that_it_was_typed_before(
    bot: BotHarness,
) -> None:
    bot.clock.advance(MINUTE)
    card, name = await propose(bot, f"!cleanup {RAWHIDE}")
    for line in ("!approve", "!reject", "!cancel"):
        (which,) = await bot.say("bob", line, age=SECOND)
        assert f"{name} " in which.text
        assert "its card did not stand here before you wrote; say which." in which.text
        assert name in which.card.notes[0]
    assert await newest_state(bot) is OperationState.PROPOSED
    assert bot.azure.writes == []
    assert card.card.buttons
    (report,) = await bot.say("bob", "!approve")
    assert "done" in report.text


async def test_a_line_counts_for_what_stood_there_when_it_was_typed_though_more_is_proposed_since(
    bot: BotHarness,
) -> None:
    card, _ = await propose(bot)
    bot.clock.advance(MINUTE)
    other, _ = await propose(bot, f"!promote {ARM}")
    await bot.say("bob", "!approve", age=SECOND)
    assert "done" in card.card.title
    assert other.card.buttons
    assert bot.excluded(X64, CANDIDATE) is False
    assert bot.excluded(ARM, ARM_CANDIDATE) is True


async def test_what_is_proposed_in_another_room_is_not_meant(bot: BotHarness) -> None:
    (card,) = await bot.say("alice", f"!promote {X64}", room="ops")
    (which,) = await bot.say("bob", "!approve")
    assert "its card did not stand here before you wrote; say which." in which.text
    here, _ = await propose(bot, f"!promote {ARM}")
    await bot.say("bob", "!approve")
    assert "done" in here.card.title
    assert card.card.buttons
    await bot.say("bob", "!approve", room="ops")
    assert "done" in card.card.title


async def test_the_card_in_whose_thread_or_as_an_answer_to_which_it_is_said_is_meant(bot: BotHarness) -> None:
    first, _ = await propose(bot)
    second, second_name = await propose(bot, f"!promote {ARM}")
    third, _ = await propose(bot, f"!cleanup {RAWHIDE}")
    await bot.say("bob", "!reject not today", thread=first.id)
    assert "Rejected by Bob: not today." in first.text
    await bot.say("bob", "!approve", reply_to=second.id)
    assert "done" in second.card.title
    (late,) = await bot.say("bob", "!approve", reply_to=second.id)
    assert f"{second_name} is already done" in late.text
    assert third.card.buttons


async def test_in_a_thread_the_proposal_that_was_made_there_is_meant_before_those_in_the_room(
    bot: BotHarness,
) -> None:
    outside, _ = await propose(bot)
    (inside,) = await bot.say("alice", f"!promote {ARM}", thread="t1")
    await bot.say("bob", "!approve", thread="t1")
    assert "done" in inside.card.title
    assert outside.card.buttons
    (inside,) = await bot.say("alice", f"!cleanup {RAWHIDE}", thread="t1")
    await bot.say("bob", "!approve")
    assert "done" in outside.card.title
    assert inside.card.buttons


@pytest.mark.parametrize("line", ["!approve", "!reject", "!cancel"])
async def test_what_only_became_the_card_after_it_was_answered_or_reacted_to_is_not_meant(
    tmp_path: Path, line: str
) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:
        card, held = await propose_slowly(bot)
        ways = ((None, None), (card.id, None), (None, card.id))

        bot.clock.advance(MINUTE)
        bot.chat.away = ChatError("The platform takes nothing now.", passing=True)
        held.release()
        await bot.running.workflows.idle()  # it is proposed, and the room does not show it
        bot.clock.advance(MINUTE)
        for reply_to, thread in ways:
            await bot.say("bob", line, wait=False, reply_to=reply_to, thread=thread)
        await bot.running.workflows.idle()
        assert await newest_state(bot) is OperationState.PROPOSED

        bot.clock.advance(MINUTE)
        bot.chat.away = None
        await bot.running.idle()
        assert card.card.buttons
        for reply_to, thread in ways:  # delivered late
            (which,) = await bot.say("bob", line, age=MINUTE, reply_to=reply_to, thread=thread)
            assert "say which" in which.text
        choice = Choice.REJECT if line == "!reject" else Choice.APPROVE
        (which,) = await bot.press("bob", choice, card, age=MINUTE)
        assert "say which" in which.text
        assert await newest_state(bot) is OperationState.PROPOSED

        await bot.say("bob", line, reply_to=card.id)
        assert await newest_state(bot) is not OperationState.PROPOSED


async def test_whoever_reacts_to_a_card_before_all_its_buttons_stand_below_it_has_seen_it(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with running_bot(tmp_path, sleep=impatient, clock=clock, chat=SlowButtons(clock)) as bot:
        card, held = await propose_slowly(bot)
        bot.clock.advance(MINUTE)
        held.release()
        await bot.running.workflows.idle()
        (which,) = await bot.press("bob", Choice.APPROVE, card, age=2 * MINUTE)  # to “Working on it…”
        assert "say which" in which.text
        await bot.press("bob", Choice.APPROVE, card, age=SECOND)
        assert "done" in card.card.title


@pytest.mark.parametrize("ahead", [timedelta(hours=-1), timedelta(hours=1)])
async def test_the_platforms_own_times_decide_where_the_bots_clock_is_wrong(
    tmp_path: Path, ahead: timedelta
) -> None:
    clock = FakeClock()
    chat = DatingChat(clock, ahead)
    async with running_bot(tmp_path, chat=chat, clock=clock, changes={"commands": {"max_age": "3h"}}) as bot:
        card, name = await propose(bot)
        (which,) = await bot.say("bob", "!approve", age=SECOND - ahead)
        assert f"{name} waits for approval, but its card did not stand here" in which.text
        chat.failing = True
        (which,) = await bot.say("bob", "!approve", age=-ahead)
        assert f"{name} waits for approval, but its card did not stand here" in which.text
        chat.failing = False
        await bot.say("bob", "!approve", age=-ahead)
        assert "done" in card.card.title


async def test_what_was_proposed_after_a_line_was_taken_in_is_not_meant_by_it_whatever_its_time_says(
    bot: BotHarness,
) -> None:
    standing = StandingCards(bot.running.database, bot.running.chats, bot.running.messages)
    before = await standing.newest()
    card, name = await propose(bot)
    room = Room(platform=bot.chat.platform, id="console")
    ahead = bot.clock() + MINUTE  # a server's clock may be
    for line in (
        Said(room, None, None, ahead, before),
        Said(room, card.id, None, ahead, before),
    ):
        assert await standing.seen(line) == {}
    with pytest.raises(NotSeenError, match=name):
        await standing.answered(Said(room, None, card.id, ahead, before))
    after = Said(room, None, card.id, ahead, await standing.newest())
    assert (await standing.answered(after), [*await standing.seen(after)]) == (name, [name])


class SlowButtons(MemoryChat):
    """A chat whose buttons follow what a message says by a minute."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self._edited: dict[str, datetime] = {}

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Show the words at once."""
        await super().edit(room, message_id, card, thread=thread, key=key)
        self._edited[message_id] = self._clock()
        if card.buttons:
            self._clock.advance(MINUTE)

    def edited_at(self, room: str, message_id: str) -> datetime | None:
        """Before the buttons."""
        return self._edited.get(message_id)


class DatingChat(MemoryChat):
    """A platform with a clock of its own, which says when it took a message."""

    def __init__(self, clock: FakeClock, ahead: timedelta) -> None:
        super().__init__()
        self.failing = False
        self._clock, self._ahead = clock, ahead
        self._taken: dict[str, datetime] = {}

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        message_id = await super().send(room, card, thread=thread, key=key)
        self._taken.setdefault(message_id, self._clock() + self._ahead)
        return message_id

    async def sent_at(self, room: str, message_id: str) -> datetime | None:
        if self.failing:
            raise ChatError("The platform is away.", passing=True)
        return self._taken.get(message_id)
