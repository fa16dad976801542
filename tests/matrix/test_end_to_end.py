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
from tests.matrix.scenario import WHOAMI_ANSWER, Scenario, scenario_in
from tests.support.azure import RAWHIDE, X64
from tests.support.processes.synapse import Synapse


@pytest.fixture
async def scenario(synapse: Synapse, tmp_path: Path) -> AsyncIterator[Scenario]:
    async with scenario_in(synapse, tmp_path) as found:
        yield found


def candidate(scenario: Scenario) -> str:
    """The newest healthy candidate of X64."""
    return f"43.{scenario.clock() - timedelta(days=2):%Y%m%d}.0"


def operation_id(card: Message) -> str:
    found = re.search(r"op-\w+", card.body)
    assert found is not None, card.body
    return found[0]


async def proposed(scenario: Scenario, **how: str) -> Message:
    """Alice asks for a promotion; the card with its buttons."""
    card = await scenario.ask(scenario.alice, f"!promote {X64}", "waits for 1 approval", **how)
    await scenario.buttons(card, APPROVE, REJECT)
    return card


async def unchanged(scenario: Scenario, card: Message) -> None:
    """Nobody's word has moved the proposal."""
    (operation,) = await scenario.operations()
    assert operation.state is OperationState.PROPOSED
    assert operation.votes == ()
    assert scenario.excluded(X64, candidate(scenario)) is True
    await scenario.buttons(card, APPROVE, REJECT)


async def test_a_promotion_from_the_first_word_to_the_report(scenario: Scenario) -> None:
    async with scenario.bot():
        card = await proposed(scenario)
        assert card.thread is None
        assert card.msgtype == "m.text"  # a notice would call nobody
        (asked,) = scenario.alice.messages(scenario.room, scenario.alice.id)
        assert card.content["m.relates_to"] == {"m.in_reply_to": {"event_id": asked.id}}
        assert card.content["m.mentions"] == {"user_ids": [scenario.bob.id]}
        assert (await scenario.bob.unread(scenario.room))[1] == 1  # he can approve it
        assert (await scenario.carol.unread(scenario.room))[1] == 0
        assert "<" not in card.body
        assert card.html.startswith("<strong>⏳ op-")
        assert f"<code>!approve {operation_id(card)}" in card.html
        assert scenario.excluded(X64, candidate(scenario)) is True

        await scenario.bob.react(scenario.room, card.id, APPROVE)

        await scenario.shows(card, "promote: done")
        assert scenario.excluded(X64, candidate(scenario)) is False
        await scenario.buttons(card)
        assert (scenario.bob.id, APPROVE) in scenario.alice.reactions(scenario.room, card.id)
        shown, report = await scenario.settle()
        assert (shown.id, report.thread) == (card.id, card.id)
        assert "promote: done" in report.body
        assert f"{candidate(scenario)} of {X64} is promoted" in report.body
        assert report.content["m.relates_to"]["rel_type"] == "m.thread"
        assert report.content["m.mentions"] == {"user_ids": [scenario.alice.id]}  # it calls who asked for it
        assert "Bob approved" in shown.body
        assert (await scenario.bob.unread(scenario.room))[1] == 1  # once, whatever became of it since
        assert (await scenario.alice.unread(scenario.room))[1] == 1


async def test_what_is_delivered_twice_is_done_once(scenario: Scenario) -> None:
    async with scenario.bot():
        before = await scenario.stored_position()
        asked = await scenario.alice.say(scenario.room, f"!promote {X64}")
        card = await scenario.alice.message(scenario.room, "waits for 1 approval", sender=scenario.bot_id)
        pressed = await scenario.bob.react(scenario.room, card.id, APPROVE)
        await scenario.shows(card, "promote: done")
        done = await scenario.settle()
        promoted = scenario.azure.snapshot()

        # the same events once more, by hand
        assert scenario.running_bot is not None
        where = Room(platform=MATRIX, id=scenario.room)
        now = scenario.clock()
        await scenario.running_bot.dispatcher.accept(
            MessageEvent(
                event_id=asked, room=where, sender=scenario.alice.id, text=f"!promote {X64}", sent_at=now
            )
        )
        await scenario.running_bot.dispatcher.accept(
            ButtonEvent(
                event_id=pressed,
                room=where,
                sender=scenario.bob.id,
                choice=Choice.APPROVE,
                message_id=card.id,
                sent_at=now,
            )
        )
        assert await scenario.settle() == done
    await scenario.turn_back_to(before)  # as if it had died before it noted how far it was
    async with scenario.bot():
        assert await scenario.settle() == done
        assert len(await scenario.operations()) == 1
        assert scenario.azure.snapshot() == promoted


