"""What an adopted change counts for, and when it is not so any more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.bot.operations.model import Operation, OperationState, Plan
from slipway.bot.subjects.images.adopting.steps import AdoptChange, adopted_promotion
from slipway.bot.subjects.images.past import past_of
from slipway.bot.subjects.images.watching.change import Aspect, Change, SeenVersion, holds, how_it_is
from slipway.bot.subjects.images.watching.foreign import effects
from tests.support.azure import X64

SEEN = datetime(2026, 11, 20, 9, tzinfo=UTC)
THERE = SeenVersion(promoted=True, promoted_in=("eastus",), regions=("eastus", "westus"))
CHANGED = {"version": "43.1.0"}


def adoption(aspect: Aspect) -> AdoptChange:
    return AdoptChange(
        definition=X64,
        version="43.1.0",
        cloud="azure",
        notice=1,
        number=1,
        change=Change(version="43.1.0", aspect=aspect, gained=("eastus",)),
        seen_at=SEEN,
        person="alice",
        words="we did it",
    )


def operation(step: AdoptChange) -> Operation:
    plan: dict[str, Any] = {"steps": (step,), "observed": {}}
    values: dict[str, Any] = {
        "state": OperationState.DONE,
        "kind": "adopt",
        "ended_at": SEEN,
        "reports": (),
        "requester": "alice",
        "votes": (),
        "id": "op-7k3f",
        "plan": Plan.model_construct(**plan),
    }
    return Operation.model_construct(**values)


def test_an_adopted_promotion_counts_as_one_of_the_time_when_it_was_seen_and_explains_no_change() -> None:
    step = adoption(Aspect.PROMOTED)
    done = operation(step)
    assert adopted_promotion(done, step.target) == SEEN
    assert adopted_promotion(operation(adoption(Aspect.HIDDEN)), step.target) is None
    assert effects(done) == ()
    (told,) = past_of(step.pin, [done])
    assert told.what == (
        "adopt a change made outside of Slipway, seen on 2026-11-20: it was promoted in eastus (we did it)"
    )
    assert (told.by, told.state) == ("alice", "done")


@pytest.mark.parametrize(
    ("change", "now", "stands"),
    [
        (Change(**CHANGED, aspect=Aspect.PROMOTED, gained=("eastus",)), THERE, ""),
        (Change(**CHANGED, aspect=Aspect.PROMOTED, gained=("westus",)), THERE, "is promoted in eastus"),
        (Change(**CHANGED, aspect=Aspect.HIDDEN, lost=("westus",)), THERE, ""),
        (Change(**CHANGED, aspect=Aspect.HIDDEN), THERE, "is promoted in eastus"),
        (Change(**CHANGED, aspect=Aspect.HIDDEN), None, "is not there any more"),
        (Change(**CHANGED, aspect=Aspect.DELETED), None, ""),
        (Change(**CHANGED, aspect=Aspect.DELETED), THERE, "is promoted in eastus"),
        (Change(**CHANGED, aspect=Aspect.REGIONS, lost=("northeurope",)), THERE, ""),
        (Change(**CHANGED, aspect=Aspect.REGIONS, lost=("westus",)), THERE, "is in eastus and westus"),
        (Change(**CHANGED, aspect=Aspect.END_OF_LIFE), THERE, ""),
        (Change(**CHANGED, aspect=Aspect.END_OF_LIFE, end_of_life=SEEN), THERE, "has no end of life"),
        (Change(**CHANGED, aspect=Aspect.DISABLED), THERE, "is promoted in eastus"),
        (Change(**CHANGED, aspect=Aspect.ENABLED), THERE, ""),
    ],
)
def test_a_change_holds_as_long_as_its_version_is_as_it_left_it(
    change: Change, now: SeenVersion | None, stands: str
) -> None:
    assert holds(change, now) is (stands == "")
    assert stands in how_it_is(change.aspect, now)
