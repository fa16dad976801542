"""The main job in a room on a real Synapse: from what people type to a changed gallery and back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import ButtonEvent, Choice, MessageEvent, Room
from slipway.bot.core.times import system_clock
from slipway.bot.operations.model import OperationState
from tests.matrix.clients import APPROVE, REJECT, Message, Person
from tests.matrix.scenario import FENCE, Story, story
from tests.support.synapse import Synapse

X64 = "Fedora-Cloud-43-x64"
RAWHIDE = "Fedora-Cloud-Rawhide-x64"


@pytest.fixture
async def told(synapse: Synapse, tmp_path: Path) -> AsyncIterator[Story]:
    async with story(synapse, tmp_path) as found:
        yield found


def candidate(told: Story) -> str:
    """The newest healthy candidate of X64."""
    return f"43.{told.clock() - timedelta(days=2):%Y%m%d}.0"


def operation_id(card: Message) -> str:
    found = re.search(r"op-\w+", card.body)
    assert found is not None, card.body
    return found[0]


async def proposed(told: Story, **how: str) -> Message:
    """Alice asks for a promotion; the card with its buttons."""
    card = await told.ask(told.alice, f"!promote {X64}", "waits for 1 approval", **how)
    await told.buttons(card, APPROVE, REJECT)
    return card


async def unchanged(told: Story, card: Message) -> None:
    """Nobody's word has moved the proposal."""
    (operation,) = await told.operations()
    assert operation.state is OperationState.PROPOSED
    assert operation.votes == ()
    assert told.excluded(X64, candidate(told)) is True
    await told.buttons(card, APPROVE, REJECT)


async def test_a_promotion_from_the_first_word_to_the_report(told: Story) -> None:
    async with told.bot():
        card = await proposed(told)
        assert card.thread is None
        assert card.msgtype == "m.notice"
        assert "<" not in card.body
        assert card.html.startswith("<strong>⏳ Waiting · ")
        assert f"<code>!approve {operation_id(card)}" in card.html
        assert told.excluded(X64, candidate(told)) is True

        await told.bob.react(told.room, card.id, APPROVE)

        await told.shows(card, "promote: done")
        assert told.excluded(X64, candidate(told)) is False
        await told.buttons(card)
        assert (told.bob.id, APPROVE) in told.alice.reactions(told.room, card.id)
        shown, report = await told.settle()
        assert (shown.id, report.thread) == (card.id, card.id)
        assert "promote: done" in report.body
        assert f"{candidate(told)} of {X64} is promoted" in report.body
        assert report.content["m.relates_to"]["rel_type"] == "m.thread"
        assert report.content["m.mentions"] == {"user_ids": [told.alice.id]}  # it calls who asked for it
        assert "Bob approved" in shown.body


async def test_what_is_delivered_twice_is_done_once(told: Story) -> None:
    async with told.bot():
        before = await told.place()
        asked = await told.alice.say(told.room, f"!promote {X64}")
        card = await told.alice.message(told.room, "waits for 1 approval", sender=told.bot_id)
        pressed = await told.bob.react(told.room, card.id, APPROVE)
        await told.shows(card, "promote: done")
        done = await told.settle()
        promoted = told.azure.snapshot()

        # the same events once more, by hand
        assert told.house is not None
        where = Room(platform=MATRIX, id=told.room)
        now = told.clock()
        await told.house.dispatcher.accept(
            MessageEvent(
                event_id=asked, room=where, speaker=told.alice.id, text=f"!promote {X64}", sent_at=now
            )
        )
        await told.house.dispatcher.accept(
            ButtonEvent(
                event_id=pressed,
                room=where,
                speaker=told.bob.id,
                choice=Choice.APPROVE,
                message_id=card.id,
                sent_at=now,
            )
        )
        assert await told.settle() == done
    await told.turn_back_to(before)  # as if it had died before it noted how far it was
    async with told.bot():
        assert await told.settle() == done
        assert len(await told.operations()) == 1
        assert told.azure.snapshot() == promoted


async def test_a_decision_made_while_the_bot_was_down_counts_once(told: Story) -> None:
    async with told.bot():
        card = await proposed(told)
    await told.bob.react(told.room, card.id, APPROVE)
    assert told.excluded(X64, candidate(told)) is True
    async with told.bot():
        await told.shows(card, "promote: done")
        await told.buttons(card)
        assert told.excluded(X64, candidate(told)) is False
        _shown, report = await told.settle()
        assert report.thread == card.id


async def test_who_may_not_decide_changes_nothing(told: Story) -> None:
    async with told.bot():
        card = await proposed(told)
        await told.mallory.react(told.room, card.id, APPROVE)
        await told.mallory.react(told.room, card.id, REJECT)
        assert [each.id for each in await told.settle()] == [card.id]  # a stranger is not even answered
        await unchanged(told, card)

        await told.carol.react(told.room, card.id, APPROVE)
        refusal = await told.alice.message(told.room, "may not approve", sender=told.bot_id)
        assert refusal.thread == card.id
        assert refusal.content["m.mentions"] == {"user_ids": [told.carol.id]}
        await unchanged(told, card)

        await told.alice.react(told.room, card.id, APPROVE)
        await told.alice.message(told.room, "somebody else must approve it", sender=told.bot_id)
        await unchanged(told, card)


