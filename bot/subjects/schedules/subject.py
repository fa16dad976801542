"""Schedules, declared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.live import LiveSequence
from slipway.bot.core.steps import Target
from slipway.bot.core.times import format_duration
from slipway.bot.operations.declarations import (
    OperationKind,
    PolicyDefaults,
    StepKind,
    Subject,
    SubjectContext,
)
from slipway.bot.subjects.schedules.pausing import (
    PauseExecutor,
    PausePlanner,
    ResumeExecutor,
    ResumePlanner,
)
from slipway.bot.subjects.schedules.problems import SOURCES
from slipway.bot.subjects.schedules.requests import PauseSchedule, ResumeSchedule
from slipway.bot.subjects.schedules.sections import SECTIONS
from slipway.bot.subjects.schedules.services import ScheduleServices
from slipway.bot.subjects.schedules.steps import LiftPause, StorePause


def _services(context: SubjectContext) -> ScheduleServices:
    # With a database: not for `slipway check`.
    from slipway.bot.subjects.schedules.store import ScheduleStore

    names = LiveSequence(lambda: [entry.name for entry in context.now.schedule])
    return ScheduleServices(ScheduleStore(context.database), names, context.clock, context.people.name)


def _pausing(request: PauseSchedule) -> Sequence[str]:
    lasting = timedelta(seconds=request.seconds) if request.seconds is not None else None
    limit = () if lasting is None else ("--for", format_duration(lasting))
    return (*limit, request.schedule, *request.words.split())


def _resuming(request: ResumeSchedule) -> Sequence[str]:
    return (request.schedule, *request.words.split())


def _names(settings: SlipwaySettings) -> tuple[Target, ...]:
    return tuple(Target(entry.name) for entry in settings.schedule)


SCHEDULES_SUBJECT: Subject[ScheduleServices] = Subject(
    name="schedules",
    title="Schedules",
    services=_services,
    kinds=(
        OperationKind(
            request=PauseSchedule,
            planner=lambda services: PausePlanner(services.store, services.names, services.name),
            arguments=_pausing,
            prose=True,
            policy=PolicyDefaults(approvals=0),
            needs=None,
            names=_names,
            right="schedule.pause",
        ),
        OperationKind(
            request=ResumeSchedule,
            planner=lambda services: ResumePlanner(services.store, services.names, services.name),
            arguments=_resuming,
            prose=True,
            policy=PolicyDefaults(approvals=0),
            needs=None,
            names=_names,
            right="schedule.resume",
        ),
    ),
    steps=(
        StepKind(
            step=StorePause,
            executor=lambda services: PauseExecutor(services.store, services.clock),
            touches=lambda step: (f"schedule {step.schedule}",),
            targets=lambda step: (f"schedule {step.schedule}",),
        ),
        StepKind(
            step=LiftPause,
            executor=lambda services: ResumeExecutor(services.store),
            touches=lambda step: (f"schedule {step.schedule}",),
            targets=lambda step: (f"schedule {step.schedule}",),
        ),
    ),
    problems=SOURCES,
    sections=SECTIONS,
)
