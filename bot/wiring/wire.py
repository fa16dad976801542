"""Puts the running bot together from a checked configuration, its declarations and its database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.gone_rooms import GoneRooms
from slipway.bot.operations.runs.orphans import carry_on
from slipway.bot.operations.trail.configuration import GroupRoles, configuration_entry, note_configuration
from slipway.bot.operations.trail.sinks.configured import sinks_of
from slipway.bot.operations.trail.sinks.forwarder import AuditForwarder
from slipway.bot.people import People
from slipway.bot.store.installation import Installation
from slipway.bot.store.settings import DATABASE_TABLE
from slipway.bot.subjects.schedules.services import ScheduleServices
from slipway.bot.wiring.chats import chat_context
from slipway.bot.wiring.operations import operating
from slipway.bot.wiring.parts import Base, Parts, RunningBot
from slipway.bot.wiring.scheduled import (
    freeze_notices_of,
    housekeeping_of,
    problems_of,
    schedules_of,
    watches_of,
)
from slipway.bot.wiring.services import services_of
from slipway.scheduler.audit_heads import AuditHeads
from slipway.scheduler.timetable import Timetables, upcoming
from slipway.scheduler.upkeep import Pruning, Upkeep


def wire(parts: Parts) -> RunningBot:
    """Put everything together. Starts nothing, and asks nobody."""
    settings, declarations, current = parts.settings, parts.declarations, parts.current
    people = People(
        settings,
        {chat.platform: chat.group_key for chat in declarations.chats},
        {chat.platform: chat.introduction for chat in declarations.chats},
        {name: watch.rights for name, watch in declarations.registry.watches.items()},
    )
    chats = {
        builder.platform: builder.build(
            chat_context(
                parts, builder.platform, people, lambda: services, lambda: messages, lambda: gone_rooms
            )
        )
        for builder in parts.chats
    }
    messages = MessageService(parts.database, chats, parts.clock, parts.sleep, parts.membership.fence)
    forwarder = AuditForwarder(
        parts.database, tuple(sinks_of(settings.audit, parts.clock)), parts.clock, parts.sleep
    )
    timetables = Timetables(current)
    services = services_of(
        parts,
        people,
        chats,
        lambda: tuple(
            each
            for each in upcoming(timetables.enabled, parts.clock())
            if each[0] not in schedule_store.known_pauses
        ),
        messages,
        forwarder,
    )
    schedule_store = services.get(ScheduleServices).store
    base = Base(parts, people, chats, messages, services)
    works = operating(base)
    dispatcher = works.dispatcher
    housekeeping = housekeeping_of(base, works.runner)
    schedules = schedules_of(base, timetables, dispatcher)
    audit_heads = AuditHeads(
        settings.audit,
        database=parts.database,
        messages=messages,
        workflows=parts.workflows,
        clock=parts.clock,
    )
    gone_rooms = GoneRooms(
        operations=services.operations,
        messages=messages,
        chats=chats,
        cards=services.cards,
        clock=parts.clock,
    )
    pruning = Pruning(settings.housekeeping, parts.database, parts.workflows, parts.clock)
    watches = watches_of(base, dispatcher)
    problems = problems_of(base)
    notes: tuple[Callable[[], Awaitable[None]], ...] = ()
    if settings.optional(DATABASE_TABLE) is None:  # two files, each of which can be lost
        notes = (Installation(settings.state_dir, parts.database).note,)

    def apply(later: SlipwaySettings) -> None:
        people.replace(later)
        current.replace(later)

    async def begin() -> None:
        await forwarder.prepare()
        await note_configuration(parts.database, configuration_entry(current.settings, parts.clock()))
        await carry_on(services.operations, works.runner, parts.workflows)
        forwarder.start()

    return RunningBot(
        dispatcher,
        schedules,
        housekeeping,
        services.operations,
        parts.workflows,
        parts.database,
        chats,
        services,
        messages,
        gone_rooms,
        audit_heads,
        Upkeep(
            GroupRoles(people, parts.database, parts.clock).sweep,
            freeze_notices_of(base, housekeeping).sweep,
            housekeeping.sweep,
            gone_rooms.sweep,
            *notes,
            works.alarms.sweep,
            pruning.prune,
            services.step_ups.prune,
            watches.sweep,
            problems.sweep,
        ),
        watches,
        problems,
        forwarder,
        current,
        apply,
        begin,
    )
