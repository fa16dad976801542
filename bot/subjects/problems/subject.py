"""Problems, declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.times import Clock, format_duration
from slipway.bot.operations.declarations import (
    OperationKind,
    PolicyDefaults,
    StepKind,
    Subject,
    SubjectContext,
)
from slipway.bot.subjects.problems.acknowledging import AcknowledgeExecutor, AcknowledgePlanner
from slipway.bot.subjects.problems.requests import Acknowledge
from slipway.bot.subjects.problems.steps import StoreAcknowledgement

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.problems.store import ProblemStore


@dataclass(frozen=True)
class ProblemServices:
    """What acknowledging works with."""

    store: ProblemStore
    clock: Clock
    name: Callable[[str], str]  # of a person, by their id


def _services(context: SubjectContext) -> ProblemServices:
    # With a database: not for `slipway check`.
    from slipway.bot.problems.store import ProblemStore

    return ProblemServices(ProblemStore(context.database), context.clock, context.people.name)


def _arguments(request: Acknowledge) -> Sequence[str]:
    return (
        "--for",
        format_duration(timedelta(seconds=request.seconds)),
        request.problem,
        *request.words.split(),
    )


PROBLEMS_SUBJECT: Subject[ProblemServices] = Subject(
    name="problems",
    title="Problems",
    services=_services,
    kinds=(
        OperationKind(
            request=Acknowledge,
            planner=lambda services: AcknowledgePlanner(services.store, services.name),
            arguments=_arguments,
            prose=True,
            policy=PolicyDefaults(approvals=0),
            needs=None,
            right="problem.ack",
        ),
    ),
    steps=(
        StepKind(
            step=StoreAcknowledgement,
            executor=lambda services: AcknowledgeExecutor(services.store, services.clock),
            touches=lambda step: (f"problem {step.problem}",),
            targets=lambda step: (f"problem {step.problem}",),
        ),
    ),
)
