"""Schedules: at each tick, their command line goes to the same dispatcher that people use.

The memory of the last look decides what is due, the clock only wakes: a tick is a durable workflow named
after schedule and time, so waking twice, or in two processes, runs it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from slipway.bot.config.settings import ScheduleMode, ScheduleSettings
from slipway.bot.core.measuring.meter import UNMETERED, Meter
from slipway.bot.core.measuring.metrics import LATE_SECONDS
from slipway.bot.core.times import Clock, format_time
from slipway.bot.store.memory import TickMemory
from slipway.bot.subjects.schedules.model import Delay, Fate, LastRun, Pause
from slipway.bot.subjects.schedules.store import ScheduleStore
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.commands.dispatch.dispatcher import Dispatcher
from slipway.commands.dispatch.events import LineRequest, tick_prefix, tick_time
from slipway.scheduler.schedule_notices import ScheduleNotices, room_of
from slipway.scheduler.timetable import ON_TIME, Due, Timetable, Timetables, upcoming

NOTED_EVERY = timedelta(minutes=4)
"""How old the noted last look may become while nothing is due. What was due before it is not owed again, also
when the configuration changes: a new time of day makes nobody late."""

_INSTANT = timedelta(microseconds=1)

OVERDUE = timedelta(minutes=2)
"""What was due so long ago, and was not looked after, stands in the health value."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Owed:
    """What a schedule owes at a moment, until when all was handled before, and the pause that leaves it out."""

    settings: ScheduleSettings
    due: Due
    last: datetime
    pause: Pause | None = None


