"""What the running bot is put together from, and what comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.bot.chat.declaration import ChatContext
from slipway.bot.chat.model import Chat, Platform
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.current import CurrentSettings
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.http.routes import PublicHttp
from slipway.bot.core.measuring.meter import UNMETERED, Meter
from slipway.bot.core.times import Clock
from slipway.bot.core.uptime import ReadUptime
from slipway.bot.core.waiting import Sleep
from slipway.bot.declared import Declarations
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.gone_rooms import GoneRooms
from slipway.bot.operations.housekeeping import Housekeeping
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.services import Services
from slipway.bot.operations.trail.sinks.forwarder import AuditForwarder
from slipway.bot.people import People
from slipway.bot.replicas.intake import Intake
from slipway.bot.replicas.membership import Membership
from slipway.bot.replicas.notices import Notices
from slipway.bot.store.database import Database
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.commands.dispatch.dispatcher import Dispatcher
from slipway.scheduler.audit_heads import AuditHeads
from slipway.scheduler.problems import Problems
from slipway.scheduler.schedules import Schedules
from slipway.scheduler.upkeep import Upkeep
from slipway.scheduler.watches import Watches


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


@dataclass(frozen=True)
class Base:
    """What most of the rest is put together with."""

    parts: Parts
    people: People
    chats: Mapping[Platform, Chat]
    messages: MessageService
    services: Services
