"""Schedules: at each tick, their command line goes to the same dispatcher that people use.

The memory of the last look decides what is due, the clock only wakes: a tick is a durable workflow named
after schedule and time, so waking twice, or in two processes, runs it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from slipway.bot.chat.model import Card, Room, Tone
from slipway.bot.config.settings import ScheduleSettings, split_address
from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock, format_time
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.store.memory import TickMemory
from slipway.bot.workflows.engine import Payload, WorkflowEngine
from slipway.commands.dispatch.dispatcher import Dispatcher
from slipway.commands.dispatch.events import LineRequest, tick_prefix, tick_time
from slipway.scheduler.timetable import MOST_COUNTED, ON_TIME, Timetable, upcoming

SKIPPED_WORKFLOW = "skipped"

NOTED_EVERY = timedelta(minutes=4)
"""How old the noted last look may become while nothing is due. What was due before it is not owed again, also
when the configuration changes: a new time of day makes nobody late."""

log = structlog.get_logger(__name__)


class Schedules:
    """All schedules of the configuration that are enabled."""

    def __init__(
        self,
        timetables: Sequence[Timetable],
        *,
        prefix: str,
        dispatcher: Dispatcher,
        memory: TickMemory,
        messages: MessageService,
        workflows: WorkflowEngine,
        clock: Clock,
    ) -> None:
        self._timetables = tuple(timetables)
        self._prefix = prefix
        self._dispatcher = dispatcher
        self._memory = memory
        self._messages = messages
        self._workflows = workflows
        self._clock = clock
        workflows.register(SKIPPED_WORKFLOW, self._say_skipped)

    async def begin(self) -> None:
        """Forget schedules that are gone or disabled, so that they owe nothing if they come back."""
        await self._memory.keep_only(tuple(each.settings.name for each in self._timetables))

    async def wake(self) -> None:
        """Run or report everything that is due now.

        Raises:
            ExceptionGroup: of what went wrong with some schedules; the others were looked after all the same.
        """
        now = self._clock()
        results = await asyncio.gather(
            *(self._wake(timetable, now) for timetable in self._timetables), return_exceptions=True
        )
        failures = [result for result in results if isinstance(result, Exception)]
        if failures:
            raise ExceptionGroup("some schedules could not be looked after", failures)

    def next_wake(self) -> datetime | None:
        """When the next tick is due; None without schedules."""
        return next((moment for _, moment in upcoming(self._timetables, self._clock())), None)

    async def _wake(self, timetable: Timetable, now: datetime) -> None:
        name = timetable.settings.name
        last = await self._memory.last(name)
        if last is None:  # a new schedule owes nothing for the time before it was known
            await self._memory.remember(name, now)
            return
        if now < last:
            # The machine's clock was ahead. Waiting until it has caught up could take years; a tick that ran
            # too early does not run again at its time, because its workflow's id is taken.
            if last - now > ON_TIME:
                log.warning("the clock was set back", schedule=name, to=now.isoformat())
            await self._memory.set_back(name, now)
            return
        due = timetable.due(last, now)
        if due.skipped:  # as it seems
            due = timetable.due(await self._handled(name, last, now), now)
        if due.newest_skipped is not None:
            await self._skip(timetable.settings, due.skipped, due.newest_skipped)
        if due.run is not None:
            log.info("schedule ticks", schedule=name, at=due.run.isoformat())
            await self._dispatcher.accept_line(_line(timetable.settings, due.run))
        if due.newest is not None or now - last >= NOTED_EVERY:
            await self._memory.remember(name, now)

    async def _handled(self, schedule: str, last: datetime, now: datetime) -> datetime:
        """Until when everything is handled: a process may have died after it began something, and before it noted
        that. What began goes on by itself, and is neither skipped nor reported twice."""
        times = [last]
        if (key := await self._workflows.newest(tick_prefix(schedule))) is not None:
            times.append(tick_time(schedule, key))
        skipped = _skipped_prefix(schedule)
        if (key := await self._workflows.newest(skipped)) is not None:
            times.append(datetime.fromisoformat(key.removeprefix(skipped)))
        return max(each for each in times if each <= now)

    async def _skip(self, settings: ScheduleSettings, count: int, newest: datetime) -> None:
        payload: Payload = {
            "schedule": settings.name,
            "room": settings.room,
            "count": count,
            "newest": format_time(newest, settings.zone),
            "command": f"{self._prefix}{settings.command}",
        }
        key = f"{_skipped_prefix(settings.name)}{newest.isoformat()}"
        await self._workflows.start(SKIPPED_WORKFLOW, key, {"key": key, **payload})

    async def _say_skipped(self, payload: Payload) -> None:
        platform, room = split_address(str(payload["room"]))
        count = int(str(payload["count"]))
        many = f"{count} or more" if count >= MOST_COUNTED else str(count)
        times = "run was" if count == 1 else "runs were"
        card = Card(
            tone=Tone.WARNING,
            title=f"{many} {times} skipped: {payload['schedule']}",
            text=f"Slipway, or its machine, was not running then. The newest was due at {payload['newest']}.",
            notes=(f"To run it now: `{payload['command']}`",),
        )

        async def say() -> Json:
            where = Room(platform=platform, id=room)
            return await self._messages.say(where, card, key=str(payload["key"]), lifetime=Lifetime.REPORT)

        await self._workflows.step("say", say)


def _skipped_prefix(schedule: str) -> str:
    """What the ids begin with of workflows that report what a schedule skipped; the time of the newest follows."""
    return f"{SKIPPED_WORKFLOW}:{schedule}:"


def _line(settings: ScheduleSettings, at: datetime) -> LineRequest:
    """What a schedule asks for at one of its times."""
    platform, room = split_address(settings.room)
    where = Room(platform=platform, id=room)
    return LineRequest.of_schedule(settings.name, at, where, settings.command, quiet=settings.quiet)
