"""The one place where everything is put together, started and stopped."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import Accept, AnyEvent, Chat, Platform
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.waiting import Polling, Sleep
from slipway.bot.health import Heartbeat
from slipway.bot.images.services import open_images
from slipway.bot.machines.services import open_machines
from slipway.bot.operations.approval_service import ApprovalService
from slipway.bot.operations.cards import CardContext
from slipway.bot.operations.housekeeping import Housekeeping
from slipway.bot.operations.kinds import Subjects
from slipway.bot.operations.messages import Messages
from slipway.bot.operations.plan_service import PlanService
from slipway.bot.operations.repository import OperationRepository
from slipway.bot.operations.runner import OperationRunner
from slipway.bot.people import People
from slipway.bot.store.database import Database, StateLock
from slipway.bot.store.memory import ChatMemory, TickMemory
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.commands.all import registry
from slipway.commands.dispatch.context import Services
from slipway.commands.dispatch.dispatcher import Dispatcher
from slipway.commands.dispatch.runner import CommandRunner
from slipway.scheduler.job_scheduler import JobScheduler
from slipway.scheduler.schedules import Schedules
from slipway.scheduler.timetable import Timetable, upcoming

DATABASE = "slipway.db"

GRACE = timedelta(seconds=20)
"""How long work under way gets to end on SIGTERM; what takes longer goes on at the next start."""

log = structlog.get_logger(__name__)

MakeChat = Callable[["Wiring"], Chat]
"""Builds a chat adapter once there is a memory to give it."""


@dataclass(frozen=True)
class Wiring:
    """What a chat adapter may need of the house."""

    settings: SlipwaySettings
    people: People
    memory: Callable[[Platform], ChatMemory]
    clock: Clock
    idle: Callable[[], Awaitable[None]]
    services: Callable[[], Services]
    """What commands work with; there once everything is put together."""


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


class App:
    """Slipway, from start to stop.

    Args:
        settings: a checked configuration.
        chats: builders of the chat adapters to use.
        gallery: the image gallery, if one is configured.
        machines: where machines are launched, if it is configured.
        clock: the time.
        until_input_ends: whether the end of the console's input ends the bot.
        grace: how long work under way gets when the bot stops.
        sleep: lets time pass, wherever the bot waits for something that is not an event.
    """

    def __init__(
        self,
        settings: SlipwaySettings,
        *,
        chats: tuple[MakeChat, ...],
        gallery: ImageVersions | None,
        machines: Machines | None,
        clock: Clock = system_clock,
        until_input_ends: bool = False,
        grace: timedelta = GRACE,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._make_chats = chats
        self._gallery = gallery
        self._machines = machines
        self._clock = clock
        self._until_input_ends = until_input_ends
        self._grace = grace
        self._sleep = sleep
        self._closing = False

    async def run(self, stop: asyncio.Event, opened: asyncio.Future[RunningBot] | None = None) -> None:
        """Work until ``stop`` is set (or a chat ends for good), then stop cleanly.

        Raises:
            StateError: the state folder cannot be used.
            ChatError: a chat platform cannot be used, and waiting does not help.
        """
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            stack.enter_context(StateLock(self._settings.state_dir))
            for hand in (self._gallery, self._machines):
                if hand is not None:
                    stack.push_async_callback(hand.close)
            database = Database(self._settings.state_dir / DATABASE)
            stack.push_async_callback(database.close)
            await database.open()
            workflows = WorkflowEngine(self._settings.state_dir)
            house = self._wire(database, workflows)
            for chat in house.chats.values():
                stack.push_async_callback(chat.close)
            stack.push_async_callback(workflows.close, self._grace)
            for chat in house.chats.values():
                await chat.prepare()
            await workflows.launch()
            clockwork = JobScheduler(house.schedules, house.housekeeping.sweep, self._clock)
            await clockwork.start()
            stack.push_async_callback(clockwork.stop)
            if opened is not None:
                opened.set_result(house)
            await self._listen(house, clockwork, stop, began)

    async def _listen(
        self, house: RunningBot, clockwork: JobScheduler, stop: asyncio.Event, began: float
    ) -> None:
        """Let every chat listen until the bot is to stop, or none of them can any more."""
        heartbeat = Heartbeat(self._settings.state_dir, house.chats, self._clock)
        was_ready = False

        async def ready() -> None:
            nonlocal was_ready
            was_ready = True
            log.info("ready", seconds=round(time.monotonic() - began, 2))

        tasks = [
            asyncio.create_task(chat.run(self._while_open(house)), name=f"{platform} chat")
            for platform, chat in house.chats.items()
        ]
        essential = {task for task in tasks if self._until_input_ends or "console" not in task.get_name()}
        essential = essential or set(tasks)
        stopping = asyncio.create_task(stop.wait(), name="stop")
        beating = asyncio.create_task(heartbeat.run(ready), name="heartbeat")
        everything = [*tasks, stopping, beating]
        try:
            while True:
                done, _ = await asyncio.wait(
                    {stopping, beating, *essential}, return_when=asyncio.FIRST_COMPLETED
                )
                essential -= done
                # At the start, a chat that cannot be used is a mistake to mend; later, the others are needed.
                if not (was_ready and essential and all(map(_gave_up, done))):
                    break
                for task in done:
                    everything.remove(task)
                    log.error(
                        "a chat has failed for good, and the others go on",
                        what=task.get_name(),
                        problem=str(task.exception()),
                    )
        finally:
            # First begin nothing new, then let work under way end, with chats still there to say so; only
            # then stop listening.
            self._closing = True
            await clockwork.stop()
            await house.workflows.close(self._grace)
            for task in everything:
                task.cancel()
            results = await asyncio.gather(*everything, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _while_open(self, house: RunningBot) -> Accept:
        async def accept(event: AnyEvent) -> bool:
            if self._closing:  # not taken in, so not acknowledged: the platform gives it to the next start
                await asyncio.Event().wait()
            return await house.dispatcher.accept(event)

        return accept

    def _wire(self, database: Database, workflows: WorkflowEngine) -> RunningBot:
        settings, clock = self._settings, self._clock
        people = People(settings)
        operations = OperationRepository(database)
        view = CardContext(people, settings.commands.prefix, settings.zone)
        memory = partial(ChatMemory, database)
        wiring = Wiring(settings, people, memory, clock, workflows.idle, lambda: services)
        chats = {chat.platform: chat for chat in (make(wiring) for make in self._make_chats)}
        messages = Messages(database, chats, clock, self._sleep)
        clouds = self._clouds()
        polling = Polling(sleep=self._sleep)
        images = open_images(settings.retention, clouds, clock, polling)
        machines = open_machines(settings.profiles, clouds, clock, polling)
        subjects = Subjects.of(images, machines)
        plans = PlanService(subjects, settings.policy, operations, clock)
        approvals = ApprovalService(operations, people, clock)
        running = OperationRunner(
            operations=operations,
            messages=messages,
            plans=plans,
            subjects=subjects,
            workflows=workflows,
            view=view,
            clock=clock,
            sleep=self._sleep,
        )
        timetables = tuple(Timetable(entry) for entry in settings.schedule if entry.enabled)
        services = Services(
            settings=settings,
            people=people,
            operations=operations,
            approvals=approvals,
            view=view,
            clock=clock,
            chats=chats,
            images=images,
            machines=machines,
            started_at=clock(),
            upcoming=lambda: upcoming(timetables, clock()),
        )
        commands = registry()
        command_runner = CommandRunner(services=services, registry=commands, plans=plans, messages=messages)
        dispatcher = Dispatcher(
            services=services,
            names=commands.names,
            command_runner=command_runner,
            running=running,
            messages=messages,
            workflows=workflows,
            sleep=self._sleep,
        )
        housekeeping = Housekeeping(
            operations=operations, approvals=approvals, running=running, workflows=workflows, clock=clock
        )
        schedules = Schedules(
            timetables,
            prefix=settings.commands.prefix,
            dispatcher=dispatcher,
            memory=TickMemory(database),
            messages=messages,
            workflows=workflows,
            clock=clock,
        )
        return RunningBot(dispatcher, schedules, housekeeping, operations, workflows, database, chats)

    def _clouds(self) -> Clouds:
        adapters = []
        if self._gallery is not None:
            adapters.append(Adapter("azure", {IMAGE_VERSIONS: self._gallery}))
        if self._machines is not None:
            adapters.append(Adapter("aws", {MACHINES: self._machines}))
        return Clouds(adapters)


def _gave_up(task: asyncio.Task[Any]) -> bool:
    """Whether this is a chat that cannot be used any more."""
    return not task.cancelled() and isinstance(task.exception(), ChatError)


def matrix_chat(wiring: Wiring) -> Chat:
    """The Matrix adapter, as configured."""
    from slipway.bot.chat.matrix.chat import MatrixChat
    from slipway.bot.chat.matrix.account.account_store import AccountStore
    from slipway.bot.chat.matrix.memory import StoredMatrixMemory

    if wiring.settings.matrix is None:
        raise ValueError("matrix is not configured")
    return MatrixChat(
        wiring.settings.matrix,
        StoredMatrixMemory(wiring.memory(MATRIX)),
        wiring.clock,
        is_known=lambda account: wiring.people.by_account(MATRIX, account) is not None,
        max_age=wiring.settings.commands.max_age,
        store=AccountStore.in_state_dir(wiring.settings.state_dir),
    )


def slack_chat(wiring: Wiring, *, sleep: Sleep = asyncio.sleep) -> Chat:
    """The Slack adapter, as configured."""
    from slipway.bot.chat.declaration import ChatContext, HostCallbacks
    from slipway.bot.chat.slack.declaration import CHAT
    from slipway.commands.general.home import home
    from slipway.commands.machines.forms import launch_command_form

    people = wiring.people
    if wiring.settings.slack is None:
        raise ValueError("slack is not configured")
    callbacks = HostCallbacks(
        knows=lambda account: people.by_account(SLACK, account) is not None,
        home=lambda account: home(wiring.services(), SLACK, account),
        forms=lambda: {form.name: form for form in (launch_command_form(wiring.services()),)},
        idle=wiring.idle,
        groups=people.slack_groups,
        set_group_members=people.learn_groups,
        max_age=wiring.settings.commands.max_age.total_seconds(),
    )
    return CHAT.build(
        ChatContext(
            settings=wiring.settings.slack,
            state_dir=str(wiring.settings.state_dir),
            store=wiring.memory(SLACK),
            clock=wiring.clock,
            callbacks=callbacks,
            sleep=sleep,
        )
    )


def build_clouds(settings: SlipwaySettings) -> tuple[ImageVersions | None, Machines | None]:
    """The clouds that are configured. Their SDKs are loaded at first use."""
    gallery: ImageVersions | None = None
    machines: Machines | None = None
    if settings.azure is not None:
        from slipway.bot.clouds.azure.gallery import AzureGallery

        gallery = AzureGallery(settings.azure, CloudContext("azure", settings.name, os.environ))
    if settings.aws is not None:
        from slipway.bot.clouds.aws.machines import AwsMachines

        machines = AwsMachines(settings.aws, CloudContext("aws", settings.name, os.environ))
    return gallery, machines
