"""A plan with more steps than its card shows can be read as a whole before anybody agrees to it, and at any time."""

from __future__ import annotations

from pathlib import Path

from slipway.bot.chat.model import Choice
from slipway.bot.core.errors import ChatError
from tests.support.azure import X64, publishing_profile
from tests.support.harness import BotHarness, newest_operation, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage

WHOLE = "cleanup: the whole plan, "


def wholes(bot: BotHarness) -> list[PostedMessage]:
    """The messages with a whole plan."""
    return [each for each in bot.messages if WHOLE in each.card.title]


async def test_the_whole_plan_stands_once_in_the_thread_of_its_card_before_anybody_agrees(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot, "!cleanup")
        steps = (await newest_operation(bot)).plan.steps
        assert len(steps) > 12
        assert card.text.count("delete 4") == 12  # of as many as a card shows
        (whole,) = wholes(bot)
        assert whole.thread == card.id
        assert whole.card.title == f"{name} {WHOLE}{len(steps)} steps"
        for step in steps:
            assert f"{step.title}  " in whole.text
            assert step.reason in whole.text
        assert f"All steps: in the thread, or `!op {name}`" in card.card.notes

        publishing_profile(bot.azure, X64, _candidate(steps, X64))["excludeFromLatest"] = False
        await bot.press("bob", Choice.APPROVE, card)
        assert "stale" in card.card.title
        assert wholes(bot) == [whole]
        assert len(whole.cards) == 1

        again, second = await propose(bot, "!cleanup")
        (_, new) = wholes(bot)
        assert new.thread == again.id
        assert new.card.title == f"{second} {WHOLE}{len(steps) - 1} steps"
        await bot.press("bob", Choice.APPROVE, again)
        assert len(wholes(bot)) == 2
        (shown,) = await bot.say("carol", f"!op {second} --plan")
        assert shown.text == new.text


def _candidate(steps: tuple[object, ...], definition: str) -> str:
    """A version that goes for being an older candidate."""
    return next(
        str(getattr(each, "version", ""))
        for each in steps
        if getattr(each, "definition", "") == definition and getattr(each, "limit", None) is not None
    )


async def test_a_plan_that_its_card_shows_whole_is_not_said_twice(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot, f"!cleanup {X64}")
        assert bot.messages == [card]
        (shown,) = await bot.say("carol", f"!op {name} --plan")
        assert shown.card.title == f"{name} cleanup: the whole plan, 2 steps"
        assert "it is a candidate, and not among the newest 7" in shown.text


async def test_it_comes_once_its_room_takes_something_again_though_the_bot_was_started_anew(
    tmp_path: Path,
) -> None:
    chat = MemoryChat()
    async with running_bot(tmp_path, chat=chat) as bot:
        chat.away = ChatError("The platform is away.", passing=True)
        await bot.say("alice", "!cleanup", wait=False)
        await bot.running.workflows.idle()
        assert chat.messages == []
        azure = bot.azure.state
    chat.away = None
    chat.listening.clear()
    async with running_bot(tmp_path, chat=chat) as bot:
        bot.azure.state = azure
        await bot.running.idle()
        card, whole = chat.messages
        assert card.card.buttons
        assert WHOLE in whole.card.title
        assert whole.thread == card.id
