"""The order of operations: that in which things happened, whatever the clock said then."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Choice, Room
from slipway.bot.operations.approval_service import ApprovalService
from slipway.bot.operations.decisions import Decision
from slipway.bot.operations.model import Policy
from slipway.bot.operations.persistence.records import Proposal
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.store.database import Database
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.services import ImageServices
from tests.operations.builders import people, plan
from tests.support.azure import ARM, CANDIDATE, X64
from tests.support.clock import HOUR, NOW, FakeClock
from tests.support.configuration import DECLARED, ROLE
from tests.support.harness import propose, running_bot


async def test_a_version_that_was_rolled_back_is_not_offered_again_though_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        promotion, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, promotion)
        bot.clock.advance(-HOUR)
        rollback, _ = await propose(bot, f"!rollback {X64}")
        await bot.press("bob", Choice.APPROVE, rollback)
        assert "done" in rollback.card.title
        candidate = Pin(definition=X64, version=CANDIDATE)
        history = bot.running.services.get(ImageServices).history
        assert await history.rolled_back([candidate]) == (candidate,)
        (answer,) = await bot.say("alice", f"!promote {X64}")
        assert f"{CANDIDATE} of {X64} is newer, and is passed over because it was rolled back." in answer.text


async def test_a_duration_that_the_clock_makes_negative_is_not_told(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        bot.clock.advance(-HOUR)
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert "done" in report.text
        assert "after it was asked for" not in report.text


async def test_what_was_asked_for_last_comes_first_though_the_clock_was_set_back(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        _, first = await propose(bot)
        bot.clock.advance(-HOUR)
        _, second = await propose(bot, f"!promote {ARM}")
        (history,) = await bot.say("carol", "!history")
        (pending,) = await bot.say("carol", "!pending")
    assert [row[0] for row in history.card.tables[0].rows] == [second, first]
    assert [row[0] for row in pending.card.tables[0].rows] == [first, second]


@pytest.mark.parametrize("apart", [timedelta(), -HOUR])
async def test_votes_are_told_in_the_order_in_which_they_were_given(tmp_path: Path, apart: timedelta) -> None:
    names = ("zoe", "bob", "mia")
    everyone, clock = people({name: [ROLE] for name in names}), FakeClock()
    database = Database(tmp_path / "slipway.db")
    await database.open()
    repository = OperationRepository(database, DECLARED.registry)
    approvals = ApprovalService(repository, everyone, clock)
    policy = Policy(approvals=9, role=ROLE, requester_may_approve=False)
    room = Room(platform=CONSOLE, id="console")
    operation = await repository.create(Proposal("e1", plan(policy=policy), room, None, NOW))
    for name in names:
        person = everyone.by_id(name)
        assert person is not None
        await approvals.decide(Decision(operation.id, person, Choice.APPROVE, f"press-{name}"))
        clock.advance(apart)
    votes = (await repository.get(operation.id)).votes
    await database.close()
    assert tuple(vote.person for vote in votes) == names
