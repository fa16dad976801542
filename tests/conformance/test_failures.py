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
from tests.conformance.harness import Capability, ChatPlatformHarness, SendFault
from tests.conformance.run import ConformanceRun, candidate, conformance_run, operation_id
from tests.support.azure import X64

CROWDED = "Fedora-Cloud-1000-x64"
CROWD = 400
"""Versions of one definition: all steps of its clean-up are more than any chat takes in one message."""


async def test_a_slow_answer_becomes_the_answer_in_the_same_message(run: ConformanceRun) -> None:
    session = run.session
    run.answers_at_once = True
    async with run.bot():
        held = run.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
        await session.say("alice", f"!promote {X64}", wait=False)
        (announced,) = await session.until(bool)
        assert "Working on it…" in announced.text
        held.release()
        await session.settle()
        card, called = await session.visible_messages()
        assert card.id == announced.id
        assert "your approval is asked for" in called.text  # those who can decide, as an edit calls nobody
        assert "waits for 1 approval" in card.text
        assert "Working on it…" not in card.text
        assert card.choices == set(Choice)
        await session.press("bob", Choice.APPROVE, card)
        assert run.excluded() is False


async def test_a_cloud_that_fails_is_told_with_the_next_step(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot():
        refusal = Fault(kind=FaultKind.REFUSE, match="GET *", times=None)
        run.azure.faults.add(refusal)
        (failure,) = await session.say("alice", f"!promote {X64}")
        assert "promote could not look at the cloud" in failure.text
        assert "Whose move: " in failure.text
        run.azure.faults.clear()

        card, name = await session.propose()
        run.azure.faults.add(refusal.model_copy(update={"match": "PUT *"}))
        run.azure.faults.add(refusal.model_copy(update={"match": "PATCH *"}))
        (report,) = await session.press("bob", Choice.APPROVE, card)
        assert report.thread == card.id
        assert f"{name} promote: failed" in report.text
        assert f"{name} promote: failed" in (await session.current(card)).text
        assert run.excluded() is True


@pytest.mark.every_transport
async def test_a_message_that_gets_lost_on_its_way_is_shown_once(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.SEND_FAULTS)
    async with run.bot():
        session.platform.inject_fault(SendFault.LOST_RESPONSE)
        card, _ = await session.propose()
        session.platform.inject_fault(SendFault.TRANSIENT)
        (report,) = await session.press("bob", Choice.APPROVE, card)
        assert report.thread == card.id
        assert [each.id for each in await session.visible_messages()] == [card.id, report.id]
        assert "promote: done" in (await session.current(card)).text
        assert len(run.azure.writes) == 1


async def test_what_cannot_be_sent_stops_no_operation(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.SEND_FAULTS)
    async with run.bot():
        session.platform.inject_fault(SendFault.PERMANENT)
        await session.say("alice", f"!promote {X64}")
        (operation,) = await run.operations()
        assert operation.state is OperationState.PROPOSED
        shown = await session.say("bob", f"!approve {operation.id}")
        assert run.excluded() is False
        assert any(f"{operation.id} promote: done" in each.text for each in shown)


@pytest.fixture
async def crowded(platform: ChatPlatformHarness, tmp_path: Path) -> AsyncIterator[ConformanceRun]:
    """The bot before a gallery in which one definition has very many versions."""
    now = system_clock()
    crowd = many(1, CROWD, now).definitions
    seed = fedora_gallery(now)
    azure = SimulatedAzure(replace(seed, definitions=(*seed.definitions, *crowd)), clock=system_clock)
    async with conformance_run(tmp_path / "state", azure, platform) as found:
        yield found


async def test_a_long_card_arrives_and_nothing_of_it_is_lost(crowded: ConformanceRun) -> None:
    session = crowded.session
    async with crowded.bot():
        # Where planning takes long, those who can decide are called beside the card.
        said = await session.say("alice", f"!cleanup {CROWDED}")
        (card,) = (each for each in said if each.choices)
        assert card.choices == set(Choice)
        (operation,) = await crowded.operations()
        steps = operation.plan.steps
        assert len(steps) > CROWD / 2
        assert f"the first 12 of {len(steps)} steps" in card.text
        # All of it can be read before anybody agrees: in the card's thread, and whenever somebody asks.
        planned = next(each for each in said if "the whole plan" in each.text)
        assert planned.thread == card.id

        found = await session.say("carol", f"!op {operation_id(card)}")
        assert len(found) == 1
        (full,) = found
        assert steps[0].title in full.text
        if Capability.SIZE_LIMITS in session.platform.missing:
            wholes = [planned.text, full.text]
        else:
            wholes = list(await session.platform.files())
        assert len(wholes) == 2
        for whole in wholes:
            assert all(step.title in whole for step in steps)
            assert candidate() not in whole