async def test_a_decision_made_while_the_bot_was_down_counts_once(scenario: Scenario) -> None:
    async with scenario.bot():
        card = await proposed(scenario)
    await scenario.bob.react(scenario.room, card.id, APPROVE)
    assert scenario.excluded(X64, candidate(scenario)) is True
    async with scenario.bot():
        await scenario.shows(card, "promote: done")
        await scenario.buttons(card)
        assert scenario.excluded(X64, candidate(scenario)) is False
        _shown, report = await scenario.settle()
        assert report.thread == card.id


async def test_who_may_not_decide_changes_nothing(scenario: Scenario) -> None:
    async with scenario.bot():
        card = await proposed(scenario)
        await scenario.mallory.react(scenario.room, card.id, APPROVE)
        await scenario.mallory.react(scenario.room, card.id, REJECT)
        assert [each.id for each in await scenario.settle()] == [card.id]  # a stranger is not even answered
        await unchanged(scenario, card)

        await scenario.carol.react(scenario.room, card.id, APPROVE)
        refusal = await scenario.alice.message(scenario.room, "may not approve", sender=scenario.bot_id)
        assert refusal.thread == card.id
        assert refusal.content["m.mentions"] == {"user_ids": [scenario.carol.id]}
        await unchanged(scenario, card)

        await scenario.alice.react(scenario.room, card.id, APPROVE)
        await scenario.alice.message(scenario.room, "somebody else must approve it", sender=scenario.bot_id)
        await unchanged(scenario, card)


async def test_a_cross_rejects(scenario: Scenario) -> None:
    async with scenario.bot():
        card = await proposed(scenario)
        await scenario.bob.react(scenario.room, card.id, REJECT)
        shown = await scenario.shows(card, "promote: rejected")
        assert "Rejected by Bob" in shown.body
        await scenario.buttons(card)
        await scenario.bob.react(scenario.room, card.id, APPROVE)  # too late
        (_card, _report, late) = await scenario.settle()
        assert "rejected; nothing was changed by this" in late.body
        assert scenario.excluded(X64, candidate(scenario)) is True


async def test_decisions_can_be_typed(scenario: Scenario) -> None:
    async with scenario.bot():
        card = await proposed(scenario)
        await scenario.bob.say(scenario.room, f"!approve {operation_id(card)}")
        await scenario.shows(card, "promote: done")
        await scenario.buttons(card)
        assert scenario.excluded(X64, candidate(scenario)) is False

        card = await scenario.ask(scenario.alice, "!cleanup Fedora-Cloud-42-x64", "waits for 1 approval")
        await scenario.buttons(card, APPROVE, REJECT)
        await scenario.bob.say(scenario.room, f"!reject {operation_id(card)} not today")
        shown = await scenario.shows(card, "cleanup: rejected")
        assert "Rejected by Bob: not today" in shown.body


async def test_what_is_asked_in_a_thread_is_answered_there(scenario: Scenario) -> None:
    async with scenario.bot():
        root = await scenario.alice.say(scenario.room, "what do we ship this week?")
        listing = await scenario.ask(scenario.carol, "!images", "image definitions", thread=root)
        assert listing.thread == root
        card = await proposed(scenario, thread=root)
        assert card.thread == root
        await scenario.bob.react(scenario.room, card.id, APPROVE)
        await scenario.shows(card, "promote: done")
        assert {each.thread for each in await scenario.settle()} == {root}


