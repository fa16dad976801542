"""What a room hears of problems, and what `!problems` shows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from slipway.bot.chat.model import Tone
from slipway.bot.core.errors import ChatError, CloudError, CloudErrorKind
from slipway.bot.problems.model import WELL, Look, Mend
from slipway.bot.problems.reconciling import LAPSED_LATELY, RETURNS_SOON
from tests.problems.builders import found, unseen
from tests.problems.cellar import ROOM, Cellar, cellar_bot
from tests.support.azure import X64, simulated_gallery
from tests.support.clock import FakeClock
from tests.support.memory_chat import MemoryChat, PostedMessage

LEAK = Look(
    (found(detail="It drips.", move="Close the tap.", mend=Mend(label="Promote", command=f"promote {X64}")),)
)


def tone(message: PostedMessage) -> Tone:
    """How it looks now."""
    return message.card.tone


async def test_a_problem_is_told_once_and_its_message_follows_it(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        (told,) = await it.minute(LEAK)
        assert told.card.title == "There is a leak."
        assert told.card.mentions == ("alice", "bob")
        assert "role releng" in told.text
        assert "Close the tap." in told.text
        assert f"promote {X64}" in told.text
        assert [each.label for each in told.card.shortcuts] == ["Promote", "I look into it"]
        assert await it.minute() == []
        assert await it.minute(WELL) == []
        assert (told.card.title, told.card.tone) == ("Over: There is a leak.", Tone.DONE)
        it.clock.advance(timedelta(minutes=31))
        (again,) = await it.minute(LEAK)
        assert again.card.mentions == ("alice", "bob")


async def test_one_that_comes_and_goes_is_not_told_each_time(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        (told,) = await it.minute(LEAK)
        for _ in range(3):
            assert await it.minute(WELL) == []
            assert told.card.title == "Over: There is a leak."
            assert await it.minute(LEAK) == []
            assert told.card.title == "There is a leak."
        assert timedelta(minutes=1) < RETURNS_SOON


async def test_many_at_once_are_one_message(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        flood = Look(tuple(found(f"leak {number:02}") for number in range(40)))
        (told,) = await it.minute(flood)
        assert told.card.title == "40 problems with the cellar"
        assert "There is a leak 00." in told.text
        assert f"See to one: `!problem ack {told.card.tables[0].values[0]['id']} REASON`" in told.text
        assert "And 25 more: `!problems`" in told.text
        assert await it.minute(Look(flood.found[20:])) == []
        assert told.card.title == "40 problems with the cellar, 20 of them over"
        assert "There is a leak 20." in told.text
        assert await it.minute(WELL) == []
        assert told.card.title == "Over: 40 problems with the cellar"


async def test_what_cannot_be_looked_at_closes_nothing_and_is_told_once_it_lasts(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        (told,) = await it.minute(LEAK)
        refused = CloudErrorKind.REFUSED
        it.cellar.error = CloudError(refused, cloud="azure", sentence="The door is locked.", reason="No key.")
        assert await it.minute() == []
        assert told.card.title == "There is a leak."
        it.clock.advance(timedelta(hours=1))
        (blind,) = await it.minute()
        assert blind.card.title == "Whether all is well with the cellar cannot be seen."
        assert "The door is locked." in blind.text
        assert "No key." in blind.text
        assert "whoever runs Slipway" in blind.text
        it.cellar.error = None
        assert await it.minute() == []
        assert blind.card.title.startswith("Over: ")
        assert told.card.title == "There is a leak."


async def test_a_source_that_fails_by_a_fault_of_its_own_keeps_no_other_from_being_seen(
    tmp_path: Path,
) -> None:
    async with cellar_bot(tmp_path, Cellar(error=KeyError("shelf"))) as it:
        await it.minute()
        it.clock.advance(timedelta(hours=1))
        (blind,) = await it.minute()
        assert "a fault of its own" in blind.text
        assert "shelf" not in blind.text


async def test_it_is_told_once_over_restarts_and_where_the_chat_took_it_unheard(tmp_path: Path) -> None:
    clock, chat, cellar = FakeClock(), MemoryChat(), Cellar(LEAK)
    async with simulated_gallery(clock) as azure:
        chat.lost = 1
        async with cellar_bot(tmp_path, cellar, chat=chat, clock=clock, azure=azure) as it:
            await it.minute()
        async with cellar_bot(tmp_path, cellar, chat=chat, clock=clock, azure=azure) as it:
            await it.minute()
            cellar.look = WELL
        async with cellar_bot(tmp_path, cellar, chat=chat, clock=clock, azure=azure) as it:
            await it.minute()
    (told,) = chat.messages
    assert told.card.title == "Over: There is a leak."


async def test_it_is_told_later_where_the_chat_is_away(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        it.bot.chat.away = ChatError("The platform is away.", passing=True)
        assert await it.minute(LEAK) == []
        it.bot.chat.away = None
        it.bot.running.messages.answers(it.bot.chat.platform)
        await it.bot.running.idle()
        (told,) = it.bot.messages
        assert told.card.mentions == ("alice", "bob")


async def test_what_nobody_remembers_telling_is_not_told_again_when_it_is_over(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        await it.minute(LEAK)
        async with it.bot.running.database.writing() as connection:
            await connection.exec_driver_sql("DELETE FROM message")
        assert await it.minute(Look((found(detail="It pours."),))) == []
        assert await it.minute(WELL) == []


async def test_what_the_configuration_watches_no_more_is_closed_as_that(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        (told,) = await it.minute(LEAK)
        it.cellar.wanted = False
        assert await it.minute() == []
        assert told.card.title == "Not looked at any more: There is a leak."
        (listed,) = await it.bot.say("carol", "!problems")
        assert listed.card.title == "There are no problems."


async def test_without_a_room_it_stands_in_the_list_alone(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path, changes={}) as it:
        assert await it.minute(LEAK) == []
        (listed,) = await it.bot.say("carol", "!problems")
        assert "There is a leak." in listed.text
        assert listed.card.tables[0].values[0]["source"] == "cellar"


async def test_a_reader_sees_the_list_and_one_of_it_and_is_offered_nothing_that_is_not_theirs(
    tmp_path: Path,
) -> None:
    async with cellar_bot(tmp_path) as it:
        await it.minute(Look(LEAK.found, (unseen("attic"),)))
        (listed,) = await it.bot.say("carol", "!problem")
        assert listed.card.title == "1 problem"  # that the attic cannot be seen has not lasted yet
        assert listed.card.shortcuts == ()
        problem = await it.the_id()
        (shown,) = await it.bot.say("carol", f"!problems {problem.upper()}.")
        assert "It drips." in shown.text
        assert "ack" not in shown.text
        (unknown,) = await it.bot.say("carol", "!problems pb-zzzz")
        assert "There is no problem pb-zzzz." in unknown.text
        (odd,) = await it.bot.say("carol", "!problems op-1")
        assert "is not the id of a problem; they look like pb-7k3f" in odd.text


async def test_it_is_acknowledged_until_that_lapses_and_then_called_for_once(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path, changes={**ROOM, "zone": "Europe/Prague"}) as it:
        (told,) = await it.minute(LEAK)
        problem = await it.the_id()
        answer = await it.bot.say("alice", f"!problems ack --for 1d {problem} I fetch a bucket")
        assert "problem-ack: done" in answer[0].text
        for each in answer:  # all by the clocks of the room, what was planned by UTC, too
            assert "until 2026-11-21 13:01 CET" in each.text
        await it.minute()
        assert "Alice sees to it until 2026-11-21 13:01 CET: I fetch a bucket" in told.text
        assert tone(told) is Tone.INFO
        (listed,) = await it.bot.say("carol", "!problems")
        assert listed.card.title == "1 problem, seen to"
        it.clock.advance(timedelta(days=1))
        (lapsed,) = await it.minute()
        assert (lapsed.thread, lapsed.card.mentions) == (told.id, ("alice", "bob"))
        assert "Alice's acknowledgement has lapsed" in lapsed.text
        assert tone(told) is Tone.WARNING
        assert await it.minute() == []


async def test_an_acknowledgement_that_lapsed_long_ago_calls_nobody(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        (told,) = await it.minute(LEAK)
        await it.bot.say("alice", f"!problem ack {await it.the_id()} soon")
        it.clock.advance(timedelta(days=90))
        assert timedelta(days=87) > LAPSED_LATELY
        assert await it.minute() == []
        assert told.card.tone is Tone.WARNING


async def test_it_is_acknowledged_by_a_press(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        (told,) = await it.minute(LEAK)
        answer = await it.bot.say("bob", f"!{told.card.shortcuts[1].command}")
        assert "problem-ack: done" in answer[0].text
        await it.minute()
        assert [each.label for each in told.card.shortcuts] == ["Promote"]
