"""Freezes, declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from slipway.bot.config.settings import FreezeWindowSettings, SlipwaySettings
from slipway.bot.core.times import format_duration, format_time, system_clock
from slipway.bot.operations.declarations import (
    ANYTHING,
    OperationKind,
    PolicyDefaults,
    StepKind,
    Subject,
    SubjectContext,
)
from slipway.bot.operations.freezing.calendar import current, upcoming
from slipway.bot.operations.freezing.model import Scope
from slipway.bot.operations.freezing.words import of_scope
from slipway.bot.subjects.freezes.freezing import (
    FreezePlanner,
    LiftExecutor,
    PlaceExecutor,
    UnfreezePlanner,
)
from slipway.bot.subjects.freezes.problems import SOURCES
from slipway.bot.subjects.freezes.requests import FreezeChanges, UnfreezeChanges
from slipway.bot.subjects.freezes.sections import SECTIONS
from slipway.bot.subjects.freezes.services import FreezeServices
from slipway.bot.subjects.freezes.steps import LiftFreeze, PlaceFreeze

_TOUCHED = ("freeze of all changes",)


def _services(context: SubjectContext) -> FreezeServices:
    # With a database: not for `slipway check`.
    from slipway.bot.operations.freezing.store import FreezeStore

    windows = context.settings.freeze

    def holding(now: datetime) -> tuple[str, ...]:
        return tuple(each.name for each in current(windows, now))

    store = FreezeStore(context.database)
    return FreezeServices(store, context.operations, holding, context.people.name, context.clock)


def _arguments(request: FreezeChanges) -> Sequence[str]:
    lasting = timedelta(seconds=request.seconds) if request.seconds is not None else None
    limit = () if lasting is None else ("--for", format_duration(lasting))
    return (*limit, *request.words.split())


def _described(settings: SlipwaySettings) -> Iterator[str]:
    """Each window, what it is about, and when it is next."""
    now = system_clock()
    for window in settings.freeze:
        scope = Scope(window.kinds, window.clouds, window.patterns, window.may_pass)
        passing = f"; {', '.join(scope.passing)} may pass" if scope.passing else ""
        yield f"freeze {window.name}: {of_scope(scope)}{passing}"
        yield f"  next: {_next(window, now)}"
    if settings.freezes.go_on:
        yield f"freezes by `freeze` are not about {', '.join(settings.freezes.go_on)}"


def _next(window: FreezeWindowSettings, now: datetime) -> str:
    periods = upcoming(window, now)
    if not periods:
        return "never again"
    zone = window.zone
    return ", ".join(
        f"{format_time(each.begins, zone)} to {format_time(each.ends, zone)}" for each in periods
    )


FREEZES_SUBJECT: Subject[FreezeServices] = Subject(
    name="freezes",
    title="Freezes",
    services=_services,
    kinds=(
        OperationKind(
            request=FreezeChanges,
            planner=lambda services: FreezePlanner(services.store, services.operations, services.name),
            arguments=_arguments,
            prose=True,
            policy=PolicyDefaults(approvals=0),
            needs=None,
            named_by=ANYTHING,
        ),
        OperationKind(
            request=UnfreezeChanges,
            planner=lambda services: UnfreezePlanner(services.store, services.windows, services.name),
            arguments=lambda request: tuple(request.words.split()),
            prose=True,
            policy=PolicyDefaults(approvals=0),
            needs=None,
            named_by=ANYTHING,
        ),
    ),
    steps=(
        StepKind(
            step=PlaceFreeze,
            executor=lambda services: PlaceExecutor(services.store, services.clock),
            touches=lambda _step: _TOUCHED,
        ),
        StepKind(
            step=LiftFreeze,
            executor=lambda services: LiftExecutor(services.store, services.clock),
            touches=lambda _step: _TOUCHED,
        ),
    ),
    problems=SOURCES,
    sections=SECTIONS,
    summary=_described,
)
