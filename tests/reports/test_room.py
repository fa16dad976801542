"""What a room hears of reports: the whole bot on its simulated gallery, with the time injected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from slipway.bot.chat.model import Card, Choice, Room
from slipway.bot.core.errors import ChatError
from slipway.bot.messages.model import Lifetime
from slipway.commands.dispatch.events import LineRequest
from tests.support.azure import ARM, CANDIDATE, X64, simulated_gallery
from tests.support.clock import DAY, NOW, FakeClock
from tests.support.harness import BotHarness, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage

ROOM = Room(platform=MemoryChat().platform, id="console")

SCHEDULE = {
    "name": "daily-digest",
    "cron": "0 8 * * *",
    "command": "digest",
    "room": "console:console",
    "roles": ["reader"],
    "quiet": True,
}
CHANGES: dict[str, Any] = {
    "schedule": [SCHEDULE],
    "problems": {"owner": "role:releng"},
    "commands": {"room": "console:console"},
}


async def tick(bot: BotHarness, line: str = "digest", *, wait: bool = True) -> list[PostedMessage]:
    """Let the schedule say a line now; what is said then."""
    before = len(bot.messages)
    request = LineRequest.of_schedule("daily-digest", bot.clock(), ROOM, line, quiet=True)
    await bot.running.dispatcher.accept_line(request)
    await bot.running.workflows.idle()
    if wait:
        await bot.running.messages.idle()
    return bot.messages[before:]


def titles(messages: Sequence[PostedMessage]) -> list[str]:
    return [each.card.title for each in messages]


async def test_the_digest_calls_whoever_can_approve_and_is_quiet_where_nobody_has_to(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=CHANGES) as bot:
        assert await tick(bot) == []
        (card,) = await bot.say("alice", f"!promote {X64}")
        bot.clock.advance(timedelta(hours=1))
        told, approvals = await tick(bot)
        assert told.card.title == "Daily digest: 1 thing needs a person"
        assert "Approvals" in told.text
        assert told.card.mentions == ("bob",)
        assert approvals.thread == told.id
        assert approvals.card.mentions == ()
        assert f"promote {X64}" in approvals.text
        for line in ("!report daily", "!digest"):
            asked, *_ = await bot.say("carol", line)
            assert asked.card.title == told.card.title
        assert asked.card.mentions == ()
        await bot.press("bob", Choice.APPROVE, card)
        bot.clock.advance(timedelta(hours=1))
        assert await tick(bot) == []


async def test_a_week_tells_what_moved_and_what_waits_with_pictures(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=CHANGES) as bot:
        (card,) = await bot.say("alice", f"!promote {X64}")
        await bot.press("bob", Choice.APPROVE, card)
        await bot.say("alice", f"!hold {ARM} the kernel is broken")
        bot.clock.advance(DAY)
        told, *details = await tick(bot, "report weekly")
        assert told.card.title == "Weekly report, 14 Nov to 21 Nov"
        assert all(each.thread == told.id for each in details)
        by_title = {
            title.partition(":")[0]: each for title, each in zip(titles(details), details, strict=True)
        }
        images = by_title["Images"]
        assert CANDIDATE in images.text
        assert f"Timeline of {X64}" in images.text
        (picture,) = images.card.pictures
        assert picture.alternative in images.text
        assert "Due: promote" in by_title["Candidates"].text
        assert f"{ARM} is held by Alice" in by_title["Candidates"].text
        assert "Holds" in by_title
        bot.clock.now = datetime(2026, 12, 1, 8, tzinfo=UTC)
        month, *details = await tick(bot, "report monthly")
        assert month.card.title == "Monthly summary of 2026-11"
        assert "1 promoted" in month.text
        assert not any(each.card.pictures for each in details)


async def test_a_report_is_said_once_over_restarts_and_where_the_chat_took_it_unheard(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    async with simulated_gallery(clock) as azure:
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, changes=CHANGES) as bot:
            await bot.say("alice", f"!promote {X64}")
            chat.lost = 1  # the message stands there, and nobody hears that it does
            await tick(bot, wait=False)
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, changes=CHANGES) as bot:
            await bot.running.messages.idle()
            await tick(bot)  # of the same time
    _, told, approvals = chat.messages
    assert titles([told, approvals]) == [
        "Daily digest: 1 thing needs a person",
        "Approvals: 1 waits, until 21 Nov 12:00",
    ]
    assert approvals.thread == told.id


async def test_dropped_messages_are_a_problem_for_a_day_and_stand_in_the_digest(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=CHANGES) as bot:
        bot.chat.away = ChatError("The platform is away.", passing=True)
        gone = Room(platform=ROOM.platform, id="elsewhere")
        await bot.running.messages.say(gone, Card(title="A report."), key="one", lifetime=Lifetime.ANSWER)
        bot.clock.advance(timedelta(hours=2))
        bot.chat.away = None
        bot.running.messages.answers(ROOM.platform)
        await bot.running.messages.idle()
        bot.clock.advance(timedelta(minutes=1))
        await bot.running.problems.sweep()
        await bot.running.problems.idle()
        (problem,) = [each for each in bot.messages if "were dropped" in each.card.title]
        assert "elsewhere of console" in problem.card.title
        assert "Its platform did not take it in time." in problem.text
        digest, *_ = await tick(bot)
        assert "1 dropped" in digest.text
        assert digest.card.mentions == ("alice", "bob")
        bot.clock.advance(DAY)
        await bot.running.problems.sweep()
        await bot.running.problems.idle()
        assert problem.card.title.startswith("Over: ")


async def test_what_nobody_answers_is_reminded_of_once_and_expires_visibly(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    changes = {"policy": {"promote": {"approvals": 2, "requester_may_approve": True}}}
    async with simulated_gallery(clock) as azure:
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, changes=changes) as bot:
            (card,) = await bot.say("alice", f"!promote {X64}")
            await bot.press("alice", Choice.APPROVE, card)
            clock.advance(timedelta(hours=11, minutes=59))
            await bot.running.housekeeping.sweep()
            assert len(bot.messages) == 1
            clock.advance(timedelta(minutes=1))
            await bot.running.housekeeping.sweep()
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, changes=changes) as bot:
            for _ in range(3):
                await bot.running.housekeeping.sweep()
                clock.advance(timedelta(minutes=1))
            _, reminder = bot.messages
            assert "still waits for approval" in reminder.card.title
            assert "It expires 2026-11-21 12:00 UTC" in reminder.text
            assert reminder.thread == card.id
            assert reminder.card.mentions == ("bob",)  # alice has approved
            clock.now = NOW + DAY
            await bot.running.housekeeping.sweep()
            await bot.running.idle()
            *_, end = bot.messages
            assert "expired" in card.card.title
            assert not card.card.buttons
            assert "Too few people agreed in time" in end.text
            assert end.card.mentions == ("alice",)
            assert len(bot.messages) == 3
