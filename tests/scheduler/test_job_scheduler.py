"""The clock itself, on the real APScheduler: it wakes when something is due, and nothing stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from slipway.bot.core.storage_errors import StorageFailure
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.store.database import DATABASE, Database
from slipway.bot.store.installation import Installation
from slipway.scheduler import job_scheduler
from slipway.scheduler.job_scheduler import HOUSEKEEPING_EVERY, JobScheduler
from slipway.scheduler.upkeep import Upkeep

SOON = timedelta(milliseconds=30)
NEVER = timedelta(days=365)


class RecordedSchedules:
    """Schedules whose next tick is always so long from now, and what they met."""

    def __init__(self, clock: Clock, wait: timedelta = SOON) -> None:
        self._clock = clock
        self.wait = wait
        self.failures: list[Exception] = []  # raised by the next wakes, in order
        self.sweep_failure: Exception | None = OSError("something else")
        self.hold: asyncio.Event | None = None  # a wake that began waits for this
        self.began, self.wakes, self.swept = 0, 0, 0
        self._news = asyncio.Condition()

    async def begin(self) -> None:
        assert self.wakes == 0

    async def wake(self) -> None:
        async with self._news:
            self.began += 1
            self._news.notify_all()
        if self.hold is not None:
            await self.hold.wait()
        async with self._news:
            self.wakes += 1
            self._news.notify_all()
        if self.failures:
            raise self.failures.pop(0)

    def next_wake(self) -> datetime | None:
        return None if self.wait is NEVER else self._clock() + self.wait

    async def sweep(self) -> None:
        async with self._news:
            self.swept += 1
            self._news.notify_all()
        if self.sweep_failure is not None:
            raise self.sweep_failure

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(condition)


@asynccontextmanager
async def ticking(
    schedules: RecordedSchedules,
    clock: Clock = system_clock,
    storage_failed: Callable[[StorageFailure], object] = lambda _: None,
    every: timedelta = HOUSEKEEPING_EVERY,
) -> AsyncIterator[JobScheduler]:
    work = JobScheduler(schedules, schedules.sweep, clock, storage_failed, every)
    await work.start()
    try:
        yield work
    finally:
        await work.stop()


async def test_it_wakes_at_the_start_and_whenever_something_is_due() -> None:
    schedules = RecordedSchedules(system_clock)
    async with ticking(schedules):
        assert schedules.wakes == 1
        await schedules.until(lambda: schedules.wakes >= 4)


async def test_it_goes_by_the_clock_it_was_given() -> None:
    def long_ago() -> datetime:
        return datetime(1999, 12, 31, 23, 59, tzinfo=UTC)

    schedules = RecordedSchedules(long_ago, wait=timedelta(hours=1))
    async with ticking(schedules, long_ago):
        assert schedules.wakes == 1  # an hour is an hour, though the machine's clock shows another year
        await schedules.until(lambda: schedules.swept >= 1)
        assert schedules.began == 1
    schedules = RecordedSchedules(long_ago)
    async with ticking(schedules, long_ago):
        await schedules.until(lambda: schedules.wakes >= 3)


async def test_a_failing_wake_is_tried_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_scheduler, "AFTER_FAILURE", SOON)
    schedules = RecordedSchedules(system_clock, wait=NEVER)
    schedules.failures = [OSError("something else"), ExceptionGroup("both", [OSError()])]
    with structlog.testing.capture_logs() as logs:
        async with ticking(schedules):
            await schedules.until(lambda: schedules.wakes >= 3)
    failures = [each for each in logs if "tried again" in each["event"] and each["log_level"] == "error"]
    assert len(failures) >= 2


async def test_a_host_that_was_suspended_looks_again_though_nothing_was_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_scheduler, "LONGEST_NAP", SOON)
    for wait in (NEVER, timedelta(days=7)):
        schedules = RecordedSchedules(system_clock, wait=wait)
        async with ticking(schedules):
            await schedules.until(lambda schedules=schedules: schedules.wakes >= 3)  # type: ignore[misc]


async def test_housekeeping_runs_at_once_and_again_though_it_fails() -> None:
    schedules = RecordedSchedules(system_clock, wait=NEVER)
    async with ticking(schedules, every=SOON):
        await schedules.until(lambda: schedules.swept >= 3)


async def test_a_full_disk_is_left_to_those_who_watch_it_and_other_failures_are_logged(
    tmp_path: Path,
) -> None:
    database = Database(tmp_path / DATABASE)
    await database.open()
    (tmp_path / "workflows.db").touch()
    (tmp_path / "workflows.db-wal").mkdir()  # a file of this name cannot be made, as where no space is left
    upkeep = Upkeep(Installation(tmp_path, database).note)
    told: list[StorageFailure] = []
    try:
        with pytest.raises(ExceptionGroup) as full:
            await upkeep.sweep()
    finally:
        await database.close()
    both = ExceptionGroup("both", [*full.value.exceptions, ValueError("odd")])
    with structlog.testing.capture_logs() as logs:
        for failure in (full.value, both):
            schedules = RecordedSchedules(system_clock, wait=NEVER)
            schedules.sweep_failure = failure
            async with ticking(schedules, storage_failed=told.append):
                await schedules.until(lambda schedules=schedules: schedules.swept >= 1)  # type: ignore[misc]
    assert told == [StorageFailure("the disk does not read or write")] * 2
    (logged,) = (each for each in logs if "exc_info" in each)
    assert [str(error) for error in logged["exc_info"].exceptions] == ["odd"]


async def test_a_wake_that_takes_long_is_not_overtaken_and_ends_before_the_stop() -> None:
    schedules = RecordedSchedules(system_clock)
    async with ticking(schedules) as work:
        schedules.hold = asyncio.Event()
        before = schedules.wakes
        await schedules.until(lambda: schedules.began > before)
        stopping = asyncio.create_task(work.stop())
        await asyncio.wait({stopping}, timeout=3 * SOON.total_seconds())
        assert not stopping.done()
        assert (schedules.began, schedules.wakes) == (before + 1, before)
        schedules.hold.set()
        await stopping
        assert schedules.wakes == before + 1
        await work.stop()  # a second one finds nothing to do


async def test_work_that_waits_for_a_full_disk_does_not_keep_it_from_stopping() -> None:
    schedules = RecordedSchedules(system_clock)
    async with ticking(schedules) as work:
        schedules.hold = asyncio.Event()  # never set
        before = schedules.wakes
        await schedules.until(lambda: schedules.began > before)
        async with asyncio.timeout(60):
            await work.stop(timedelta(0))
        assert schedules.wakes == before


async def test_it_can_be_stopped_before_it_began() -> None:
    schedules = RecordedSchedules(system_clock)
    await JobScheduler(schedules, schedules.sweep, system_clock, lambda _: None).stop()
    assert schedules.began == 0
