"""The clock: APScheduler in memory, and the only module that runs it.

It wakes the schedules when the next tick is due, and the housekeeping once a minute. It remembers nothing;
a wake that was missed is no loss, because the next one looks at what is due.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from slipway.bot.core.storage_errors import StorageFailure, storage_failure
from slipway.bot.core.times import Clock

HOUSEKEEPING_EVERY = timedelta(minutes=1)

LONGEST_NAP = timedelta(minutes=5)
"""Even with nothing due the schedules are looked at this often: a machine that was suspended, or whose clock
was set, must not sleep through its ticks."""

AFTER_FAILURE = timedelta(seconds=20)
"""A wake that failed is tried again so soon that its tick still counts as on time."""

STOP_GRACE = timedelta(seconds=5)
"""How long the work at hand gets when the clock is stopped."""

log = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[None]]


class Wakeable(Protocol):
    """What is woken; :class:`slipway.scheduler.schedules.Schedules` is."""

    async def begin(self) -> None:
        """Get ready, before the first wake."""
        ...

    async def wake(self) -> None:
        """Do what is due now."""
        ...

    def next_wake(self) -> datetime | None:
        """When something is due next, later than now; None if nothing ever is."""
        ...


class Together:
    """Several that are woken as one."""

    def __init__(self, *parts: Wakeable) -> None:
        self._parts = parts

    async def begin(self) -> None:
        """Let each get ready."""
        for part in self._parts:
            await part.begin()

    async def wake(self) -> None:
        """Wake each.

        Raises:
            ExceptionGroup: of what went wrong with some of them; the others were woken all the same.
        """
        results = await asyncio.gather(*(part.wake() for part in self._parts), return_exceptions=True)
        failures = [result for result in results if isinstance(result, Exception)]
        if failures:
            raise ExceptionGroup("some of the clock's work failed", failures)

    def next_wake(self) -> datetime | None:
        """When the first of them is due."""
        return min((due for part in self._parts if (due := part.next_wake()) is not None), default=None)


class JobScheduler:
    """Wakes what has to be done at a time.

    Args:
        schedules: what is woken when it is due.
        housekeeping: what is done once a minute.
        clock: the time that the schedules go by.
        storage_failed: hears, in a few words, why something could not be stored, and sees to it that this is told.
        every: how often there is housekeeping.
    """

    def __init__(
        self,
        schedules: Wakeable,
        housekeeping: Work,
        clock: Clock,
        storage_failed: Callable[[StorageFailure], object],
        every: timedelta = HOUSEKEEPING_EVERY,
    ) -> None:
        self._every = every
        self._schedules = schedules
        self._housekeeping = housekeeping
        self._clock = clock
        self._storage_failed = storage_failed
        self._scheduler: Any = None
        self._working: set[asyncio.Task[Any]] = set()
        self._succeeded: float | None = None

    async def start(self) -> None:
        """Catch up on what is due already, and begin to tick."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        await self._schedules.begin()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.start()
        always = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        sweep = self._guarded(self._housekeeping)
        every = self._every.total_seconds()
        self._scheduler.add_job(sweep, "interval", seconds=every, next_run_time=datetime.now(UTC), **always)
        self._scheduler.add_job(
            self._wake,
            _when_due(self._nap),
            id="wake",
            next_run_time=datetime.now(UTC) + LONGEST_NAP,
            **always,
        )
        await self._wake()

    async def _wake(self) -> None:
        woken = await self._guarded(self._schedules.wake)()
        if woken:
            self._succeeded = time.monotonic()
        self._scheduler.modify_job(
            "wake", next_run_time=datetime.now(UTC) + (self._nap() if woken else AFTER_FAILURE)
        )

    async def wake_now(self) -> None:
        """Look at what is due, and at when the next is: what is due may have changed."""
        if self._scheduler is not None:
            await self._wake()

    def since_success(self) -> timedelta | None:
        """How long ago the schedules were woken last without a failure; None where they never were."""
        return None if self._succeeded is None else timedelta(seconds=time.monotonic() - self._succeeded)

    def _nap(self) -> timedelta:
        """How long until the next wake."""
        # A length and not a time: the machine's clock, which APScheduler goes by, is not asked what time it is.
        due = self._schedules.next_wake()
        return LONGEST_NAP if due is None else min(LONGEST_NAP, due - self._clock())

    def _guarded(self, job: Work) -> Callable[[], Awaitable[bool]]:
        """The job without its failures; says whether it went well."""

        async def run() -> bool:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - for the type checker; coroutines run in tasks
            self._working.add(task)
            try:
                await job()
            except Exception as error:  # noqa: BLE001 - a boundary: one failure must not stop the clock
                self._failed(error)
                return False
            else:
                return True
            finally:
                self._working.discard(task)

        return run

    def _failed(self, error: Exception) -> None:
        """Tell of a failure; the next wake tries again. That of a full disk is told by those who watch the disk."""
        failure = storage_failure(error)
        if failure is not None:
            self._storage_failed(failure)
        other = (
            error.split(_of_storage)[1] if isinstance(error, ExceptionGroup) else None if failure else error
        )
        if other is not None:
            log.error("the clock's work failed; it is tried again", exc_info=other)

    async def stop(self, grace: timedelta = STOP_GRACE) -> None:
        """Stop ticking, and give the work at hand ``grace`` to end; on a full disk it would wait for ever.

        What a tick started is a workflow by now, and ends on its own. What is cut off is done by the next start, as
        after a crash.
        """
        if self._scheduler is None:
            return
        self._scheduler.pause()
        if working := tuple(self._working):
            _, left = await asyncio.wait(working, timeout=grace.total_seconds())
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        self._scheduler.shutdown(wait=False)
        self._scheduler = None
        await asyncio.sleep(0)  # APScheduler shuts down in the loop's next round


def _of_storage(error: Exception) -> bool:
    return not isinstance(error, ExceptionGroup) and storage_failure(error) is not None


def _when_due(nap: Callable[[], timedelta]) -> Any:
    """A trigger that asks after each wake how long to wait for the next; the job is never without one."""
    from apscheduler.triggers.base import BaseTrigger

    class WhenDue(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no type information
        def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
            return now + nap()

    return WhenDue()
