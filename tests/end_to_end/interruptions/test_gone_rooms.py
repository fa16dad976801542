"""A room that is gone while something waits there: archived, replaced, or the bot was put out of it."""

from __future__ import annotations

from pathlib import Path

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Choice, Room
from slipway.bot.core.errors import ChatError
from tests.support.azure import ARM
from tests.support.harness import BotHarness, propose, running_bot
from tests.support.memory_chat import PostedMessage
from tests.support.pauses import no_pauses

ARCHIVED = ChatError("The room is archived.", passing=False, room_gone=True)
TWO = {"policy": {"promote": {"approvals": 2, "role": "releng", "requester_may_approve": True}}}


async def _upkeep(bot: BotHarness) -> None:
    await bot.running.upkeep.sweep()
    await bot.running.idle()


def _to(bot: BotHarness, who: str) -> list[PostedMessage]:
    return [each for each in bot.messages if each.room == f"direct:{who}"]


async def test_who_asked_and_who_can_decide_are_told_alone_and_the_card_is_put_right_when_the_room_is_back(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, sleep=no_pauses, changes=TWO) as bot:
        card, name = await propose(bot)
        bot.chat.away_in["console"] = ARCHIVED
        await bot.press("alice", Choice.APPROVE, card)
        assert not _to(bot, "bob")
        for _ in range(2):  # each once, however long it lasts
            await _upkeep(bot)
        (to_bob,), (to_alice,) = _to(bot, "bob"), _to(bot, "alice")
        for told in (to_bob, to_alice):
            assert f"{name} promote: waits for 1 approval" in told.text
            assert "The room console of this takes no messages" in told.text

        await bot.press("bob", Choice.APPROVE, to_bob)  # it is decided where it can be seen
        await _upkeep(bot)
        assert "promote: done" in to_bob.text
        assert "promote: done" in to_alice.text
        (report,) = [each for each in _to(bot, "alice") if each is not to_alice]
        assert f"{name} promote: done" in report.text
        assert _to(bot, "bob") == [to_bob]
        assert "waits for 2 approvals" in card.text

        del bot.chat.away_in["console"]
        await bot.say("carol", "!whoami")  # somebody speaks there again
        await bot.until(lambda: "promote: done" in card.text)  # nobody else waits for a room that is gone
        said = [each for each in bot.messages if each.room == "console"]
        assert [each.thread for each in said[:2]] == [None, card.id]


async def test_a_bot_that_starts_while_a_room_is_gone_tells_of_what_ended_there(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        card, name = await propose(bot)
        chat = bot.chat
        chat.away_in["console"] = ARCHIVED
        await bot.press("bob", Choice.APPROVE, card)
    async with running_bot(tmp_path, sleep=no_pauses, chat=chat, azure=bot.azure) as bot:
        await bot.running.idle()  # what was left was tried once
        await _upkeep(bot)
        assert f"{name} promote: done" in _to(bot, "alice")[0].text
        assert not _to(bot, "bob")


async def test_what_ended_and_was_shown_before_its_room_was_lost_is_told_to_nobody_again(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        _, waiting = await propose(bot, f"!promote {ARM}")
        bot.chat.away_in["console"] = ARCHIVED
        bot.running.rooms.ask(Room(platform=CONSOLE, id="console"))
        await _upkeep(bot)
        (told,) = _to(bot, "alice")
        assert f"{waiting} promote: waits" in told.text
        assert "The room is archived. So I tell you here." in told.text


async def test_a_platform_that_does_not_say_is_asked_again_and_silence_means_nothing(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=no_pauses) as bot:
        await propose(bot)
        bot.chat.away_in["console"] = ARCHIVED
        await _upkeep(bot)  # nothing told of it since the start, so nobody asks
        bot.chat.room_faults = [ChatError("No answer.", passing=True)]
        bot.running.rooms.ask(Room(platform=CONSOLE, id="console"))
        await _upkeep(bot)
        assert not _to(bot, "alice")
        await _upkeep(bot)
        assert len(_to(bot, "alice")) == len(_to(bot, "bob")) == 1
