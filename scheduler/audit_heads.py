"""Tells the head of the audit trail at its times: in a room and in a file outside the state folder.

Whoever could write a whole new trail would have to change these, too. The trail is proved before, from the head that
was told last.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from slipway.bot.chat.model import Card, Field, Room, Tone
from slipway.bot.config.settings import AuditSettings, Missed, ScheduleSettings, split_address
from slipway.bot.core.chain import Place
from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.trail.heads import add_head
from slipway.bot.operations.trail.verification import Intact, verify
from slipway.bot.store.database import Database
from slipway.bot.store.installation import InstallationNotes
from slipway.bot.store.memory import TickMemory
from slipway.bot.workflows.bodies import Payload
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.scheduler.timetable import Timetable

WORKFLOW = "audit-head"

TICKS = ":audit-head"
"""What its last look is noted under. No schedule of the configuration can be called so."""

ALWAYS = timedelta(days=36500)
"""However late it is: a head that was missed is told at the next start."""

log = structlog.get_logger(__name__)


class AuditHeads:
    """Woken by the clock, as the schedules are."""

    def __init__(
        self,
        settings: AuditSettings,
        *,
        database: Database,
        messages: MessageService,
        workflows: WorkflowEngine,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._timetable = _timetable(settings)
        self._database = database
        self._notes = InstallationNotes(database)
        self._memory = TickMemory(database)
        self._messages = messages
        self._workflows = workflows
        self._clock = clock
        workflows.register(WORKFLOW, self._tell)

    async def begin(self) -> None:
        """There is nothing to get ready."""

    async def wake(self) -> None:
        """Tell the head if it is time to."""
        if self._timetable is None:
            return
        now = self._clock()
        last = await self._memory.last(TICKS)
        if last is None:
            await self._memory.remember(TICKS, now)
            return
        if now < last:  # the machine's clock was ahead
            await self._memory.set_back(TICKS, now)
            return
        due = self._timetable.due(last, now)
        if due.run is not None:
            at = due.run.isoformat()
            await self._workflows.start(WORKFLOW, f"{WORKFLOW}:{at}", {"at": at})
            await self._memory.remember(TICKS, now)

    def next_wake(self) -> datetime | None:
        """When it is told next; None where it is told nowhere."""
        return self._timetable.next(self._clock()) if self._timetable else None

    async def _tell(self, payload: Payload) -> None:
        at = datetime.fromisoformat(str(payload["at"]))
        proved = await self._workflows.step("prove", lambda: self._prove(at))
        assert isinstance(proved, dict)  # noqa: S101 - for the type checker; as _prove returns it
        if self._settings.room:
            platform, room = split_address(self._settings.room)
            where, key = Room(platform=platform, id=room), f"{WORKFLOW}:{at.isoformat()}"
            card = _card(proved)
            await self._workflows.step("say", lambda: self._messages.say(where, card, key=key))

    async def _prove(self, at: datetime) -> Json:
        """Prove what was added since, note the head, and write it to the file; what there is to say of it."""
        notes = await self._notes.load()
        told = Place(int(notes["told"]), notes["told_head"]) if "told" in notes else Place()
        found = await verify(self._database, since=told, noted=(told,))
        if not isinstance(found, Intact):
            log.error("the audit trail does not hold", why=found.why)
            return {"why": found.why, "file": ""}
        place, wrong = Place(found.entries, found.head), ""
        if self._settings.file is not None:
            try:
                await asyncio.to_thread(add_head, self._settings.file, place, at)
            except OSError as error:
                wrong = f"{self._settings.file} cannot be written: {error.strerror}"
                log.error("the head of the audit trail could not be written to its file", problem=wrong)
        await self._notes.save({"told": str(place.entries), "told_head": place.head})
        log.info("the audit trail holds", entries=place.entries, head=place.head)
        return {"why": "", "file": wrong, "entries": place.entries, "head": place.head}


def _timetable(settings: AuditSettings) -> Timetable | None:
    if not settings.room and settings.file is None:
        return None
    return Timetable(
        ScheduleSettings(
            name=WORKFLOW,
            cron=settings.cron,
            zone=settings.zone,
            command="",
            room=settings.room,
            roles=(),
            missed=Missed.CATCH_UP,
            max_late=ALWAYS,
        )
    )


def _card(proved: dict[str, Json]) -> Card:
    if proved["why"]:
        return Card(
            tone=Tone.FAILED,
            title="The audit trail does not hold.",
            text=f"{proved['why']}.",
            notes=(
                "Whoever runs Slipway sees more by `slipway audit verify`. Keep the state folder as it is.",
            ),
        )
    head, entries = str(proved["head"]), proved["entries"]
    notes = (str(proved["file"]),) if proved["file"] else ()
    return Card(
        tone=Tone.WARNING if notes else Tone.INFO,
        title=f"The audit trail holds: {entries} {'entry' if entries == 1 else 'entries'}.",
        fields=(Field(label="Head", value=f"`{head}`"),),
        notes=(*notes, f"Later: `slipway audit verify --expect {head[:16]}`"),
    )
