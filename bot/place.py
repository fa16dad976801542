"""The place of a process: alone on its files, or one of several replicas on a server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import structlog

from slipway.bot.core.concurrency import uninterrupted
from slipway.bot.core.times import Clock
from slipway.bot.replicas.connections import fenced, parameters_of
from slipway.bot.replicas.fence import LeaseFence
from slipway.bot.replicas.inbox import Inbox
from slipway.bot.replicas.intake import ReplicaIntake
from slipway.bot.replicas.membership import Alone, Membership
from slipway.bot.replicas.model import LeaseTiming, ReplicaIdentity
from slipway.bot.replicas.notices import Notices
from slipway.bot.replicas.replica import Replica
from slipway.bot.store.database import HEAD, Database
from slipway.bot.store.postgres import PostgresAccess, PostgresBackend
from slipway.bot.store.storage import Storage
from slipway.bot.store.unrecorded import UnrecordedRuns
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.bot.workflows.stores import PostgresWorkflows
from slipway.bot.working import Shared

SCHEMA_LOOK_SECONDS = 0.5
"""Between two looks whether the leader has migrated the schema."""

log = structlog.get_logger(__name__)


class Place:
    """Where a process hears, and may work.

    Args:
        membership: its place among replicas.
        database: has everything.
        workflows: of this process.
        shared: how what other replicas hear comes to the one that works; None where there are none.
        replica: the id of this one; empty where it is alone.
    """

    def __init__(
        self,
        membership: Membership,
        database: Database,
        workflows: WorkflowEngine,
        shared: Shared | None = None,
        replica: str = "",
    ) -> None:
        self.membership = membership
        self.database = database
        self.workflows = workflows
        self.shared = shared
        self.replica = replica
        self.keeping: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Become one of the replicas. When this returns, the schema is one by which this version can hear; where this
        process leads, it has brought the schema there.

        Raises:
            StateError: the database cannot be used, or another process is this replica already.
        """
        await self.database.revision()  # before anything is written there, which may be another program's
        await self.membership.join()
        self.keeping = asyncio.create_task(self.membership.run(), name="replica")
        if not self.membership.works:
            await self._until_known()
        if self.membership.works:
            await self.open_as_leader()

    async def open_as_leader(self) -> None:
        """Open the database for work, and migrate it where that is needed.

        Raises:
            StateError: it cannot be used.
        """
        await self.database.close()  # what was opened while another one led does not know the lease
        await uninterrupted(self.database.open())

    async def leave(self) -> None:
        """Let go of everything, and let the next one lead."""
        if self.keeping is not None:
            self.keeping.cancel()
            with suppress(asyncio.CancelledError, Exception):  # it has told of what went wrong by itself
                await self.keeping
        await self.membership.leave()
        await self.database.close()

    async def _until_known(self) -> None:
        """Wait until the schema is as new as the one known here, or this process is to bring it there."""
        told = False
        while not self.membership.works:
            found = await self.database.revision()
            if found is not None and found >= HEAD:
                return
            self.membership.want()
            if not told:
                told = True
                log.info("waiting for the schema", found=found, known=HEAD)
            await asyncio.sleep(SCHEMA_LOOK_SECONDS)


def alone(database: Database, workflows: WorkflowEngine) -> Place:
    """The place of a process that has its database for itself."""
    return Place(Alone(), database, workflows)


def among_replicas(
    me: ReplicaIdentity,
    server: PostgresAccess,
    fence: LeaseFence,
    state_dir: Path,
    storage: Storage,
    timing: LeaseTiming | None,
    clock: Clock,
) -> Place:
    """The place of a process on a server, beside others or not.

    Args:
        me: this replica.
        server: where the database is.
        fence: is told what becomes of the lease.
        state_dir: of this replica alone.
        storage: whether anything can be stored.
        timing: how long a lease holds.
        clock: the present.
    """
    access = fenced(server, fence, me.id)
    replica = Replica(me, parameters_of(server), fence=fence, timing=timing)
    database = Database(PostgresBackend(access), storage=storage)
    unrecorded = UnrecordedRuns(database, clock)
    workflows = WorkflowEngine(state_dir, storage, PostgresWorkflows(access), fence, unrecorded)
    inbox = Inbox(database, me.id)
    notices = Notices(database, me.id, replica.notice_news)
    shared = Shared(ReplicaIntake(workflows, inbox, database), inbox, replica.inbox_news, notices)
    return Place(replica, database, workflows, shared, me.id)
