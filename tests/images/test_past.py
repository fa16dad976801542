"""What is told of what was done to a version."""

from __future__ import annotations

from slipway.bot.core.steps import StepDone
from slipway.bot.operations.model import OperationState, StepReport
from slipway.bot.subjects.images.past import past_of
from slipway.bot.subjects.images.replication.steps import AwaitCopies, ReplicateVersion
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from tests.operations.builders import operation
from tests.support.azure import X64

VERSION = Pin(definition=X64, version="43.2.0")
COPY = ReplicateVersion(**VERSION.model_dump(), regions=("eastus", "westus"), replicas=2)
STEPS = (
    COPY,
    AwaitCopies(**VERSION.model_dump(), regions=COPY.regions, within=3600),
    SetExcluded(**VERSION.model_dump(), excluded=False, why=FlagReason.NEWEST_CANDIDATE),
)


def test_an_operation_is_told_once_however_many_steps_it_takes() -> None:
    asked = operation(steps=STEPS, observed={f"latest of {X64}": "43.1.0"})
    (told,) = past_of(VERSION, [asked])
    assert (told.state, told.replaced) == ("proposed", "43.1.0")

    reports = tuple(
        StepReport(number=number, title=step.title, done=StepDone(summary="done"))
        for number, step in enumerate(STEPS, start=1)
    )
    running = asked.model_copy(update={"state": OperationState.RUNNING, "reports": reports[:2]})
    done = asked.model_copy(update={"state": OperationState.DONE, "reports": reports})
    failed = asked.model_copy(
        update={
            "state": OperationState.FAILED,
            "reports": (*reports[:2], reports[2].model_copy(update={"done": None})),
        }
    )
    assert [each.state for each in past_of(VERSION, [running, done, failed])] == ["running", "done", "failed"]


def test_a_copy_says_how_many_replicas_each_region_gets() -> None:
    assert COPY.title == f"copy 43.2.0 of {X64} to eastus and westus, 2 replicas each"
    assert COPY.reason == "it is not in all of the regions that are configured for it with so many replicas"
    alone = COPY.model_copy(update={"replicas": None})
    assert alone.title == f"copy 43.2.0 of {X64} to eastus and westus"
