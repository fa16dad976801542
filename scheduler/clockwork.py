"""The clock: APScheduler in memory, and the only module that runs it.

It wakes the schedules when the next tick is due, and the housekeeping once a minute. It remembers nothing;
a wake that was missed is no loss, because the next one looks at what is due.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from scheduler.schedules import Schedules

HOUSEKEEPING_EVERY = timedelta(minutes=1)

LONGEST_NAP = timedelta(minutes=5)
"""Even with nothing due the schedules are looked at this often: a machine that was suspended, or whose clock
was set, must not sleep through its ticks."""

log = structlog.get_logger(__name__)


class Clockwork:
    """Wakes what has to be done at a time."""

    def __init__(self, schedules: Schedules, housekeeping: Callable[[], Awaitable[None]]) -> None:
        self._schedules = schedules
        self._housekeeping = housekeeping
        self._scheduler: Any = None

    async def start(self) -> None:
        """Catch up on what is due already, and begin to tick."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.start()
        self._scheduler.add_job(
            self._guarded(self._housekeeping),
            "interval",
            seconds=HOUSEKEEPING_EVERY.total_seconds(),
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        await self._guarded(self._schedules.wake)()
        self._plan_wake()

    async def _wake(self) -> None:
        try:
            await self._guarded(self._schedules.wake)()
        finally:
            self._plan_wake()

    def _plan_wake(self) -> None:
        at = datetime.now(UTC) + LONGEST_NAP
        due = self._schedules.next_wake()
        self._scheduler.add_job(
            self._wake,
            "date",
            run_date=min(at, due) if due else at,
            id="wake",
            replace_existing=True,
            misfire_grace_time=None,
        )

    def _guarded(self, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            try:
                await job()
            except Exception:
                # A boundary: one failure (a full disk, say) must not stop the clock; the next wake tries again.
                log.exception("the clock's work failed; it is tried again")

        return run

    async def stop(self) -> None:
        """Stop ticking. What a tick started is a workflow by now, and ends on its own."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
