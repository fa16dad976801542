"""Emergencies, declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.problems import listing
from slipway.bot.operations.declarations import (
    OperationKind,
    PolicyDefaults,
    StepKind,
    Subject,
    SubjectContext,
)
from slipway.bot.subjects.emergencies.problems import SOURCE
from slipway.bot.subjects.emergencies.requests import ReviewEmergency
from slipway.bot.subjects.emergencies.reviewing import ReviewExecutor, ReviewPlanner
from slipway.bot.subjects.emergencies.services import EmergencyServices
from slipway.bot.subjects.emergencies.steps import StoreReview


def _services(context: SubjectContext) -> EmergencyServices:
    # With a database: not for `slipway check`.
    from slipway.bot.operations.emergency.store import EmergencyStore

    store = EmergencyStore(context.database, context.operations, context.clock)
    return EmergencyServices(store, context.clock, context.people.name)


def _arguments(request: ReviewEmergency) -> Sequence[str]:
    return (request.operation, request.verdict.value, *request.words.split())


def _summary(settings: SlipwaySettings) -> Iterator[str]:
    allowed = settings.emergency
    if allowed.people and allowed.kinds:
        code = ", with a code" if allowed.step_up else ""
        yield f"emergencies: {listing(allowed.people)} may pass the approvals of {listing(allowed.kinds)}{code}"


EMERGENCIES_SUBJECT: Subject[EmergencyServices] = Subject(
    name="emergencies",
    title="Emergencies",
    services=_services,
    kinds=(
        OperationKind(
            request=ReviewEmergency,
            planner=lambda services: ReviewPlanner(services.store, services.name),
            arguments=_arguments,
            prose=True,
            policy=PolicyDefaults(approvals=0),
            needs=None,
            right="emergency.review",
        ),
    ),
    steps=(
        StepKind(
            step=StoreReview,
            executor=lambda services: ReviewExecutor(services.store, services.clock),
            touches=lambda step: (f"emergency {step.operation}",),
            targets=lambda step: (f"emergency {step.operation}",),
        ),
    ),
    summary=_summary,
    problems=(SOURCE,),
)