async def test_being_called_by_name_needs_no_prefix(scenario: Scenario) -> None:
    async with scenario.bot():
        await scenario.ask(scenario.alice, "Slipway Bot: images", "image definitions")


async def test_edits_notices_reactions_elsewhere_and_talk_cause_nothing(scenario: Scenario) -> None:
    async with scenario.bot():
        command = f"!promote {X64}"
        said = await scenario.alice.say(scenario.room, "promote something, anyone?")
        await scenario.alice.edit(scenario.room, said, command)
        await scenario.alice.say(scenario.room, command, msgtype="m.notice")
        await scenario.alice.say(scenario.room, f"I would type {command} here")
        await scenario.alice.say(scenario.room, "!!! what a week !!!")
        await scenario.bob.react(scenario.room, said, APPROVE)
        assert await scenario.settle() == []
        assert await scenario.operations() == ()


async def test_strangers_get_nothing_done(scenario: Scenario) -> None:
    async with scenario.bot():
        await scenario.ask(scenario.mallory, f"!promote {X64}", "I do not know you")
        await scenario.ask(scenario.carol, f"!promote {X64}", "You need the right `promote`")
        assert await scenario.operations() == ()


@pytest.mark.parametrize("already_in", [True, False])
async def test_what_was_said_before_the_first_start_is_history(scenario: Scenario, already_in: bool) -> None:
    if already_in:
        async with Person(scenario.synapse, scenario.account) as account:
            await account.join(scenario.room)
    await scenario.alice.say(scenario.room, f"!promote {X64}")
    async with scenario.bot():
        assert await scenario.settle() == []
        assert await scenario.operations() == ()


async def test_after_a_pause_recent_commands_are_answered_and_old_ones_are_not(scenario: Scenario) -> None:
    async with scenario.bot():
        await scenario.settle()
    await scenario.alice.say(scenario.room, f"!promote {X64}")
    scenario.clock.ahead = timedelta(minutes=11)
    async with scenario.bot():
        # Every message looks old now, so there is no last word to wait for but the bot's own note of it.
        await scenario.alice.sync()
        assert all(
            WHOAMI_ANSWER in each.body or "This machine's clock is" in each.body for each in scenario.said()
        )
        assert await scenario.operations() == ()
    scenario.clock.ahead = timedelta()
    await scenario.alice.say(scenario.room, "!images")
    async with scenario.bot():
        answer = await scenario.alice.message(scenario.room, "image definitions", sender=scenario.bot_id)
        assert answer.thread is None
        assert await scenario.operations() == ()


async def test_a_schedule_promotes_and_cleans_up_in_the_room(scenario: Scenario) -> None:
    chosen = candidate(scenario)
    entry = {"room": f"matrix:{scenario.room}", "roles": ["releng"], "zone": "UTC"}
    schedule = [
        {"name": "promotion", "cron": "0 9 * * mon", "command": f"promote {X64}", **entry},
        {"name": "cleanup", "cron": "0 10 * * mon", "command": f"cleanup {RAWHIDE}", **entry},
    ]
    policy = {kind: {"approvals_scheduled": 0} for kind in ("promote", "cleanup")}
    async with scenario.bot(schedule=schedule, policy=policy):
        assert scenario.running_bot is not None
        now = scenario.clock()
        monday = (now + timedelta(days=7 - now.weekday())).replace(hour=9, minute=0, second=1, microsecond=0)
        for hour, done in ((9, "promote: done"), (10, "cleanup: done")):
            scenario.clock.ahead = monday.replace(hour=hour) - system_clock()
            await scenario.running_bot.schedules.wake()
            card = await scenario.alice.message(scenario.room, done, sender=scenario.bot_id)
            assert "Asked by:" in card.body
            report = await scenario.alice.until(
                lambda card=card: next((each for each in scenario.said() if each.thread == card.id), None)  # type: ignore[misc]
            )
            assert done in report.body
        assert scenario.excluded(X64, chosen) is False
        assert len(scenario.azure.snapshot()["definitions"][RAWHIDE]["versions"]) == 7
