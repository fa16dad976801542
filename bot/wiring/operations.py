"""How operations are planned, decided and run, put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from slipway.bot.chat.named_rooms import NamedRooms
from slipway.bot.core.live import LiveMapping
from slipway.bot.operations.admission import Admission
from slipway.bot.operations.emergency.alarms import EmergencyAlarms
from slipway.bot.operations.emergency.rules import Emergencies
from slipway.bot.operations.locking.words import LockWords
from slipway.bot.operations.plan_service import PlanService
from slipway.bot.operations.runs.runner import OperationRunner
from slipway.bot.people import schedule_id
from slipway.bot.subjects.emergencies.services import EmergencyServices
from slipway.bot.subjects.schedules.services import ScheduleServices
from slipway.bot.subjects.schedules.store import ScheduleStore
from slipway.bot.wiring.parts import Base
from slipway.bot.wiring.services import policies_of
from slipway.commands.dispatch.dispatcher import Dispatcher
from slipway.commands.dispatch.events import LineRequest
from slipway.commands.dispatch.responses import Response
from slipway.commands.dispatch.runner import CommandRunner


@dataclass(frozen=True)
class Operating:
    """What works on operations."""

    runner: OperationRunner
    dispatcher: Dispatcher
    alarms: EmergencyAlarms


def operating(base: Base) -> Operating:
    """Put together what hears, plans and runs."""
    admission, alarms = _admission(base), _alarms(base)
    plans = _plans(base, admission)
    runner = _runner(base, plans, admission)
    return Operating(runner, _dispatcher(base, plans, runner, alarms), alarms)


def _admission(base: Base) -> Admission:
    parts, people, services = base.parts, base.people, base.services
    settings, declarations, current = parts.settings, parts.declarations, parts.current
    return Admission(
        declarations.registry,
        LiveMapping(lambda: current.settings.policy),
        services.locks,
        LockWords(services.operations, people, settings.zone),
        services.freezes,
    )


def _plans(base: Base, admission: Admission) -> PlanService:
    parts, services = base.parts, base.services
    settings, current = parts.settings, parts.current
    return PlanService(
        services.subjects,
        policies_of(current),
        services.operations,
        parts.clock,
        admission,
        LiveMapping(lambda: {schedule_id(entry.name): entry.mode for entry in current.settings.schedule}),
        Emergencies(settings.emergency),
    )


def _alarms(base: Base) -> EmergencyAlarms:
    parts = base.parts
    return EmergencyAlarms(
        base.services.get(EmergencyServices).store,
        base.messages,
        base.people,
        NamedRooms.of(base.chats, parts.declarations.all_rooms(parts.settings)),
        parts.settings.commands.prefix,
        parts.clock,
    )


def _runner(base: Base, plans: PlanService, admission: Admission) -> OperationRunner:
    parts, messages, services = base.parts, base.messages, base.services
    return OperationRunner(
        operations=services.operations,
        messages=messages,
        plans=plans,
        subjects=services.subjects,
        workflows=parts.workflows,
        admission=admission,
        locks=services.locks,
        cards=services.cards,
        clock=parts.clock,
        sleep=parts.sleep,
        uptime=parts.uptime,
        meter=parts.meter,
    )


def _dispatcher(
    base: Base, plans: PlanService, runner: OperationRunner, alarms: EmergencyAlarms
) -> Dispatcher:
    parts, messages, services = base.parts, base.messages, base.services
    declarations = parts.declarations
    return Dispatcher(
        services=services,
        command_runner=CommandRunner(
            services=services,
            registry=declarations.commands,
            plans=plans,
            messages=messages,
            meter=parts.meter,
        ),
        runner=runner,
        messages=messages,
        workflows=parts.workflows,
        intake=parts.intake,
        sleep=parts.sleep,
        answered=partial(_note_answer, services.get(ScheduleServices).store),
        alarms=alarms,
    )


async def _note_answer(store: ScheduleStore, request: LineRequest, response: Response) -> None:
    """Keep what became of a schedule's line."""
    if response.left_out:
        await store.left_out(request.event_key, response.left_out)
    else:
        await store.answered(request.event_key, response.in_short, response.operation_id)
