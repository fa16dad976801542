"""Puts the running bot together from a checked configuration, its declarations and its database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from slipway.bot.chat.declaration import ChatContext, HostCallbacks
from slipway.bot.chat.forms import CommandForm
from slipway.bot.chat.model import Chat, Platform, Room
from slipway.bot.chat.named_rooms import NamedRooms
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.current import CurrentSettings
from slipway.bot.config.settings import SlipwaySettings, split_address
from slipway.bot.core.http.routes import PublicHttp
from slipway.bot.core.live import LiveMapping
from slipway.bot.core.measuring.meter import UNMETERED, Meter
from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.core.uptime import ReadUptime
from slipway.bot.core.waiting import Polling, Sleep
from slipway.bot.declared import Declarations
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.admission import Admission
from slipway.bot.operations.approval_reminders import ApprovalReminders
from slipway.bot.operations.approval_service import ApprovalService
from slipway.bot.operations.between_replicas import ROOM_CHANGED
from slipway.bot.operations.declarations import SubjectContext
from slipway.bot.operations.emergency.alarms import EmergencyAlarms
from slipway.bot.operations.emergency.rules import Emergencies
from slipway.bot.operations.freezing.gate import FreezeGate
from slipway.bot.operations.freezing.words import FreezeWords
from slipway.bot.operations.gone_rooms import GoneRooms
from slipway.bot.operations.housekeeping import Housekeeping
from slipway.bot.operations.locking.store import LockStore
from slipway.bot.operations.locking.words import LockWords
from slipway.bot.operations.persistence.ended import EndedOperations
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.plan_service import PlanService
from slipway.bot.operations.policies import Policies
from slipway.bot.operations.presentation.cards import CardContext
from slipway.bot.operations.registry import SubjectServices
from slipway.bot.operations.runs.orphans import carry_on
from slipway.bot.operations.runs.runner import OperationRunner
from slipway.bot.operations.services import Services
from slipway.bot.operations.standing import StandingCards
from slipway.bot.operations.step_up.service import StepUps
from slipway.bot.operations.step_up.store import StepUpStore
from slipway.bot.operations.trail.configuration import GroupRoles, configuration_entry, note_configuration
from slipway.bot.operations.trail.sinks.configured import sinks_of
from slipway.bot.operations.trail.sinks.forwarder import AuditForwarder
from slipway.bot.people import People, schedule_id
from slipway.bot.problems.cards import ProblemView
from slipway.bot.problems.store import ProblemStore
from slipway.bot.replicas.intake import Intake
from slipway.bot.replicas.membership import Membership
from slipway.bot.replicas.notices import Notices
from slipway.bot.store.database import Database
from slipway.bot.store.installation import Installation
from slipway.bot.store.memory import ChatMemory, TickMemory
from slipway.bot.store.settings import DATABASE_TABLE
from slipway.bot.subjects.emergencies.services import EmergencyServices
from slipway.bot.subjects.freezes.services import FreezeServices
from slipway.bot.subjects.schedules.services import ScheduleServices
from slipway.bot.subjects.schedules.store import ScheduleStore
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.commands.dispatch.codes.windows import WindowCodes
from slipway.commands.dispatch.dispatcher import Dispatcher
from slipway.commands.dispatch.events import LineRequest, workflow_id
from slipway.commands.dispatch.home import home
from slipway.commands.dispatch.responses import Response
from slipway.commands.dispatch.runner import CommandRunner
from slipway.scheduler.audit_heads import AuditHeads
from slipway.scheduler.freeze_notices import FreezeNotices
from slipway.scheduler.problems import Problems
from slipway.scheduler.schedule_notices import ScheduleNotices
from slipway.scheduler.schedules import Schedules
from slipway.scheduler.timetable import Timetables, upcoming
from slipway.scheduler.upkeep import Pruning, Upkeep
from slipway.scheduler.watches import Watches

ELSEWHERE_LOOKS, ELSEWHERE_PAUSE = 4, 1.0
"""How often, and how many seconds apart, it is looked whether another replica could read what this one could not."""


@dataclass(frozen=True)
class ChatBuilder:
    """A chat platform that the bot is to be on, and what builds its adapter."""

    platform: Platform
    build: Callable[[ChatContext[Any]], Chat]


@dataclass(frozen=True)
class RunningBot:
    """The running bot, for whoever started it."""

    dispatcher: Dispatcher
    schedules: Schedules
    housekeeping: Housekeeping
    operations: OperationRepository
    workflows: WorkflowEngine
    database: Database
    chats: Mapping[Platform, Chat]
    services: Services
    messages: MessageService
    rooms: GoneRooms
    audit_heads: AuditHeads
    upkeep: Upkeep
    watches: Watches
    problems: Problems
    forwarder: AuditForwarder
    current: CurrentSettings
    apply: Callable[[SlipwaySettings], None]
    """Lets another configuration count, as far as a reload takes it in: at once, and without waiting."""
    begin: Callable[[], Awaitable[None]]
    """What is done once, when the workflow database is open: what was lost is carried on, and the trail goes out."""

    async def idle(self) -> None:
        """Wait until no work is under way, and all that is to be said was said or refused."""
        await self.watches.idle()
        await self.problems.idle()
        await self.workflows.idle()
        await self.messages.idle()


@dataclass(frozen=True)
class Parts:
    """What the running bot is put together from."""

    current: CurrentSettings
    declarations: Declarations
    chats: Sequence[ChatBuilder]
    clouds: Clouds
    database: Database
    workflows: WorkflowEngine
    clock: Clock
    sleep: Sleep
    uptime: ReadUptime
    http: PublicHttp
    membership: Membership
    intake: Intake | None = None
    """Where events of chats go; None for the workflows of this process."""
    notices: Notices | None = None
    """Tell the other replicas something; None where there are none."""
    replica: str = ""
    """The id of this one of several replicas; empty where there is one process."""
    meter: Meter = UNMETERED

    @property
    def settings(self) -> SlipwaySettings:
        """The configuration that counts; what a reload may change is read at each use."""
        return self.current.settings


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
            _chat_context(
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
    services = _services(
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
    admission = Admission(
        declarations.registry,
        LiveMapping(lambda: current.settings.policy),
        services.locks,
        LockWords(services.operations, people, settings.zone),
        services.freezes,
    )
    policies = _policies(current)
    plans = PlanService(
        services.subjects,
        policies,
        services.operations,
        parts.clock,
        admission,
        LiveMapping(lambda: {schedule_id(entry.name): entry.mode for entry in current.settings.schedule}),
        Emergencies(settings.emergency),
    )
    alarms = EmergencyAlarms(
        services.get(EmergencyServices).store,
        messages,
        people,
        NamedRooms.of(chats, declarations.all_rooms(settings)),
        settings.commands.prefix,
        parts.clock,
    )
    runner = OperationRunner(
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
    dispatcher = Dispatcher(
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
        answered=partial(_note_answer, schedule_store),
        alarms=alarms,
    )
    housekeeping = Housekeeping(
        operations=services.operations,
        approvals=services.approvals,
        runner=runner,
        reminders=ApprovalReminders(
            policies,
            operations=services.operations,
            messages=messages,
            cards=services.cards,
            clock=parts.clock,
        ),
        workflows=parts.workflows,
        clock=parts.clock,
    )
    schedules = Schedules(
        timetables,
        dispatcher=dispatcher,
        memory=TickMemory(parts.database),
        store=schedule_store,
        notices=ScheduleNotices(
            prefix=settings.commands.prefix,
            people=people,
            store=schedule_store,
            messages=messages,
            workflows=parts.workflows,
            clock=parts.clock,
        ),
        workflows=parts.workflows,
        clock=parts.clock,
        meter=parts.meter,
    )
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
    watches = Watches.of(
        services.subjects,
        dispatcher=dispatcher,
        messages=messages,
        operations=services.operations,
        chats=chats,
        people=people,
        clock=parts.clock,
        freezes=services.freezes,
    )
    problems = Problems(
        tuple(declarations.registry.problem_sources.values()),
        services,
        messages,
        room=_room(settings.problems.room or settings.commands.room),
        clock=parts.clock,
        keep=settings.housekeeping.keep_messages,
    )
    freeze_notices = FreezeNotices(
        services.freezes,
        settings.freeze,
        people=people,
        messages=messages,
        rooms=NamedRooms.of(
            chats,
            [room for each in settings.freezes.rooms if (room := _room(each)) is not None]
            or declarations.notice_rooms(settings),
        ),
        refresh=housekeeping.refresh_waiting,
        clock=parts.clock,
    )
    notes: tuple[Callable[[], Awaitable[None]], ...] = ()
    if settings.optional(DATABASE_TABLE) is None:  # two files, each of which can be lost
        notes = (Installation(settings.state_dir, parts.database).note,)

    def apply(later: SlipwaySettings) -> None:
        people.replace(later)
        current.replace(later)

    async def begin() -> None:
        await forwarder.prepare()
        await note_configuration(parts.database, configuration_entry(current.settings, parts.clock()))
        await carry_on(services.operations, runner, parts.workflows)
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
            freeze_notices.sweep,
            housekeeping.sweep,
            gone_rooms.sweep,
            *notes,
            alarms.sweep,
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


def _services(
    parts: Parts,
    people: People,
    chats: Mapping[Platform, Chat],
    coming: Callable[[], tuple[tuple[str, datetime], ...]],
    messages: MessageService,
    forwarder: AuditForwarder,
) -> Services:
    """What commands work with."""
    settings, declarations, current = parts.settings, parts.declarations, parts.current
    operations = OperationRepository(parts.database, declarations.registry, parts.meter)
    context = SubjectContext(
        settings,
        parts.clouds,
        operations,
        parts.database,
        people,
        parts.clock,
        Polling(sleep=parts.sleep),
        chat_tokens={
            chat.platform: partial(chat.token, settings.optional(chat.table), str(settings.state_dir))
            for chat in declarations.enabled_chats(settings)
            if chat.token is not None
        },
        uptime=parts.uptime,
        current=current,
    )
    subjects = SubjectServices.build(declarations.registry, context)
    freezes = FreezeGate(
        subjects.get(FreezeServices).store,
        settings.freeze,
        settings.freezes.go_on,
        declarations.registry,
        people,
        FreezeWords(people, settings.zone),
        parts.clock,
        emergencies_pass=settings.emergency.in_freeze,
    )
    return Services(
        current=current,
        people=people,
        operations=operations,
        ended=EndedOperations(parts.database, declarations.registry),
        approvals=ApprovalService(operations, people, parts.clock),
        locks=LockStore(parts.database, parts.clock),
        freezes=freezes,
        standing=StandingCards(parts.database, chats, messages),
        step_ups=StepUps(
            StepUpStore(parts.database),
            {each.id: each.totp_secret for each in settings.person if each.totp_secret is not None},
            settings.step_up,
            parts.clock,
        ),
        cards=CardContext(
            people,
            settings.commands.prefix,
            settings.zone,
            _policies(current).mentioned,
            frozen=freezes.in_short,
        ),
        clock=parts.clock,
        chats=chats,
        clouds=parts.clouds,
        clouds_in_words=declarations.clouds_in_words(settings),
        subjects=subjects,
        started_at=parts.clock(),
        upcoming=coming,
        backlog=messages.backlog,
        problems=ProblemStore(parts.database),
        replicas=lambda: parts.membership.facts,
        problem_view=ProblemView(people, settings.commands.prefix, settings.zone, settings.problems.owner),
        audit_sinks=forwarder.names,
        audit_troubles=lambda: forwarder.troubles,
    )


async def _note_answer(store: ScheduleStore, request: LineRequest, response: Response) -> None:
    """Keep what became of a schedule's line."""
    if response.left_out:
        await store.left_out(request.event_key, response.left_out)
    else:
        await store.answered(request.event_key, response.in_short, response.operation_id)


