"""One replica among others: keeps a lease while it leads, and watches the leader's while it follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from slipway.bot.core.errors import StateError
from slipway.bot.core.waiting import Backoff, Sleep
from slipway.bot.replicas import lease, session
from slipway.bot.replicas.fence import Elapsed, LeaseFence, Standing, system_elapsed
from slipway.bot.replicas.membership import Ending
from slipway.bot.replicas.model import (
    SILENT_AFTER,
    Lease,
    LeaseTiming,
    Peer,
    ReplicaFacts,
    ReplicaIdentity,
)

if TYPE_CHECKING:
    from psycopg import AsyncConnection

PEERS_EVERY = 5
"""So many looks pass between two at all replicas."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Replica:
    """Fulfils :class:`slipway.bot.replicas.membership.Membership` on PostgreSQL.

    Args:
        me: this replica.
        parameters: of libpq: how the database is reached.
        fence: is told what becomes of the lease; without one, one of its own.
        timing: how long it holds.
        elapsed: tells how much time has passed.
        sleep: lets time pass.
    """

    def __init__(
        self,
        me: ReplicaIdentity,
        parameters: Mapping[str, Any],
        *,
        fence: LeaseFence | None = None,
        timing: LeaseTiming | None = None,
        elapsed: Elapsed = system_elapsed,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._me = me
        self._parameters = parameters
        self._timing = timing or LeaseTiming()
        self._elapsed = elapsed
        self._sleep = sleep
        self.fence = fence if fence is not None else LeaseFence(elapsed)
        self._connection: AsyncConnection[Any] | None = None
        self._leads = asyncio.Event()
        self._ending: asyncio.Future[Ending] | None = None
        self._seen: Lease | None = None
        self._seen_at = 0.0  # when the lease was first seen as it is
        self._schema: str | None = None
        self._peers: tuple[Peer, ...] = ()
        self._looks = 0
        self._looked = asyncio.Event()
        self._wants = False
        self._told: tuple[str, ...] = ()
        self.inbox_news = asyncio.Event()
        """Set when a replica put something into the inbox."""
        self.notice_news = asyncio.Event()
        """Set when a replica told something."""

    @property
    def schema(self) -> str | None:
        """The newest migration that was done in the database when it was looked last."""
        return self._schema

    @property
    def schema_is_newer(self) -> bool:
        """Whether a newer version migrated the database: then this one hears, and never leads."""
        return self._schema is not None and self._schema > self._me.schema

    async def join(self) -> bool:
        """Connect, claim this replica's id, and take the lease where nobody holds it."""
        import psycopg

        self._ending = asyncio.get_running_loop().create_future()
        try:
            await self._in_time(self._open(), 2 * session.CONNECT_SECONDS)
            await self._claim_id()
            await self._in_time(self._beat(), session.CONNECT_SECONDS + self._timing.settle)
        except (psycopg.Error, TimeoutError) as error:
            raise StateError(f"The replicas' database cannot be used: {_words(error)}.") from error
        return self.fence.standing is Standing.LEADING

    async def run(self) -> None:
        """Renew the lease, or watch the leader's, until cancelled; over broken connections, too."""
        import psycopg

        backoff = Backoff(first=0.2, longest=self._timing.beat)
        failing = False
        while self.fence.standing is not Standing.LOST:
            try:
                if self._connection is None:
                    await self._in_time(self._open(), session.CONNECT_SECONDS)
                    await self._in_time(self._reclaim_id(), self._timing.patience)
                    # Nobody could renew what this one could not look at: its holder gets all its time again.
                    self._seen_at = self._elapsed()
                    await self._in_time(self._beat(), self._patience)
                await self._wait_for_news()
                await self._in_time(self._beat(), self._patience)
                backoff.reset()
                if failing:
                    log.info("the lease can be looked at again", leads=self.fence.certain)
                failing = False
            except (psycopg.Error, OSError, TimeoutError) as error:
                await self._drop()
                if not failing:
                    log.warning("the lease cannot be looked at", why=_words(error))
                failing = True
                await self._sleep(backoff.next())
        await asyncio.Event().wait()  # whoever waits for the end hears of that by itself

    async def leading(self) -> None:
        """Wait until this replica leads."""
        await self._leads.wait()

    async def ended(self) -> Ending:
        """Wait until the lease is lost, or wanted by a newer version."""
        assert self._ending is not None  # noqa: S101 - for the type checker; it has joined
        return await asyncio.shield(self._ending)

    def want(self) -> None:
        """Have an older leader be asked for the lease, as only this version can migrate the schema."""
        self._wants = True

    async def reconfigured(self, configuration: str) -> None:
        """Another configuration counts here from now on; returns once the others can know, or after a few seconds."""
        self._me = replace(self._me, configuration=configuration)
        self._looks, self._looked = 0, asyncio.Event()
        with suppress(TimeoutError):  # the database is away: they know once it is back
            async with asyncio.timeout(self._timing.beat + self._timing.patience):
                await self._looked.wait()

    async def leave(self) -> None:
        """Give the lease back, if it is held, and leave the list. To be called when :meth:`run` has ended."""
        import psycopg

        epoch, was_lost = self.fence.epoch, self.fence.standing is Standing.LOST
        self.fence.lose()
        await self._drop()
        if was_lost or self._seen is None:  # it has nothing to give back
            return
        try:
            await self._in_time(self._open(), session.CONNECT_SECONDS)
            assert self._connection is not None  # noqa: S101 - for the type checker
            await self._in_time(lease.release(self._connection, self._me, epoch), self._timing.patience)
        except (psycopg.Error, OSError, TimeoutError) as error:
            log.warning("the lease could not be given back, and will run out", why=_words(error))
        finally:
            await self._drop()

    @property
    def works(self) -> bool:
        """Whether this one leads, as far as it knows."""
        return self.fence.standing is Standing.LEADING

    @property
    def facts(self) -> ReplicaFacts:
        """As they were seen last."""
        seen = self._seen
        return ReplicaFacts(
            me=self._me.id,
            leader=seen.holder if seen is not None else "",
            since=seen.since if seen is not None and seen.holder else None,
            peers=self._peers,
            warnings=self._warnings(),
        )

    def _warnings(self) -> tuple[str, ...]:
        found = []
        if self.schema_is_newer:
            found.append(
                f"This replica is an older Slipway ({self._me.version}) than the one that upgraded the database: it "
                "hears, and does not take over. Upgrade it, too."
            )
        present = [each for each in self._peers if each.silent < SILENT_AFTER]
        leader = next((each for each in present if self._seen and each.id == self._seen.holder), None)
        found += [
            f"The replica {each.name} has another configuration than {leader.name}, which leads and whose "
            "configuration counts. Give both the same, and type `slipway reload` on each, or restart it."
            for each in present
            if leader is not None and each.configuration != leader.configuration
        ]
        return tuple(found)

    async def _open(self) -> None:
        name = f"slipway-lease/{self._me.id}"[:63]
        connection = await session.connect(self._parameters, name)
        try:
            await lease.make_tables(connection)
        except BaseException:
            await session.close(connection)
            raise
        self._connection = connection
        self.inbox_news.set()  # nobody was told while there was no connection
        self.notice_news.set()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await session.close(connection)

    async def _claim_id(self) -> None:
        """See that nobody else has this id; whose connection is gone is given time to be noticed as such.

        Raises:
            StateError: somebody has it.
        """
        assert self._connection is not None  # noqa: S101 - for the type checker; it was opened
        began = self._elapsed()
        while not await lease.hold_id(self._connection, self._me.id):
            if self._elapsed() - began > self._timing.ttl:
                where = await lease.holder_of_id(self._connection, self._me.id)
                who = f"process {where[1]} on {where[0]}" if where is not None else "another process"
                raise StateError(
                    f"Another Slipway ({who}) is the replica {self._me.id} of this database already. Give each "
                    "replica a state_dir of its own: a copied one takes the other's id with it."
                )
            await self._sleep(self._timing.beat / 10)

    async def _reclaim_id(self) -> None:
        """After a connection was lost, whose lock the database may still hold for a while: that is no second one."""
        if self._connection is not None:
            await lease.hold_id(self._connection, self._me.id)

    async def _wait_for_news(self) -> None:
        assert self._connection is not None  # noqa: S101 - for the type checker; the caller looked
        heard = await session.news(self._connection, self._timing.beat)
        if lease.INBOX_CHANNEL in heard:
            self.inbox_news.set()
        if lease.NOTICE_CHANNEL in heard:
            self.notice_news.set()

    @property
    def _patience(self) -> float:
        """How many seconds a look may take: one that takes the lease waits for a former leader's connections, too;
        broken off there it would take it once more."""
        leads = self.fence.standing is Standing.LEADING
        return self._timing.patience + (0.0 if leads else self._timing.settle)

    async def _beat(self) -> None:
        """Renew or look, and take the lease where that may be."""
        assert self._connection is not None  # noqa: S101 - for the type checker; the caller looked
        asked_at, me = self._elapsed(), self._me
        if self.fence.standing is Standing.LEADING:
            found = await lease.renew(self._connection, self._me, self.fence.epoch)
            if found is None:
                self._lost()
                return
            self._note(found)
            self.fence.renewed(asked_at + self._timing.ttl - self._timing.margin)
            if found.wanted_by and found.wanted_by != self._me.id:
                self._end(Ending.WANTED)
        else:
            self._note(await lease.look(self._connection, self._me))
            await self._take_if_free()
            await self._ask_for_it()
        if self._looks % PEERS_EVERY == 0:
            self._peers = await lease.peers(self._connection)
            self._schema = await lease.schema_of(self._connection)
            self._tell()
        if me is self._me:  # or else it was changed meanwhile, and the next look is at the others
            self._looked.set()
            self._looks += 1

    def _note(self, found: Lease) -> None:
        if self._seen is None or self._seen.state != found.state:
            self._seen_at = self._elapsed()
        if self._seen is None or self._seen.epoch != found.epoch:
            self._looks = 0  # another leads, or did: who is there, is to be looked at
        self._seen = found

    async def _take_if_free(self) -> None:
        assert self._connection is not None  # noqa: S101 - for the type checker
        seen = self._seen
        assert seen is not None  # noqa: S101
        ours = seen.holder in ("", self._me.id)
        if not ours and self._elapsed() - self._seen_at < self._timing.ttl:
            return
        self._schema = await lease.schema_of(self._connection)
        if self.schema_is_newer:
            return
        asked_at = self._elapsed()
        taken = await lease.take(self._connection, self._me, seen)
        if taken is None:
            return
        self._note(taken)
        if not await lease.end_former(self._connection, taken.epoch, self._timing.settle):
            log.warning("connections of a former leader are still there; each refuses what is written by it")
        self.fence.lead(taken.epoch, asked_at + self._timing.ttl - self._timing.margin)
        log.info("this replica leads", epoch=taken.epoch, before=seen.host)
        self._leads.set()

    async def _ask_for_it(self) -> None:
        seen = self._seen
        assert seen is not None  # noqa: S101 - for the type checker; it has just been looked at
        assert self._connection is not None  # noqa: S101
        older = seen.holder not in ("", self._me.id) and seen.schema < self._me.schema
        if self._wants and older and not seen.wanted_by:
            await lease.want(self._connection, self._me.id, seen.epoch)

    def _lost(self) -> None:
        log.error("another replica leads by now, so this one stops", epoch=self.fence.epoch)
        self.fence.lose()
        self._end(Ending.LOST)

    def _end(self, why: Ending) -> None:
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(why)

    def _tell(self) -> None:
        found = self._warnings()
        for each in found:
            if each not in self._told:
                log.warning("replicas differ", problem=each)
        self._told = found

    async def _in_time(self, work: Awaitable[T], seconds: float) -> T:
        async with asyncio.timeout(seconds):
            return await work


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(". ")
