"""Brings each entry of the trail to every sink, in order, once at least.

How far a sink has everything is kept in the database, and moves when the sink has taken a batch. What a crash cuts
off is given again, and the number of an entry tells that it was there before. A sink that takes nothing holds up
nobody: its entries wait in the trail itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

import sqlalchemy as sa
import structlog

from slipway.bot.core.errors import SlipwayError
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.operations.audit import head_number, newer_entries
from slipway.bot.operations.trail.sinks.model import Sink, SinkError, SinkTrouble
from slipway.bot.store.database import Database
from slipway.bot.store.installation import InstallationNotes

EVERY = timedelta(seconds=2)
"""How often it is looked for new entries."""

LONGEST_PAUSE = timedelta(minutes=1)
"""Between two tries with a sink that takes nothing."""

BATCH = 200
"""Entries at a time."""

_LAST_WORD = timedelta(seconds=3)
"""What is left at the end gets so long to be taken; the next start goes on with it."""

log = structlog.get_logger(__name__)


class AuditForwarder:
    """Has a task for each sink, from :meth:`start`, behind :meth:`prepare`, to :meth:`close`.

    Args:
        database: has the trail, and how far each sink is.
        sinks: where entries go.
        clock: the present.
        sleep: lets time pass between looks.
    """

    def __init__(
        self, database: Database, sinks: Sequence[Sink], clock: Clock, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._database = database
        self._notes = InstallationNotes(database)
        self._sinks = tuple(sinks)
        self._clock = clock
        self._sleep = sleep
        self._troubles: dict[str, SinkTrouble] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def names(self) -> tuple[str, ...]:
        """All sinks."""
        return tuple(sink.name for sink in self._sinks)

    @property
    def troubles(self) -> tuple[SinkTrouble, ...]:
        """The sinks that take nothing now."""
        return tuple(self._troubles.values())

    def warnings(self) -> Iterable[str]:
        """The same as sentences, for the health value."""
        return (each.sentence for each in self.troubles)

    async def prepare(self) -> None:
        """Note where each sink begins: one that is new gets what is written from now on."""
        for sink in self._sinks:
            await self._place(sink)

    def start(self) -> None:
        """Begin to give them what they have not taken."""
        for sink in self._sinks:
            self._tasks.append(asyncio.create_task(self._forward(sink), name=f"audit to {sink.name}"))

    async def close(self) -> None:
        """Give what is left, as far as that is quick, and end; may be called twice."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for sink in self._sinks if tasks else ():
            try:
                async with asyncio.timeout(_LAST_WORD.total_seconds()):
                    await self._give_all(sink)
            except (TimeoutError, SlipwayError, sa.exc.DBAPIError) as error:
                log.info(
                    "the rest of the audit trail is given at the next start", sink=sink.name, why=str(error)
                )
            await sink.close()

    async def _forward(self, sink: Sink) -> None:
        pause = EVERY
        while True:
            try:
                await self._give_all(sink)
            except SinkError as error:
                self._failed(sink, str(error).rstrip("."))
                pause = min(pause * 2, LONGEST_PAUSE)
            except (
                SlipwayError,
                sa.exc.DBAPIError,
            ) as error:  # the database's own: it has a voice of its own
                log.warning("the audit trail could not be read", sink=sink.name, problem=type(error).__name__)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                pause = EVERY
            await self._sleep(pause.total_seconds())

    async def _give_all(self, sink: Sink) -> None:
        """Give everything that the sink has not taken.

        Raises:
            SinkError: it does not take it.
        """
        place = await self._place(sink)
        while batch := await newer_entries(self._database, place, BATCH):
            await sink.take(batch)
            place = batch[-1].number
            await self._notes.save({_note(sink): str(place)})
            if self._troubles.pop(sink.name, None) is not None:
                log.info("entries of the audit trail are taken again", sink=sink.name)

    async def _place(self, sink: Sink) -> int:
        """The number up to which it has everything."""
        head, notes = await head_number(self._database), await self._notes.load()
        known = notes.get(_note(sink))
        if known is not None and int(known) <= head:
            return int(known)
        if known is not None:  # the database was put back from an earlier time
            log.warning(
                "the audit trail is shorter than what was sent", sink=sink.name, sent=known, entries=head
            )
        await self._notes.save({_note(sink): str(head)})
        return head

    def _failed(self, sink: Sink, why: str) -> None:
        known = self._troubles.get(sink.name)
        if known is None:
            log.warning("entries of the audit trail are not taken", sink=sink.name, problem=why)
        since = known.since if known is not None else self._clock()
        self._troubles[sink.name] = SinkTrouble(sink.name, since, why)


def _note(sink: Sink) -> str:
    """What the place of a sink is kept under: another address is another sink."""
    return f"sent {sink.name}"
