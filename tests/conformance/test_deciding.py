"""A change from the word to the report, and who may agree to it, on every platform."""

from __future__ import annotations

from slipway.bot.chat.model import Choice
from slipway.bot.operations.model import OperationState
from tests.conformance.play import X64, Play, candidate
from tests.conformance.stage import STRANGER, Trait

TWO = {"policy": {"promote": {"approvals": 2, "requester_may_approve": True}}}


async def test_a_promotion_is_proposed_approved_done_and_reported(on_stage: Play) -> None:
    scene = on_stage.scene
    async with on_stage.bot():
        card, name = await scene.propose()
        assert card.thread is None
        for shown in (name, "waits for 1 approval", candidate(), "Alice", "Bob", f"!approve {name}"):
            assert shown in card.text
        assert on_stage.excluded() is True

        (report,) = await scene.press("bob", Choice.APPROVE, card)

        assert on_stage.excluded() is False
        assert report.thread == card.id
        assert f"{candidate()} of {X64} is promoted" in report.text
        assert report.calls == {"alice"}  # who asked for it is called, nobody else
        assert not report.choices
        card = await scene.now(card)
        assert f"{name} promote: done" in card.text
        assert "Bob approved" in card.text
        assert not card.choices
        assert card.edits > 0
        assert [each.id for each in await scene.seen("bob")] == [card.id, report.id]


async def test_only_who_may_agree_or_refuse_does(on_stage: Play) -> None:
    scene = on_stage.scene
    async with on_stage.bot():
        card, name = await scene.propose()
        for choice in Choice:
            told = await scene.press(STRANGER, choice, card)
            assert all(each.private for each in told)  # where it can be said to them alone, and nowhere else
        (own,) = await scene.press("alice", Choice.APPROVE, card)
        assert "You asked for" in own.text
        (reader,) = await scene.press("carol", Choice.APPROVE, card)
        assert "may not approve" in reader.text
        assert "Bob" in reader.text  # who can
        assert card.id in (reader.thread, own.thread) or (reader.private and own.private)
        assert await scene.now(card) == card

        (report,) = await scene.press("bob", Choice.REJECT, card)
        assert "Rejected by Bob" in report.text
        assert report.thread == card.id
        assert report.calls == {"alice"}  # an edited card calls nobody, and she waits
        card = await scene.now(card)
        assert "Rejected by Bob" in card.text
        assert not card.choices
        (late,) = await scene.say("bob", f"!approve {name}")
        assert f"{name} is rejected; nothing was changed by this." in late.text
        assert on_stage.excluded() is True

        card, name = await scene.propose()
        (report,) = await scene.say("bob", f"!reject {name} the boot test has not run")
        for shown in (report, await scene.now(card)):
            assert "Rejected by Bob: the boot test has not run." in shown.text

        card, name = await scene.propose()
        (report,) = await scene.say("bob", f"!approve {name}")
        assert report.thread == card.id
        assert not (await scene.now(card)).choices
        assert on_stage.excluded() is False


async def test_a_press_is_taken_back(on_stage: Play) -> None:
    scene = on_stage.scene
    scene.needs(Trait.TAKING_BACK)
    async with on_stage.bot(TWO):
        card, _ = await scene.propose()
        for _again in range(2):  # the card comes to look as it did before
            assert await scene.press("bob", Choice.APPROVE, card) == []
            assert "waits for 1 approval" in (await scene.now(card)).text
            assert await scene.take_back() == []
            assert "waits for 2 approvals" in (await scene.now(card)).text
        (operation,) = await on_stage.operations()
        assert operation.state is OperationState.PROPOSED


async def test_what_is_heard_twice_is_done_once(on_stage: Play) -> None:
    scene = on_stage.scene
    async with on_stage.bot():
        await scene.say("carol", "!whoami")
        card, _ = await scene.propose()
        await scene.press("bob", Choice.APPROVE, card)
        done, writes = await scene.seen(), len(on_stage.azure.writes)
        assert scene.chat is not None
        await scene.chat.repeat()  # as an adapter would that forgot what it had heard
        await scene.settle()
        assert await scene.seen() == done
        assert len(on_stage.azure.writes) == writes == 1
        assert len(await on_stage.operations()) == 1


async def test_what_is_delivered_twice_is_done_once(on_stage: Play) -> None:
    scene = on_stage.scene
    scene.needs(Trait.REDELIVERY)
    async with on_stage.bot():
        card, _ = await scene.propose()
        await scene.press("bob", Choice.APPROVE, card)
        done = await scene.seen()
        if not scene.stage.again_at_start:
            await scene.stage.again()
            await scene.settle()
    if scene.stage.again_at_start:
        heard = len(scene.heard)
        await scene.stage.again()
        async with on_stage.bot():
            await scene.settle()
        assert len(scene.heard) >= heard + 2  # the command and the press
    assert await scene.seen() == done
    assert len(on_stage.azure.writes) == 1
