"""Deciding and recording under pressure: many at once, the same event again, too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Choice, Room
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import StepDone
from slipway.bot.operations import audit
from slipway.bot.operations.approval_service import ApprovalService
from slipway.bot.operations.audit import AuditEntry, AuditKey, Intact
from slipway.bot.operations.decisions import Decision
from slipway.bot.operations.model import Operation, OperationState, Policy, StepReport
from slipway.bot.operations.persistence.changes import StepChange
from slipway.bot.operations.persistence.records import Proposal
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.runs.entries import RunEntries
from slipway.bot.people import People, Person
from slipway.bot.store.database import Backend, Database
from tests.operations.builders import people, plan, vote
from tests.support.clock import NOW, FakeClock
from tests.support.configuration import DECLARED, ROLE

CROWD = ("bob", "carol", "dan", "erin", "frank")
EVERYONE = people({name: [ROLE] for name in ("alice", *CROWD)})
ROOM = Room(platform=CONSOLE, id="console")


@pytest.fixture
async def database(where: Path | Backend) -> AsyncIterator[Database]:
    opened = Database(where)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def repository(database: Database) -> OperationRepository:
    return OperationRepository(database, DECLARED.registry)


@pytest.fixture
def approval_service(repository: OperationRepository) -> ApprovalService:
    return ApprovalService(repository, EVERYONE, FakeClock())


def person(name: str, everyone: People = EVERYONE) -> Person:
    found = everyone.by_id(name)
    assert found is not None
    return found


async def proposed(repository: OperationRepository, approvals: int = 1, event_key: str = "e1") -> Operation:
    policy = Policy(approvals=approvals, role=ROLE, requester_may_approve=False)
    return await repository.create(Proposal(event_key, plan(policy=policy), ROOM, None, NOW))


def decision(operation: Operation, who: str, choice: Choice = Choice.APPROVE, event: str = "") -> Decision:
    return Decision(operation.id, person(who), choice, event or f"press-{who}")


async def actions(database: Database) -> list[str]:
    assert isinstance(await audit.verify(database), Intact)
    return [recorded.entry.action async for recorded in audit.entries(database)]


def note(operation: Operation, action: str, actor: str = "slipway") -> AuditEntry:
    return AuditEntry(
        key=AuditKey(f"{operation.id}:{action}"),
        at=NOW,
        actor=actor,
        action=action,
        operation_id=operation.id,
    )


@pytest.mark.parametrize("approvals", [1, 3, 5])
async def test_of_many_who_press_at_once_exactly_as_many_count_as_are_needed(
    database: Database, repository: OperationRepository, approval_service: ApprovalService, approvals: int
) -> None:
    operation = await proposed(repository, approvals)
    results = await asyncio.gather(
        *(approval_service.decide(decision(operation, name)) for name in CROWD), return_exceptions=True
    )
    assert (await repository.get(operation.id)).state is OperationState.APPROVED
    written = await actions(database)
    assert written.count("approved") == 1
    counted = written.count("approval")
    assert approvals <= counted <= len(CROWD)
    late = [result for result in results if isinstance(result, BaseException)]
    assert len(late) == len(CROWD) - counted
    assert all(isinstance(each, UserError) and "already approved" in each.sentence for each in late)


async def test_a_reason_of_any_length_leaves_a_card_that_can_be_shown(
    repository: OperationRepository, approval_service: ApprovalService
) -> None:
    operation = await proposed(repository)
    long = replace(decision(operation, "bob", Choice.REJECT), reason="too early " * 10_000)
    refused = await approval_service.decide(long)
    assert refused.outcome is not None
    assert "too early too early" in refused.outcome.summary
    assert len(refused.outcome.summary) < 400


async def test_a_refusal_and_an_approval_at_once_end_in_one_of_the_two(
    database: Database, repository: OperationRepository, approval_service: ApprovalService
) -> None:
    operation = await proposed(repository)
    await asyncio.gather(
        approval_service.decide(decision(operation, "bob")),
        approval_service.decide(decision(operation, "carol", Choice.REJECT)),
        return_exceptions=True,
    )
    written = await actions(database)
    assert written.count("approved") + written.count("rejected") == 1
    assert (await repository.get(operation.id)).state.value in written


async def test_an_event_that_is_handled_again_after_a_crash_decides_once(
    database: Database, repository: OperationRepository, approval_service: ApprovalService
) -> None:
    operation = await proposed(repository, approvals=2)
    for _ in range(3):
        assert (await approval_service.decide(decision(operation, "bob"))).state is OperationState.PROPOSED
    assert (await actions(database)).count("approval") == 1

    # We died between the vote that was enough and the move that follows from it.
    second = vote("carol").model_copy(update={"event_key": "press-carol"})
    key = AuditKey.of_vote(operation.id, second.event_key)
    entry = AuditEntry(key, second.at, "carol", "approval", operation.id, (("reason", second.reason),))
    await repository.change(operation.id, lambda change: change.vote(second, entry))
    assert (await repository.get(operation.id)).state is OperationState.PROPOSED
    assert (await approval_service.decide(decision(operation, "carol"))).state is OperationState.APPROVED
    assert (await actions(database)).count("approved") == 1


async def test_withdrawing_again_after_a_crash_is_no_mistake(
    database: Database, repository: OperationRepository, approval_service: ApprovalService
) -> None:
    operation = await proposed(repository)
    own = decision(operation, "alice", Choice.REJECT)
    for _ in range(2):
        assert (await approval_service.decide(own)).state is OperationState.CANCELLED
    assert await actions(database) == ["proposed", "cancelled"]
    with pytest.raises(UserError, match="is cancelled"):
        await approval_service.cancel(operation.id, person("alice"), "another event")


async def test_an_origin_proposes_once(database: Database, repository: OperationRepository) -> None:
    made = await asyncio.gather(*(proposed(repository) for _ in range(5)))
    assert len({operation.id for operation in made}) == 1
    assert await actions(database) == ["proposed"]
    (first, *_) = made
    assert (await proposed(repository, event_key="e2")).id == first.id  # the same again, while it is open
    await repository.move(
        first.id,
        expected=OperationState.PROPOSED,
        to=OperationState.EXPIRED,
        entry=note(first, OperationState.EXPIRED.value),
    )
    assert (await proposed(repository, event_key="e3")).id != first.id


async def test_a_state_moves_only_from_the_one_that_was_expected(
    database: Database, repository: OperationRepository, approval_service: ApprovalService
) -> None:
    operation = await proposed(repository)
    moves = [
        repository.move(
            operation.id,
            expected=OperationState.PROPOSED,
            to=to,
            entry=note(operation, to.value),
        )
        for to in (OperationState.APPROVED, OperationState.REJECTED, OperationState.EXPIRED)
    ]
    assert sorted(await asyncio.gather(*moves)) == [False, False, True]
    state = (await repository.get(operation.id)).state
    assert await actions(database) == ["proposed", state.value]
    with pytest.raises(UserError, match=f"is (already )?{state}"):
        await approval_service.decide(decision(operation, "bob"))
    assert (await repository.get(operation.id)).votes == ()


async def follows(_change: StepChange) -> None:
    """Nothing follows from a step's end."""


