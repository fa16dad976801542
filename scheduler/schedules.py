"""Schedules: at each tick, their command line goes in at the same door that people use.

The memory of the last tick decides what is due, the clock only wakes: a tick is a durable workflow named
after schedule and time, so waking twice, or in two processes, runs it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from bot.chat.model import Card, Room, Tone
from bot.config.settings import ScheduleSettings, parse_address
from bot.model import Json
from bot.operations.durable import Durable, Payload
from bot.operations.messages import Messages
from bot.store.memory import TickMemory
from bot.times import Clock, format_time
from commands.door import Door, Tick
from scheduler.timetable import MOST_COUNTED, Due, Timetable

SKIPPED_WORKFLOW = "skipped"

log = structlog.get_logger(__name__)


class Schedules:
    """All schedules of the configuration."""

    def __init__(
        self,
        settings: Sequence[ScheduleSettings],
        *,
        door: Door,
        memory: TickMemory,
        messages: Messages,
        durable: Durable,
        clock: Clock,
    ) -> None:
        self._timetables = tuple(Timetable(entry) for entry in settings if entry.enabled)
        self._door = door
        self._memory = memory
        self._messages = messages
        self._durable = durable
        self._clock = clock
        durable.register(SKIPPED_WORKFLOW, self._say_skipped)

    async def wake(self) -> None:
        """Run or report everything that is due now."""
        now = self._clock()
        for timetable in self._timetables:
            await self._wake(timetable, now)

    def next_wake(self) -> datetime | None:
        """When the next tick is due; None without schedules."""
        now = self._clock()
        times = [moment for each in self._timetables if (moment := each.next(now)) is not None]
        return min(times, default=None)

    def upcoming(self) -> tuple[tuple[str, datetime], ...]:
        """Each schedule's name and next tick, soonest first."""
        now = self._clock()
        times = [(each.settings.name, moment) for each in self._timetables if (moment := each.next(now))]
        return tuple(sorted(times, key=lambda each: each[1]))

    async def _wake(self, timetable: Timetable, now: datetime) -> None:
        name = timetable.settings.name
        last = await self._memory.last(name)
        if last is None:  # a new schedule owes nothing for the time before it was known
            await self._memory.remember(name, now)
            return
        due = timetable.due(last, now)
        if due.newest is None:
            return
        if due.skipped:
            await self._skip(timetable.settings, due)
        if due.run is not None:
            log.info("schedule ticks", schedule=name, at=due.run.isoformat())
            await self._door.accept_tick(_tick(timetable.settings, due.run))
        await self._memory.remember(name, due.newest)

    async def _skip(self, settings: ScheduleSettings, due: Due) -> None:
        assert due.newest is not None  # noqa: S101 - for the type checker; something was due
        payload: Payload = {
            "schedule": settings.name,
            "room": settings.room,
            "count": due.skipped,
            "newest": format_time(due.newest, settings.zone),
            "command": settings.command,
        }
        key = f"{SKIPPED_WORKFLOW}:{settings.name}:{due.newest.isoformat()}"
        await self._durable.start(SKIPPED_WORKFLOW, key, {"key": key, **payload})

    async def _say_skipped(self, payload: Payload) -> None:
        platform, room = parse_address(str(payload["room"]))
        count = int(str(payload["count"]))
        many = f"{count} or more" if count >= MOST_COUNTED else str(count)
        times = "run was" if count == 1 else "runs were"
        card = Card(
            tone=Tone.WARNING,
            title=f"{many} {times} skipped: {payload['schedule']}",
            text=f"Slipway was not running. The newest was due at {payload['newest']}.",
            notes=(f"To run it now: `{payload['command']}`",),
        )

        async def say() -> Json:
            return await self._messages.say(Room(platform=platform, id=room), card, key=str(payload["key"]))

        await self._durable.step("say", say)


def _tick(settings: ScheduleSettings, at: datetime) -> Tick:
    platform, room = parse_address(settings.room)
    return Tick(
        schedule=settings.name,
        at=at,
        room=Room(platform=platform, id=room),
        text=settings.command,
        quiet=settings.quiet,
    )
