"""What is made of copies in regions when the bot starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.operations.declarations import SubjectContext
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.evidence.services import EvidenceServices
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.holds.model import HoldReader
from slipway.bot.subjects.images.replication.debts import Debts
from slipway.bot.subjects.images.replication.settings import REPLICATION, ReplicationSettings

if TYPE_CHECKING:  # with a database: not for `slipway check`
    from slipway.bot.subjects.images.replication.executors import (
        AwaitCopiesExecutor,
        BakeExecutor,
        LeaveRegionsExecutor,
        ReplicateVersionExecutor,
    )
    from slipway.bot.subjects.images.replication.planning import MakePlanner, ReachPlanner
    from slipway.bot.subjects.images.replication.retrying import RetryPlanner
    from slipway.bot.subjects.images.replication.waits import WaitStore
    from slipway.bot.subjects.images.replication.watch import DebtWatch


@dataclass(frozen=True)
class ReplicationServices:
    """What planners, executors and commands about copies are given.

    Attributes:
        context: what the subject's services are built of.
        tables: ``[replication."PATTERN"]``, in the order of slipway.toml.
        waits: when steps that last began.
        catalogue: reads the galleries.
        debts: what is owed in regions, and how it stands.
        watch: sees to that by itself.
        name: what to call a person by their id.
    """

    context: SubjectContext
    tables: Mapping[str, ReplicationSettings]
    waits: WaitStore
    catalogue: Catalogue
    debts: Debts
    watch: DebtWatch
    name: Callable[[str], str]

    def retrying(self, history: RollbackHistory) -> RetryPlanner:
        """The planner of what sees to what is owed."""
        from slipway.bot.subjects.images.replication.retrying import RetryPlanner

        prefix = self.context.settings.commands.prefix
        return RetryPlanner(self.catalogue, self.debts, self.context.operations, history, prefix, self.name)

    def planner(self, make: MakePlanner, catalogue: Catalogue) -> ReachPlanner:
        """The planner of promotions that reach their regions first."""
        from slipway.bot.subjects.images.replication.planning import ReachPlanner

        return ReachPlanner(make, catalogue, self.tables)

    def replicating(self) -> ReplicateVersionExecutor:
        """What has copies made."""
        from slipway.bot.subjects.images.replication.executors import Copier, ReplicateVersionExecutor

        return ReplicateVersionExecutor(Copier(self.context.clouds))

    def leaving(self) -> LeaveRegionsExecutor:
        """What takes versions off regions."""
        from slipway.bot.subjects.images.replication.executors import Copier, LeaveRegionsExecutor

        return LeaveRegionsExecutor(Copier(self.context.clouds), self.context.polling)

    def awaiting(self) -> AwaitCopiesExecutor:
        """What waits for copies."""
        from slipway.bot.subjects.images.replication.executors import AwaitCopiesExecutor, Copier

        return AwaitCopiesExecutor(Copier(self.context.clouds), self.waits, self.context.clock)

    def baking(self) -> BakeExecutor:
        """What waits after a wave."""
        from slipway.bot.subjects.images.replication.executors import BakeExecutor

        return BakeExecutor(self.waits, self.context.clock)


def replication_services(
    context: SubjectContext, catalogue: Catalogue, evidence: EvidenceServices, holds: HoldReader
) -> ReplicationServices:
    """Build them."""
    from slipway.bot.chat.model import SERVICE, Platform, Room
    from slipway.bot.config.settings import split_address
    from slipway.bot.store.memory import ChatMemory
    from slipway.bot.subjects.images.replication.waits import WaitStore
    from slipway.bot.subjects.images.replication.watch import DebtWatch

    settings, tables = context.settings, context.settings.named(REPLICATION)
    debts = Debts(catalogue, tables, context.operations, evidence=evidence, holds=holds, clock=context.clock)
    room = None
    if settings.commands.room:
        platform, name = split_address(settings.commands.room)
        room = Room(platform=Platform(platform), id=name)
    watch = DebtWatch(
        debts,
        ChatMemory(context.database, SERVICE),
        clock=context.clock,
        room=room,
        prefix=settings.commands.prefix,
        zone=settings.zone,
    )
    return ReplicationServices(
        context=context,
        tables=tables,
        waits=WaitStore(context.database, context.uptime),
        catalogue=catalogue,
        debts=debts,
        watch=watch,
        name=evidence.name,
    )