async def test_a_cross_rejects(told: Story) -> None:
    async with told.bot():
        card = await proposed(told)
        await told.bob.react(told.room, card.id, REJECT)
        shown = await told.shows(card, "promote: rejected")
        assert "Rejected by Bob" in shown.body
        await told.buttons(card)
        await told.bob.react(told.room, card.id, APPROVE)  # too late
        (_card, _report, late) = await told.settle()
        assert "rejected; nothing was changed by this" in late.body
        assert told.excluded(X64, candidate(told)) is True


async def test_decisions_can_be_typed(told: Story) -> None:
    async with told.bot():
        card = await proposed(told)
        await told.bob.say(told.room, f"!approve {operation_id(card)}")
        await told.shows(card, "promote: done")
        await told.buttons(card)
        assert told.excluded(X64, candidate(told)) is False

        card = await told.ask(told.alice, "!cleanup Fedora-Cloud-42-x64", "waits for 1 approval")
        await told.buttons(card, APPROVE, REJECT)
        await told.bob.say(told.room, f"!reject {operation_id(card)} not today")
        shown = await told.shows(card, "cleanup: rejected")
        assert "Rejected by Bob: not today" in shown.body


async def test_what_is_asked_in_a_thread_is_answered_there(told: Story) -> None:
    async with told.bot():
        root = await told.alice.say(told.room, "what do we ship this week?")
        listing = await told.ask(told.carol, "!images", "image definitions", thread=root)
        assert listing.thread == root
        card = await proposed(told, thread=root)
        assert card.thread == root
        await told.bob.react(told.room, card.id, APPROVE)
        await told.shows(card, "promote: done")
        assert {each.thread for each in await told.settle()} == {root}


async def test_being_called_by_name_needs_no_prefix(told: Story) -> None:
    async with told.bot():
        await told.ask(told.alice, "Slipway Bot: images", "image definitions")


async def test_edits_notices_reactions_elsewhere_and_talk_cause_nothing(told: Story) -> None:
    async with told.bot():
        command = f"!promote {X64}"
        said = await told.alice.say(told.room, "promote something, anyone?")
        await told.alice.edit(told.room, said, command)
        await told.alice.say(told.room, command, msgtype="m.notice")
        await told.alice.say(told.room, f"I would type {command} here")
        await told.alice.say(told.room, "!!! what a week !!!")
        await told.bob.react(told.room, said, APPROVE)
        assert await told.settle() == []
        assert await told.operations() == ()


async def test_strangers_get_nothing_done(told: Story) -> None:
    async with told.bot():
        await told.ask(told.mallory, f"!promote {X64}", "I do not know you")
        await told.ask(told.carol, f"!promote {X64}", "You need the right `promote`")
        assert await told.operations() == ()


@pytest.mark.parametrize("already_in", [True, False])
async def test_what_was_said_before_the_first_start_is_history(told: Story, already_in: bool) -> None:
    if already_in:
        async with Person(told.synapse, told.account) as account:
            await account.join(told.room)
    await told.alice.say(told.room, f"!promote {X64}")
    async with told.bot():
        assert await told.settle() == []
        assert await told.operations() == ()


async def test_after_a_pause_recent_commands_are_answered_and_old_ones_are_not(told: Story) -> None:
    async with told.bot():
        await told.settle()
    await told.alice.say(told.room, f"!promote {X64}")
    told.clock.ahead = timedelta(minutes=11)
    async with told.bot():
        # Every message looks old now, so there is no last word to wait for but the bot's own note of it.
        await told.alice.look()
        assert all(FENCE in each.body for each in told.said())
        assert await told.operations() == ()
    told.clock.ahead = timedelta()
    await told.alice.say(told.room, "!images")
    async with told.bot():
        answer = await told.alice.message(told.room, "image definitions", sender=told.bot_id)
        assert answer.thread is None
        assert await told.operations() == ()


async def test_a_schedule_promotes_and_cleans_up_in_the_room(told: Story) -> None:
    chosen = candidate(told)
    entry = {"room": f"matrix:{told.room}", "roles": ["releng"], "zone": "UTC"}
    schedule = [
        {"name": "promotion", "cron": "0 9 * * mon", "command": f"promote {X64}", **entry},
        {"name": "cleanup", "cron": "0 10 * * mon", "command": f"cleanup {RAWHIDE}", **entry},
    ]
    policy = {kind: {"approvals_scheduled": 0} for kind in ("promote", "cleanup")}
    async with told.bot(schedule=schedule, policy=policy):
        assert told.house is not None
        now = told.clock()
        monday = (now + timedelta(days=7 - now.weekday())).replace(hour=9, minute=0, second=1, microsecond=0)
        for hour, done in ((9, "promote: done"), (10, "cleanup: done")):
            told.clock.ahead = monday.replace(hour=hour) - system_clock()
            await told.house.schedules.wake()
            card = await told.alice.message(told.room, done, sender=told.bot_id)
            assert "Asked by:" in card.body
            report = await told.alice.until(
                lambda card=card: next((each for each in told.said() if each.thread == card.id), None)  # type: ignore[misc]
            )
            assert done in report.body
        assert told.excluded(X64, chosen) is False
        assert len(told.azure.snapshot()["definitions"][RAWHIDE]["versions"]) == 7
