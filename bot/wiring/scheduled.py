"""What happens by the clock, put together."""

from __future__ import annotations

from slipway.bot.chat.model import Platform, Room
from slipway.bot.chat.named_rooms import NamedRooms
from slipway.bot.config.settings import split_address
from slipway.bot.operations.approval_reminders import ApprovalReminders
from slipway.bot.operations.housekeeping import Housekeeping
from slipway.bot.operations.runs.runner import OperationRunner
from slipway.bot.store.memory import TickMemory
from slipway.bot.subjects.schedules.services import ScheduleServices
from slipway.bot.wiring.parts import Base
from slipway.bot.wiring.services import policies_of
from slipway.commands.dispatch.dispatcher import Dispatcher
from slipway.scheduler.freeze_notices import FreezeNotices
from slipway.scheduler.problems import Problems
from slipway.scheduler.schedule_notices import ScheduleNotices
from slipway.scheduler.schedules import Schedules
from slipway.scheduler.timetable import Timetables
from slipway.scheduler.watches import Watches


def housekeeping_of(base: Base, runner: OperationRunner) -> Housekeeping:
    """What reminds, and lets expire."""
    parts, messages, services = base.parts, base.messages, base.services
    current = parts.current
    return Housekeeping(
        operations=services.operations,
        approvals=services.approvals,
        runner=runner,
        reminders=ApprovalReminders(
            policies_of(current),
            operations=services.operations,
            messages=messages,
            cards=services.cards,
            clock=parts.clock,
        ),
        workflows=parts.workflows,
        clock=parts.clock,
    )


def schedules_of(base: Base, timetables: Timetables, dispatcher: Dispatcher) -> Schedules:
    """What gives lines at their times."""
    parts, people, messages, services = base.parts, base.people, base.messages, base.services
    settings = parts.settings
    store = services.get(ScheduleServices).store
    return Schedules(
        timetables,
        dispatcher=dispatcher,
        memory=TickMemory(parts.database),
        store=store,
        notices=ScheduleNotices(
            prefix=settings.commands.prefix,
            people=people,
            store=store,
            messages=messages,
            workflows=parts.workflows,
            clock=parts.clock,
        ),
        workflows=parts.workflows,
        clock=parts.clock,
        meter=parts.meter,
    )


def watches_of(base: Base, dispatcher: Dispatcher) -> Watches:
    """What looks after things of subjects."""
    services = base.services
    return Watches.of(
        services.subjects,
        dispatcher=dispatcher,
        messages=base.messages,
        operations=services.operations,
        chats=base.chats,
        people=base.people,
        clock=base.parts.clock,
        freezes=services.freezes,
    )


def problems_of(base: Base) -> Problems:
    """What tells of problems until they are gone."""
    parts = base.parts
    settings = parts.settings
    return Problems(
        tuple(parts.declarations.registry.problem_sources.values()),
        base.services,
        base.messages,
        room=_room(settings.problems.room or settings.commands.room),
        clock=parts.clock,
        keep=settings.housekeeping.keep_messages,
    )


def freeze_notices_of(base: Base, housekeeping: Housekeeping) -> FreezeNotices:
    """What tells of begins and ends of freezes."""
    parts, services = base.parts, base.services
    settings = parts.settings
    return FreezeNotices(
        services.freezes,
        settings.freeze,
        people=base.people,
        messages=base.messages,
        rooms=NamedRooms.of(
            base.chats,
            [room for each in settings.freezes.rooms if (room := _room(each)) is not None]
            or parts.declarations.notice_rooms(settings),
        ),
        refresh=housekeeping.refresh_waiting,
        clock=parts.clock,
    )


def _room(address: str) -> Room | None:
    """A room of the configuration; None where none is named."""
    if not address:
        return None
    platform, name = split_address(address)
    return Room(platform=Platform(platform), id=name)