def _policies(current: CurrentSettings) -> Policies:
    """Who must agree, by the configuration that counts at each use."""
    return Policies(
        LiveMapping(lambda: current.settings.policy), LiveMapping(lambda: current.settings.environment)
    )


def _room(address: str) -> Room | None:
    """A room of the configuration; None where none is named."""
    if not address:
        return None
    platform, name = split_address(address)
    return Room(platform=Platform(platform), id=name)


async def _heard_elsewhere(parts: Parts, platform: Platform, event_id: str) -> bool:
    """Whether another replica takes an event in within a moment."""
    if parts.intake is None:
        return False
    polling = Polling(ELSEWHERE_LOOKS, ELSEWHERE_PAUSE, parts.sleep)
    key, intake = workflow_id(platform, event_id), parts.intake
    return await polling.until(lambda: intake.knows(key), bool)


def _chat_context(
    parts: Parts,
    platform: Platform,
    people: People,
    services: Callable[[], Services],
    messages: Callable[[], MessageService],
    gone_rooms: Callable[[], GoneRooms],
) -> ChatContext[Any]:
    def answers() -> None:
        messages().answers(platform)
        gone_rooms().ask_all(platform)

    def forms(account: str) -> Mapping[str, CommandForm]:
        person = people.by_account(platform, account)
        if person is None:
            return {}
        declared = (form for subject in parts.declarations.registry.subjects for form in subject.forms)
        return {form.shortcut.name: form.make(services(), person) for form in declared}

    def room_changed(id_: str) -> None:
        room = Room(platform=platform, id=id_)
        gone_rooms().ask(room)
        if parts.notices is not None and not parts.membership.works:
            parts.notices.tell_soon(ROOM_CHANGED, room.model_dump(mode="json"))

    async def relay(content: Json) -> None:
        if parts.notices is not None:
            await parts.notices.tell(platform, content)

    callbacks = HostCallbacks(
        knows=lambda account: people.by_account(platform, account) is not None,
        home=lambda account: home(services(), platform, account),
        forms=forms,
        idle=parts.workflows.idle,
        quiet=parts.workflows.quiet,
        groups=people.groups(platform),
        set_group_members=partial(people.set_group_members, platform),
        max_age=parts.settings.commands.max_age.total_seconds(),
        works=lambda: parts.membership.works,
        heard_elsewhere=partial(_heard_elsewhere, parts, platform),
        answers=answers,
        room_changed=room_changed,
        relay=relay,
        codes=WindowCodes(services),
    )
    return ChatContext(
        settings=getattr(parts.settings, platform),
        state_dir=str(parts.settings.state_dir),
        store=ChatMemory(parts.database, platform),
        clock=parts.clock,
        callbacks=callbacks,
        sleep=parts.sleep,
        http=parts.http,
        own_store=ChatMemory(parts.database, platform, parts.replica),
        fence=parts.membership.fence,
        replica=parts.replica,
    )
