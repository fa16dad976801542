"""What is owed in regions, whether it is tried again by itself, and whose move it is otherwise: pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from slipway.bot.clouds.model import Replication, ReplicationState
from slipway.bot.core.steps import Request, Step, StepDone
from slipway.bot.operations.model import Operation, OperationState, Plan, Policy, StepReport
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.replication.owed import Owed
from slipway.bot.subjects.images.replication.requests import RegionRetry
from slipway.bot.subjects.images.replication.settings import ReplicationSettings
from slipway.bot.subjects.images.replication.standing import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MOST_TRIES,
    DebtState,
    Standing,
    line_of,
    standings,
)
from slipway.bot.subjects.images.requests import Promote, Rollback
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from tests.images.builders import promoted
from tests.support.azure import X64
from tests.support.clock import NOW

FAILED = Replication(ReplicationState.FAILED, 0, "No capacity.")
REF = DefinitionRef("azure", X64)
OWED = Owed(
    REF,
    promoted("43.2.0", regions=("eastus", "westeurope")),
    ReplicationSettings(regions=("eastus", "westeurope")),
    {"westeurope": FAILED},
    (),
)
SERVICE = "service:regions"


def operation(
    number: int,
    request: Request,
    steps: tuple[Step, ...] = (),
    *,
    state: OperationState = OperationState.DONE,
    by: str = "alice",
    failed: bool = False,
    hours: float = 0,
) -> Operation:
    plan = Plan(
        kind=request.kind,
        request=request,
        requester=by,
        policy=Policy(approvals=0, role="", requester_may_approve=False),
        expires_at=NOW,
        summary="",
        steps=steps,
        observed={},
    )
    done = tuple(
        StepReport(number=place, title=step.title, done=StepDone(summary="done"))
        for place, step in enumerate(steps, start=1)
        if not failed
    )
    return Operation(
        id=f"op-{number}",
        event_key=f"e{number}",
        kind=request.kind,
        state=state,
        plan=plan,
        digest="",
        requester=by,
        room=None,
        thread=None,
        created_at=NOW,
        expires_at=NOW,
        ended_at=NOW + timedelta(hours=hours) if state.ended else None,
        reports=done,
    )


PROMOTED = SetExcluded(definition=X64, version="43.2.0", excluded=False, why=FlagReason.NAMED)
WAIVED = operation(1, Promote(definition=X64, without=("westeurope",), waiver="no capacity"), (PROMOTED,))
UNWAIVED = operation(1, Promote(definition=X64), (PROMOTED,))


def retry(number: int, state: OperationState, hours: float = 0, by: str = SERVICE) -> Operation:
    return operation(number, RegionRetry(definition=X64), state=state, by=by, hours=hours)


def stands(*newest_first: Operation, hours: float = 0, barred: str = "", owed: Owed = OWED) -> Standing:
    (found,) = standings(owed, newest_first, barred, NOW + timedelta(hours=hours))
    return found


def tries(count: int, state: OperationState = OperationState.FAILED) -> Sequence[Operation]:
    return [retry(number + 2, state, hours=100) for number in range(count)][::-1]


def test_what_was_left_out_is_due_after_an_hour_and_then_later_and_later() -> None:
    assert stands(WAIVED).state is DebtState.LATER
    assert stands(WAIVED, hours=1) == Standing(
        OWED, ("westeurope",), DebtState.DUE, 0, NOW + FIRST_PAUSE, "op-1"
    )
    pauses = []
    for count in range(MOST_TRIES):
        hours = 100 if count else 0
        found = stands(*tries(count), WAIVED, hours=hours)
        assert found.next_at is not None
        since = NOW + timedelta(hours=hours)
        pauses.append(found.next_at - since)
    assert pauses[:4] == [FIRST_PAUSE * 2**count for count in range(4)]
    assert max(pauses) == LONGEST_PAUSE
    assert stands(*tries(MOST_TRIES), WAIVED, hours=1000).state is DebtState.GIVEN_UP


def test_somebody_who_asks_has_it_tried_by_itself_anew() -> None:
    asked = retry(99, OperationState.FAILED, hours=200, by="carol")
    found = stands(asked, *tries(MOST_TRIES), WAIVED, hours=200)
    assert (found.state, found.tries) == (DebtState.LATER, 0)


@pytest.mark.parametrize(
    ("newest_first", "state"),
    [
        ((), DebtState.NOT_AGREED),
        ((UNWAIVED,), DebtState.NOT_AGREED),
        (
            (operation(1, Promote(definition=X64, without=("westeurope",)), (PROMOTED,), failed=True),),
            DebtState.NOT_AGREED,
        ),
        ((operation(1, Promote(definition=X64, without=("uksouth",)), (PROMOTED,)),), DebtState.NOT_AGREED),
        ((retry(2, OperationState.REJECTED), WAIVED), DebtState.REFUSED),
        ((retry(2, OperationState.CANCELLED), WAIVED), DebtState.REFUSED),
        ((retry(2, OperationState.EXPIRED), WAIVED), DebtState.DUE),
        # It ended by a clock that was weeks ahead.
        ((retry(2, OperationState.FAILED, hours=1000), WAIVED), DebtState.DUE),
        ((retry(2, OperationState.RUNNING), WAIVED), DebtState.UNDER_WAY),
        ((retry(2, OperationState.PROPOSED), WAIVED), DebtState.UNDER_WAY),
        ((operation(2, Promote(definition=X64), state=OperationState.RUNNING), WAIVED), DebtState.UNDER_WAY),
        # Taken back since: what was agreed to before counts for nothing.
        ((UNWAIVED, operation(2, Rollback(definition=X64)), WAIVED), DebtState.NOT_AGREED),
    ],
)
def test_only_what_people_agreed_to_is_tried_by_itself(
    newest_first: tuple[Operation, ...], state: DebtState
) -> None:
    assert stands(*newest_first, hours=50).state is state


def test_held_and_bad_versions_wait_and_waves_are_nobodys_debt() -> None:
    found = stands(WAIVED, hours=50, barred="is held by Bob (a freeze)")
    assert found.state is DebtState.BARRED
    assert line_of(found, "!") == (
        f"43.2.0 of {X64}: westeurope failed (“No capacity.”). It waits, since the version is held by Bob (a freeze)."
    )
    half = replace(OWED, version=replace(OWED.version, excluded=True), copies={}, closed=("westeurope",))
    found = stands(WAIVED, hours=50, owed=half)
    assert found.state is DebtState.WAVES
    assert line_of(found, "!") == (
        f"43.2.0 of {X64}: westeurope is not promoted. Its waves did not come to their end: "
        f"`!promote {X64}/43.2.0` goes on."
    )


def test_covered_and_new_regions_are_told_apart() -> None:
    both = replace(OWED, copies={"westeurope": FAILED, "uksouth": None})
    covered, new = standings(both, (WAIVED,), "", NOW + timedelta(hours=2))
    assert (covered.regions, covered.state) == (("westeurope",), DebtState.DUE)
    assert (new.regions, new.state) == (("uksouth",), DebtState.NOT_AGREED)
    assert "Nobody has agreed to that yet: `!promote" in line_of(new, "!")
