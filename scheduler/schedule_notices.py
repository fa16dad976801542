"""What rooms are told of schedules: runs that were skipped, and pauses that are over. Each once, by its key."""

from __future__ import annotations

from datetime import datetime

from slipway.bot.chat.model import Card, Room, Tone
from slipway.bot.config.settings import ScheduleSettings, split_address
from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock, format_time
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.audit import AuditEntry, AuditKey
from slipway.bot.people import People
from slipway.bot.subjects.schedules.model import Delay, LastRun, Pause
from slipway.bot.subjects.schedules.store import ScheduleStore
from slipway.bot.workflows.bodies import Payload
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.scheduler.timetable import MOST_COUNTED

SKIPPED_WORKFLOW = "skipped"

PAUSE_OVER_WORKFLOW = "pause-over"


class ScheduleNotices:
    """Tells them.

    Args:
        prefix: what commands begin with.
        people: how whoever paused a schedule is called.
        store: where pauses are.
        messages: says it.
        workflows: sees to it that it is said, once.
        clock: the present.
    """

    def __init__(
        self,
        *,
        prefix: str,
        people: People,
        store: ScheduleStore,
        messages: MessageService,
        workflows: WorkflowEngine,
        clock: Clock,
    ) -> None:
        self._prefix = prefix
        self._people = people
        self._store = store
        self._messages = messages
        self._workflows = workflows
        self._clock = clock
        workflows.register(SKIPPED_WORKFLOW, self._say_skipped)
        workflows.register(PAUSE_OVER_WORKFLOW, self._end_pause)

    async def skipped(self, settings: ScheduleSettings, run: LastRun) -> None:
        """Tell what did not run."""
        key = f"{_skipped_prefix(settings.name)}{run.due.isoformat()}"
        payload: Payload = {
            "key": key,
            "schedule": settings.name,
            "room": settings.room,
            "count": run.count,
            "newest": format_time(run.due, settings.zone),
            "command": f"{self._prefix}schedule run {settings.name}",
            "why": run.delay.words,
        }
        await self._workflows.start(SKIPPED_WORKFLOW, key, payload)

    async def newest_skipped(self, schedule: str) -> datetime | None:
        """The newest time of a schedule that was ever reported as skipped."""
        prefix = _skipped_prefix(schedule)
        key = await self._workflows.newest(prefix)
        return datetime.fromisoformat(key.removeprefix(prefix)) if key is not None else None

    async def pause_is_over(
        self,
        settings: ScheduleSettings,
        pause: Pause,
        run: datetime | None,
        next_at: datetime | None,
    ) -> None:
        """Take a pause away that has ended by itself, note that in the audit trail, and tell the schedule's room;
        ``run`` is what came due since then and runs now."""
        key = f"{PAUSE_OVER_WORKFLOW}:{pause.key}"
        coming = f"It runs next at {format_time(next_at, settings.zone)}." if next_at else ""
        if run is not None:
            coming = f"It runs now, as was due at {format_time(run, settings.zone)}, after the pause."
        payload: Payload = {"key": key, "schedule": settings.name, "room": settings.room, "next": coming}
        await self._workflows.start(PAUSE_OVER_WORKFLOW, key, payload)

    async def _say_skipped(self, payload: Payload) -> None:
        count = int(str(payload["count"]))
        many = f"{count} or more" if count >= MOST_COUNTED else str(count)
        times = "run was" if count == 1 else "runs were"
        why = payload.get("why") or Delay.DOWN.words  # the version before knew no other
        card = Card(
            tone=Tone.WARNING,
            title=f"{many} {times} skipped: {payload['schedule']}",
            text=f"{why} The newest was due at {payload['newest']}.",
            notes=(f"To run it now: `{payload['command']}`",),
        )
        await self._say(payload, card)

    async def _end_pause(self, payload: Payload) -> None:
        schedule = str(payload["schedule"])

        async def end() -> Json:
            pause = (await self._store.pauses()).get(schedule)
            if pause is None or f"{PAUSE_OVER_WORKFLOW}:{pause.key}" != payload["key"]:
                return None  # somebody resumed it meanwhile, or paused it anew
            await self._store.end(
                pause,
                AuditEntry(
                    key=AuditKey.of_pause_end(pause.key),
                    at=self._clock(),
                    actor="slipway",
                    action="pause over",
                    detail=(("schedule", schedule), ("paused by", pause.person), ("reason", pause.reason)),
                ),
            )
            return {"by": self._people.name(pause.person), "reason": pause.reason}

        ended = await self._workflows.step("end", end)
        if isinstance(ended, dict):
            card = Card(
                title=f"{schedule} runs again",
                text=f"The pause by {ended['by']} is over: {ended['reason']}",
                notes=(str(payload["next"]), "What was left out is not made up for."),
            )
            await self._say(payload, card)

    async def _say(self, payload: Payload, card: Card) -> None:
        where = _room(str(payload["room"]))

        async def say() -> Json:
            return await self._messages.say(where, card, key=str(payload["key"]), lifetime=Lifetime.REPORT)

        await self._workflows.step("say", say)


def room_of(settings: ScheduleSettings) -> Room:
    """Where a schedule posts."""
    return _room(settings.room)


def _room(address: str) -> Room:
    platform, room = split_address(address)
    return Room(platform=platform, id=room)


def _skipped_prefix(schedule: str) -> str:
    """What the ids begin with of workflows that report what a schedule skipped; the time of the newest follows."""
    return f"{SKIPPED_WORKFLOW}:{schedule}:"
