"""What people see while clouds are slow or fail, messages get lost, or there is much to say: on every platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery, many
from slipway.bot.core.times import system_clock
from slipway.bot.operations.model import OperationState
from tests.conformance.play import X64, Play, candidate, operation_id, play
from tests.conformance.stage import Hitch, Stage, Trait

CROWDED = "Fedora-Cloud-1000-x64"
CROWD = 400
"""Versions of one definition: all steps of its clean-up are more than any chat takes in one message."""


async def test_a_slow_answer_becomes_the_answer_in_the_same_message(on_stage: Play) -> None:
    scene = on_stage.scene
    on_stage.impatient = True
    async with on_stage.bot():
        held = on_stage.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
        await scene.say("alice", f"!promote {X64}", wait=False)
        (announced,) = await scene.until(bool)
        assert "Looking into it…" in announced.text
        held.release()
        await scene.settle()
        (card,) = await scene.seen()
        assert card.id == announced.id
        assert "waits for 1 approval" in card.text
        assert "Looking into it…" not in card.text
        assert card.choices == set(Choice)
        await scene.press("bob", Choice.APPROVE, card)
        assert on_stage.excluded() is False


async def test_a_cloud_that_fails_is_told_with_the_next_step(on_stage: Play) -> None:
    scene = on_stage.scene
    async with on_stage.bot():
        refusal = Fault(kind=FaultKind.REFUSE, match="GET *", times=None)
        on_stage.azure.faults.add(refusal)
        (trouble,) = await scene.say("alice", f"!promote {X64}")
        assert "promote could not look at the cloud" in trouble.text
        assert "Whose move: " in trouble.text
        on_stage.azure.faults.clear()

        card, name = await scene.propose()
        on_stage.azure.faults.add(refusal.model_copy(update={"match": "PUT *"}))
        on_stage.azure.faults.add(refusal.model_copy(update={"match": "PATCH *"}))
        (report,) = await scene.press("bob", Choice.APPROVE, card)
        assert report.thread == card.id
        assert f"{name} promote: failed" in report.text
        assert f"{name} promote: failed" in (await scene.now(card)).text
        assert on_stage.excluded() is True


async def test_a_message_that_gets_lost_on_its_way_is_shown_once(on_stage: Play) -> None:
    scene = on_stage.scene
    scene.needs(Trait.HITCHES)
    async with on_stage.bot():
        scene.stage.hinder(Hitch.LOST_ANSWER)
        card, _ = await scene.propose()
        scene.stage.hinder(Hitch.PASSING)
        (report,) = await scene.press("bob", Choice.APPROVE, card)
        assert report.thread == card.id
        assert [each.id for each in await scene.seen()] == [card.id, report.id]
        assert "promote: done" in (await scene.now(card)).text
        assert len(on_stage.azure.writes) == 1


async def test_what_cannot_be_said_stops_no_operation(on_stage: Play) -> None:
    scene = on_stage.scene
    scene.needs(Trait.HITCHES)
    async with on_stage.bot():
        scene.stage.hinder(Hitch.LASTING)
        assert await scene.say("alice", f"!promote {X64}") == []
        (operation,) = await on_stage.operations()
        assert operation.state is OperationState.PROPOSED
        shown = await scene.say("bob", f"!approve {operation.id}")
        assert on_stage.excluded() is False
        assert any(f"{operation.id} promote: done" in each.text for each in shown)


@pytest.fixture
async def crowded(stage: Stage, tmp_path: Path) -> AsyncIterator[Play]:
    """The bot before a gallery in which one definition has very many versions."""
    now = system_clock()
    crowd = many(1, CROWD, now).definitions
    seed = fedora_gallery(now)
    azure = SimulatedAzure(replace(seed, definitions=(*seed.definitions, *crowd)), clock=system_clock)
    async with play(tmp_path / "state", azure, stage) as found:
        yield found


async def test_a_long_card_arrives_and_nothing_of_it_is_lost(crowded: Play) -> None:
    scene = crowded.scene
    async with crowded.bot():
        (card,) = await scene.say("alice", f"!cleanup {CROWDED}")
        assert card.choices == set(Choice)
        (operation,) = await crowded.operations()
        steps = operation.plan.steps
        assert len(steps) > CROWD / 2
        assert f"the first 12 of {len(steps)} steps" in card.text

        found = await scene.say("carol", f"!op {operation_id(card)}")
        assert len(found) == 1
        (full,) = found
        assert steps[0].title in full.text
        if Trait.SIZE_LIMITS in scene.stage.lacks:
            whole = full.text
        else:
            (whole,) = await scene.stage.files()
        for step in steps:
            assert step.title in whole
        assert candidate() not in whole