class Schedules:
    """All schedules of the configuration that are enabled. What several of them owe at once begins in the order of
    its times, and each is answered before the next one looks at anything.

    Args:
        timetables: when they run, by the configuration that counts.
        dispatcher: takes their lines in.
        memory: until when each was looked after.
        store: how that went, and who paused them.
        notices: tells rooms what did not run.
        workflows: knows what began already.
        clock: the present.
        meter: is told how late each line was.
    """

    def __init__(
        self,
        timetables: Timetables,
        *,
        dispatcher: Dispatcher,
        memory: TickMemory,
        store: ScheduleStore,
        notices: ScheduleNotices,
        workflows: WorkflowEngine,
        clock: Clock,
        meter: Meter = UNMETERED,
    ) -> None:
        self._meter = meter
        self._held = timetables
        self._dispatcher = dispatcher
        self._memory = memory
        self._store = store
        self._notices = notices
        self._workflows = workflows
        self._clock = clock
        self._began = clock()
        self._expected: dict[str, datetime] = {}
        self._failing: set[str] = set()

    @property
    def _timetables(self) -> tuple[Timetable, ...]:
        return self._held.enabled

    async def begin(self) -> None:
        """Forget schedules that are gone or disabled, so that they owe nothing if they come back."""
        self._began = self._clock()
        await self.changed()

    async def changed(self) -> None:
        """The same after a reload, at which others may be gone."""
        await self._memory.keep_only(tuple(each.settings.name for each in self._timetables))
        await self._store.keep_only(self._held.names)
        self._expected = {name: at for name, at in self._expected.items() if name in self._held.names}

    async def wake(self) -> None:
        """Run or report everything that is due now.

        Raises:
            ExceptionGroup: of what went wrong with some schedules; the others were looked after all the same.
        """
        now = self._clock()
        pauses = await self._pauses(now)
        looks = await asyncio.gather(
            *(self._look(each, pauses.get(each.settings.name), now) for each in self._timetables),
            return_exceptions=True,
        )
        failures: dict[str, Exception] = {}
        owed: list[_Owed] = []
        for timetable, look in zip(self._timetables, looks, strict=True):
            if isinstance(look, Exception):
                failures[timetable.settings.name] = look
            elif isinstance(look, _Owed):
                owed.append(look)
        before = ""  # the key of the run that is answered before the next one
        for each in sorted(
            owed, key=lambda each: each.due.newest or now
        ):  # those of one time as they are written
            try:
                before = await self._settle(each, now, before) or before
            except Exception as error:  # noqa: BLE001 - told together, when the others are done
                failures[each.settings.name] = error
        await self._store.runs()
        self._failing = set(failures)
        self._expect(now)
        if failures:
            raise ExceptionGroup("some schedules could not be looked after", tuple(failures.values()))

    async def _pauses(self, now: datetime) -> Mapping[str, Pause]:
        """The pauses, by the clock as it goes now."""
        pauses = await self._store.pauses()
        moved = [changed for each in pauses.values() if (changed := each.by_todays_clock(now)) is not each]
        for each in moved:
            log.warning("a pause was placed by a clock that was ahead", schedule=each.schedule)
            await self._store.pause(each)
        return await self._store.pauses() if moved else pauses

    def next_wake(self) -> datetime | None:
        """When the next tick is due, or a pause is over; None where nothing ever is."""
        now = self._clock()
        ends = (each.until for each in self._store.known_pauses.values() if each.until is not None)
        times = [moment for _, moment in upcoming(self._timetables, now)]
        return min((*times, *(end for end in ends if end > now)), default=None)

    def warnings(self) -> Iterator[str]:
        """What did not run when it was due, a sentence each, for the health value."""
        now = self._clock()
        for timetable in self._timetables:
            name, zone = timetable.settings.name, timetable.settings.zone
            expected = self._expected.get(name)
            if expected is not None and now - expected > OVERDUE:
                yield f"The schedule {name} was due at {format_time(expected, zone)}, and did not run yet."
            run = self._store.known_runs.get(name)
            if run is not None and (trouble := run.trouble(now, paused=name in self._store.known_pauses)):
                yield f"{trouble} Due at {format_time(run.due, zone)}. {run.why}".rstrip()

    def _expect(self, now: datetime) -> None:
        """Note what comes next of all that was looked after."""
        for timetable in self._timetables:
            if timetable.settings.name not in self._failing and (moment := timetable.next(now)) is not None:
                self._expected[timetable.settings.name] = moment

    async def _look(self, timetable: Timetable, pause: Pause | None, now: datetime) -> _Owed | None:
        """What a schedule owes now; None where its clock begins, or was set back."""
        name = timetable.settings.name
        last = await self._memory.last(name)
        if last is None:  # a new schedule owes nothing for the time before it was known
            await self._memory.remember(name, now)
            return None
        if now < last:
            # The machine's clock was ahead. Waiting until it has caught up could take years; a tick that ran
            # too early does not run again at its time, because its workflow's id is taken.
            if last - now > ON_TIME:
                log.warning("the clock was set back", schedule=name, to=now.isoformat())
            await self._memory.set_back(name, now)
            return None
        if pause is not None and pause.holds(now):
            return _Owed(timetable.settings, timetable.due(last, now), last, pause)
        if pause is not None and pause.until is not None and last < pause.until:
            # Nobody was there when it ended; what is due at that very moment is not left out.
            before = pause.until - _INSTANT
            left_out = _Owed(timetable.settings, timetable.due(last, before), last, pause)
            await self._settle(left_out, before, "")
            await self._memory.remember(name, before)
            last = before
        due = timetable.due(last, now)
        if due.skipped:  # as it seems
            due = timetable.due(await self._handled(name, last, now), now)
        if pause is not None:  # it is over
            await self._notices.pause_is_over(timetable.settings, pause, due.run, timetable.next(now))
        return _Owed(timetable.settings, due, last)

    async def _settle(self, owed: _Owed, now: datetime, before: str) -> str:
        """Begin what is to run, behind ``before``, and report what is skipped; the key of what runs, if anything."""
        settings, due, key = owed.settings, owed.due, ""
        if owed.pause is not None:
            if due.newest is not None:
                await self._store.note(LastRun(settings.name, due.newest, now, Fate.PAUSED))
        else:
            if due.newest_skipped is not None:
                await self._skip(settings, due, now)
            if due.run is not None:
                key = await self._run(settings, due.run, now, before)
        if due.newest is not None or now - owed.last >= NOTED_EVERY:
            await self._memory.remember(settings.name, now)
        return key

    async def _run(self, settings: ScheduleSettings, at: datetime, now: datetime, before: str) -> str:
        line = _line(settings, at, before)
        delay = self._delay(settings.name, at) if now - at > ON_TIME else Delay.NONE
        self._meter.observe(LATE_SECONDS, max(0.0, (now - at).total_seconds()), settings.name)
        log.info("schedule ticks", late=delay.value or "no", schedule=settings.name, at=at.isoformat())
        if not await self._workflows.knows(
            line.event_key
        ):  # a process died before it noted until when it looked
            await self._store.note(LastRun(settings.name, at, now, Fate.RAN, delay, key=line.event_key))
        await self._dispatcher.accept_line(line)
        return line.event_key

    async def _skip(self, settings: ScheduleSettings, due: Due, now: datetime) -> None:
        assert due.newest_skipped is not None  # noqa: S101 - for the type checker; the caller looked
        delay = self._delay(settings.name, due.newest_skipped)
        run = LastRun(settings.name, due.newest_skipped, now, Fate.SKIPPED, delay, due.skipped)
        await self._store.note(run)
        await self._notices.skipped(settings, run)

    def _delay(self, schedule: str, due: datetime) -> Delay:
        """Why something was not looked after when it was due."""
        if due < self._began:
            return Delay.DOWN
        return Delay.FAILING if schedule in self._failing else Delay.BUSY

    async def _handled(self, schedule: str, last: datetime, now: datetime) -> datetime:
        """Until when everything is handled: a process may have died after it began something, and before it noted
        that. What began goes on by itself, and is neither skipped nor reported twice."""
        times = [last]
        if (key := await self._workflows.newest(tick_prefix(schedule))) is not None:
            times.append(tick_time(schedule, key))
        if (reported := await self._notices.newest_skipped(schedule)) is not None:
            times.append(reported)
        return max(each for each in times if each <= now)


def _line(settings: ScheduleSettings, at: datetime, after: str) -> LineRequest:
    """What a schedule asks for at one of its times."""
    return LineRequest.of_schedule(
        settings.name,
        at,
        room_of(settings),
        settings.command,
        quiet=settings.quiet,
        dry_run=settings.mode is ScheduleMode.REPORT,
        after=after,
    )