async def test_a_step_has_one_end(database: Database, repository: OperationRepository) -> None:
    operation = await proposed(repository)
    report = StepReport(number=1, title="promote", done=StepDone(summary="It is promoted."))
    entry = RunEntries(FakeClock()).of_report(operation.id, report)
    await repository.report_step(operation.id, report, entry, follows)
    with pytest.raises(sa.exc.IntegrityError):
        await repository.report_step(operation.id, report, note(operation, "step-1:again"), follows)
    assert await actions(database) == ["proposed", "step-1:done"]


async def test_only_what_runs_can_be_asked_to_stop_and_the_first_who_asks_is_remembered(
    database: Database, repository: OperationRepository, approval_service: ApprovalService
) -> None:
    operation = await proposed(repository)
    await repository.move(
        operation.id,
        expected=OperationState.PROPOSED,
        to=OperationState.APPROVED,
        entry=note(operation, "approved"),
    )
    await approval_service.cancel(operation.id, person("bob"), "first")
    with pytest.raises(UserError, match="bob has stopped"):
        await approval_service.cancel(operation.id, person("carol"), "second")
    assert (await repository.get(operation.id)).cancelled_by == "bob"
    assert await actions(database) == ["proposed", "approved", "asked to stop"]


async def test_stopping_what_runs_is_recorded_as_asking(
    database: Database, repository: OperationRepository, approval_service: ApprovalService
) -> None:
    operation = await proposed(repository)
    await approval_service.decide(decision(operation, "bob"))
    assert (await approval_service.cancel(operation.id, person("bob"), "e9")).cancelled_by == "bob"
    assert (await actions(database))[-1] == "asked to stop"
    with pytest.raises(UserError, match="bob has stopped op-"):
        await approval_service.cancel(operation.id, person("alice"), "e10")


async def test_whoever_may_not_decide_is_not_told_to_type_what_a_reaction_cannot_say(
    repository: OperationRepository, approval_service: ApprovalService
) -> None:
    policy = Policy(approvals=1, role=ROLE, requester_may_approve=False, forgeable_presses=False)
    operation = await repository.create(Proposal("e1", plan(policy=policy), ROOM, None, NOW))
    with pytest.raises(UserError, match="somebody else must approve"):
        await approval_service.decide(
            Decision(operation.id, person("alice"), Choice.APPROVE, "r1", forgeable=True)
        )
    for who, choice in (("bob", Choice.APPROVE), ("alice", Choice.REJECT)):
        with pytest.raises(UserError, match="A reaction is not encrypted"):
            await approval_service.decide(
                Decision(operation.id, person(who), choice, f"r {who}", forgeable=True)
            )
    assert (await repository.get(operation.id)).state is OperationState.PROPOSED
