"""Acknowledging: who may, and what is not acknowledged."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.problems.model import WELL, Acknowledgement, Entry, EntryState, Look
from slipway.bot.subjects.problems.acknowledging import AcknowledgeExecutor
from slipway.bot.subjects.problems.steps import StoreAcknowledgement
from tests.problems.builders import DAY, acknowledged, entry, found
from tests.problems.cellar import cellar_bot
from tests.support.clock import NOW
from tests.support.harness import audit_trail

LEAK = Look((found(),))
STEP = StoreAcknowledgement(problem="pb-2222", person="alice", words="I look into it", until=NOW + DAY)


class Stored:
    """Stands for the store: one problem, and whether what is stored stays there."""

    def __init__(self, held: Entry | None, *, forgets: bool = False) -> None:
        self.held = held
        self.forgets = forgets

    async def find(self, _problem: str) -> Entry | None:
        return self.held

    async def acknowledge(self, _problem: str, given: Acknowledgement) -> bool:
        if self.held is not None and not self.forgets:
            self.held = self.held.changed(acknowledged=given)
        return True


def executor(store: Stored) -> AcknowledgeExecutor:
    return AcknowledgeExecutor(store, lambda: NOW)  # type: ignore[arg-type]


async def test_it_is_noted_once_for_its_step() -> None:
    store = Stored(entry())
    carried = executor(store)
    assert await carried.observe(STEP, "t") is None
    await carried.act(STEP, "t")
    assert (await carried.verify(STEP, "t")).summary.startswith("pb-2222 is acknowledged until")
    assert await carried.observe(STEP, "t") is not None
    assert await carried.observe(STEP, "another") is None


@pytest.mark.parametrize("held", [None, entry(state=EntryState.CLOSED, closed_at=NOW)])
async def test_what_is_over_when_it_is_carried_out_is_not_acknowledged(held: Entry | None) -> None:
    with pytest.raises(CloudError, match="is over") as caught:
        await executor(Stored(held)).observe(STEP, "t")
    assert caught.value.kind is CloudErrorKind.CONFLICT


async def test_one_that_would_have_lapsed_by_now_is_not_noted() -> None:
    with pytest.raises(CloudError, match="which has passed"):
        await executor(Stored(entry())).observe(STEP.model_copy(update={"until": NOW}), "t")


async def test_an_acknowledgement_that_cannot_be_seen_is_never_called_done() -> None:
    store = Stored(entry(acknowledged=acknowledged(NOW + timedelta(hours=1))), forgets=True)
    carried = executor(store)
    await carried.act(STEP, "t")
    with pytest.raises(CloudError, match="is not there") as caught:
        await carried.verify(STEP, "t")
    assert caught.value.kind is CloudErrorKind.UNVERIFIED


async def test_it_takes_a_right_a_reason_and_a_bound(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        await it.minute(LEAK)
        problem = await it.the_id()
        for who, line, told in (
            ("carol", f"!problem ack {problem} me", "You need the right `problem.ack`"),
            ("alice", f"!problem ack {problem}", "Say what you do about it"),
            ("alice", f"!problem ack --for 31d {problem} later", "It lasts for 30d at most."),
            ("alice", f"!problem ack {problem} soon --for", "`--for` stands before the id"),
            ("alice", "!problem ack pb-zzzz me", "There is no problem pb-zzzz."),
        ):
            (answer,) = await it.bot.say(who, line)
            assert told in answer.text
        assert await it.bot.running.operations.recent(5) == ()


async def test_a_late_one_reopens_nothing(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        (told,) = await it.minute(LEAK)
        problem = await it.the_id()
        await it.minute(WELL)
        (answer,) = await it.bot.say("alice", f"!problem ack {problem} me")
        assert f"{problem} is over: there is nothing to acknowledge." in answer.text
        assert await it.minute() == []
        assert told.card.title.startswith("Over: ")


async def test_it_stands_in_the_audit_trail(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        await it.minute(LEAK)
        await it.bot.say("alice", f"!problem ack {await it.the_id()} I look into it")
        trail = await audit_trail(it.bot)
        assert "alice" in [each["actor"] for each in trail if each["action"] == "proposed"]


async def test_a_dry_run_takes_no_right_and_changes_nothing(tmp_path: Path) -> None:
    async with cellar_bot(tmp_path) as it:
        await it.minute(LEAK)
        (answer,) = await it.bot.say("carol", f"!problem ack --dry-run {await it.the_id()} me")
        assert "acknowledge pb-" in answer.text
        (held,) = await it.bot.running.services.problems.open_problems()
        assert held.acknowledged is None
