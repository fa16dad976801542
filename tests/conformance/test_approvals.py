"""A change from the word to the report, and who may agree to it, on every platform."""

from __future__ import annotations

import pytest

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Choice
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.operations.model import OperationState
from tests.conformance.harness import Capability, VisibleMessage, Where
from tests.conformance.run import ConformanceRun, candidate, operation_id
from tests.support.azure import ARM, X64
from tests.support.configuration import STRANGER

TWO = {"policy": {"promote": {"approvals": 2, "requester_may_approve": True}}}


@pytest.mark.every_transport
async def test_a_promotion_is_proposed_approved_done_and_reported(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot():
        card, name = await session.propose()
        assert card.thread is None
        for shown in (name, "waits for 1 approval", candidate(), "Alice", "Bob", f"!approve {name}"):
            assert shown in card.text
        assert run.excluded() is True

        (report,) = await session.press("bob", Choice.APPROVE, card)

        assert run.excluded() is False
        assert report.thread == card.id
        assert f"{candidate()} of {X64} is promoted" in report.text
        assert report.mentions == {"alice"}  # who asked for it is called, nobody else
        assert not report.choices
        card = await session.current(card)
        assert f"{name} promote: done" in card.text
        assert "Bob approved" in card.text
        assert not card.choices
        assert card.edits > 0
        assert [each.id for each in await session.visible_messages("bob")] == [card.id, report.id]


async def test_only_who_may_agree_or_refuse_does(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot():
        card, name = await session.propose()
        for choice in Choice:
            told = await session.press(STRANGER, choice, card)
            assert all(each.private for each in told)  # where it can be said to them alone, and nowhere else
        (own,) = await session.press("alice", Choice.APPROVE, card)
        assert "You asked for" in own.text
        (reader,) = await session.press("carol", Choice.APPROVE, card)
        assert "may not approve" in reader.text
        assert "Bob" in reader.text  # who can
        assert card.id in (reader.thread, own.thread) or (reader.private and own.private)
        assert await session.current(card) == card

        (report,) = await session.press("bob", Choice.REJECT, card)
        assert "Rejected by Bob" in report.text
        assert report.thread == card.id
        assert report.mentions == {"alice"}  # an edited card calls nobody, and she waits
        card = await session.current(card)
        assert "Rejected by Bob" in card.text
        assert not card.choices
        (late,) = await session.say("bob", f"!approve {name}")
        assert f"{name} is rejected; nothing was changed by this." in late.text
        assert run.excluded() is True

        card, name = await session.propose()
        (report,) = await session.say("bob", f"!reject {name} the boot test has not run")
        for shown in (report, await session.current(card)):
            assert "Rejected by Bob: the boot test has not run." in shown.text

        card, name = await session.propose()
        (report,) = await session.say("bob", f"!approve {name}")
        assert report.thread == card.id
        assert not (await session.current(card)).choices
        assert run.excluded() is False


async def test_a_vote_without_an_id_counts_for_the_card_that_was_seen(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot():
        card, _ = await session.propose()
        (told,) = await session.say("bob", '!reject 5" disk is not found, fails with -ENOMEM')
        for shown in (told, await session.current(card)):
            assert 'Rejected by Bob: 5" disk is not found, fails with -ENOMEM.' in shown.text
        (nothing,) = await session.say("bob", "!approve")
        assert "There are no operations that wait for approval." in nothing.text
        card, name = await session.propose()
        await session.say("bob", "!approve lgtm")
        card = await session.current(card)
        assert f"{name} promote: done" in card.text
        assert "(lgtm)" in card.text


async def test_a_card_that_is_asked_for_again_and_a_request_that_is_made_again_carry_its_buttons(
    run: ConformanceRun,
) -> None:
    session = run.session
    async with run.bot():
        card, name = await session.propose()
        shown = []
        for line in (f"!op {name}", "!pending", f"!promote {X64}"):
            (again,) = await session.say("bob", line)
            assert name in again.text
            assert again.choices == set(Choice)
            shown.append(again)
        assert len(await run.operations()) == 1
        said = await session.press("bob", Choice.APPROVE, shown[-1])
        assert [f"{name} promote: done" in each.text for each in said] == [True], said
        for each in (card, *shown):
            now = await session.current(each)
            assert f"{name} promote: done" in now.text
            assert not now.choices
        assert len(run.azure.writes) == 1


async def test_of_several_that_wait_each_is_decided_on_by_what_the_list_leads_to(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot():
        first, name = await session.propose()
        _, other_name = await session.propose(f"!promote {ARM}")
        pending, *cards = await session.say("bob", "!pending")
        assert "2 open operations" in pending.text
        assert not pending.choices
        if not cards:  # the list has buttons that show them
            for each in (name, other_name):
                cards += await session.press_shortcut("bob", f"Show {each}", pending)
        shown = next(each for each in cards if name in each.text)
        assert shown.choices == set(Choice)
        assert "Plan: " in shown.text
        await session.press("bob", Choice.APPROVE, shown)
        for card in (first, shown):
            assert f"{name} promote: done" in (await session.current(card)).text
        (other,) = [each for each in cards if each is not shown]
        assert (await session.current(other)).choices == set(Choice)


@pytest.mark.parametrize("voted_by", ["newest", "oldest"])
async def test_what_is_listed_again_and_again_has_one_card_to_vote_by_beside_the_first(
    run: ConformanceRun, voted_by: str
) -> None:
    session = run.session
    async with run.bot():
        proposed = [(await session.propose(f"!promote {each}")) for each in (X64, ARM)]
        sets: list[list[VisibleMessage]] = []
        for _ in range(3):
            pending, *cards = await session.say("bob", "!pending")
            for _, each in proposed if not cards else ():  # the list has buttons that show them
                cards += await session.press_shortcut("bob", f"Show {each}", pending)
            sets.append(cards)
        *before, newest = [[await session.current(card) for card in cards] for cards in sets]
        for card in (*newest, *[await session.current(first) for first, _ in proposed]):
            assert card.choices == set(Choice)
            assert "newer card" not in card.text
        for card in (card for cards in before for card in cards):
            assert not card.choices
            assert "A newer card of this stands below" in card.text
            assert "When it is done: " in card.text  # a vote by it is no vote on what nobody saw
        shown = newest[0] if voted_by == "newest" else before[0][0]
        name = operation_id(shown)
        said = await session.press("bob", Choice.APPROVE, shown)
        if run.excluded() is not False and session.platform.platform == CONSOLE:  # a number, which is gone
            assert "There is no button" in said[0].text
            return
        for card in (card for cards in sets for card in cards):
            now = await session.current(card)
            assert (f"{name} promote: done" in now.text) == (name in now.text)
            assert ("newer card" in now.text) == (name not in now.text and card not in sets[-1])
        assert len(run.azure.writes) == 1


async def test_what_is_asked_for_in_a_direct_chat_reaches_those_who_can_decide(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.DIRECT_CHATS, Capability.GONE_ROOMS)
    allowed = {"slack": {"changes_in_direct": True}} if session.platform.platform == SLACK else {}
    async with run.bot(allowed):
        await session.say("bob", "whoami", where=Where.DIRECT)
        (card,) = await session.say("alice", f"promote {X64}", where=Where.DIRECT)
        name = operation_id(card)
        for _ in range(2):  # once, however long it waits
            await run.running.upkeep.sweep()
            await run.running.idle()
        (told,) = [each for each in await session.visible_messages("bob", Where.DIRECT) if name in each.text]
        assert "Alice asked for this in a direct chat with me" in told.text
        assert told.mentions == {"bob"}
        await session.say("bob", f"approve {name}", where=Where.DIRECT)
        for who, shown in (("alice", card), ("bob", told)):
            seen = await session.visible_messages(who, Where.DIRECT)
            (now,) = [each for each in seen if each.id == shown.id]
            assert f"{name} promote: done" in now.text
            assert not now.choices


@pytest.mark.every_transport
async def test_a_press_is_taken_back(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.WITHDRAWAL)
    async with run.bot(TWO):
        card, _ = await session.propose()
        for _again in range(2):  # the card comes to look as it did before
            assert await session.press("bob", Choice.APPROVE, card) == []
            assert "waits for 1 approval" in (await session.current(card)).text
            assert await session.withdraw_press() == []
            assert "waits for 2 approvals" in (await session.current(card)).text
        (operation,) = await run.operations()
        assert operation.state is OperationState.PROPOSED


async def test_what_is_received_twice_is_done_once(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot():
        await session.say("carol", "!whoami")
        card, _ = await session.propose()
        await session.press("bob", Choice.APPROVE, card)
        done, writes = await session.visible_messages(), len(run.azure.writes)
        assert session.chat is not None
        await session.chat.repeat()  # as an adapter would that forgot what it had heard
        await session.settle()
        assert await session.visible_messages() == done
        assert len(run.azure.writes) == writes == 1
        assert len(await run.operations()) == 1


@pytest.mark.every_transport
async def test_what_is_delivered_twice_is_done_once(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.REDELIVERY)
    async with run.bot():
        card, _ = await session.propose()
        await session.press("bob", Choice.APPROVE, card)
        done = await session.visible_messages()
        if not session.platform.redelivers_at_start:
            await session.platform.redeliver()
            await session.settle()
    if session.platform.redelivers_at_start:
        before = len(session.received)
        await session.platform.redeliver()
        async with run.bot():
            await session.settle()
        assert len(session.received) >= before + 2  # the command and the press
    assert await session.visible_messages() == done
    assert len(run.azure.writes) == 1
