"""When the document is due, and what becomes of a failure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import ValidationError

from slipway.bot.chat.model import Room
from slipway.bot.core.errors import CloudError
from slipway.bot.core.model import Json, Model
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Backoff
from slipway.bot.operations.progress import progress_since
from slipway.bot.operations.watches import Spot, WatchHost
from slipway.bot.store.database import Database
from slipway.bot.store.memory import ChatMemory
from slipway.bot.subjects.images.publishing.delivery import DeliveryError, Destination
from slipway.bot.subjects.images.publishing.document import Stream, document, same, written
from slipway.bot.subjects.images.publishing.notices import failed_card, mended_card
from slipway.bot.subjects.images.publishing.reading import Key, Reading

TARGETS = "version "
"""How the targets begin of what operations change of versions."""

UNREAD_FOR = timedelta(minutes=15)
"""After so long, people are told that galleries cannot be read: until then, the next look may well do."""

FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0
"""Seconds between two tries to hand over what is not taken; something new to say is tried at once."""

_MEMORY = "images published"

log = structlog.get_logger(__name__)


class Told(Model):
    """A failure that people were told of, and where, so that they hear there when it is over."""

    room: Room
    thread: str | None = None
    sentence: str

    @property
    def spot(self) -> Spot:
        """Where it was said."""
        return Spot(self.room, self.thread)


class Handed(Model):
    """What was handed over last, and where to; the failure that was told since, if any; and how many such there were.
    Stored.

    ``under_way``: another document may have been taken since, of which a process did not live to note it.
    """

    destination: str = ""
    document: dict[str, Json] | None = None
    under_way: bool = False
    told: Told | None = None
    failures: int = 0

    @property
    def key(self) -> str:
        """Names what is said of the failure that is under way: the same again after a crash."""
        return f"failed {self.failures}"


@dataclass(frozen=True)
class Failure:
    """Why the document is not what it should be: what happened, and what to do."""

    sentence: str
    remedy: str


class Publisher:
    """Keeps what machines read as it should be.

    Galleries are read as a whole at the first look after a start, and every ``refresh``; in between, the definitions
    of which an operation changed a version, and those whose copies are under way. That something is handed over is
    stored before, and what it was after it was taken: the next process after one that dies in between hands over what
    is so then, even if nothing seems to have changed.

    Args:
        reading: reads what is latest.
        destination: where the document goes.
        refresh: how often all is read anew.
        database: holds the trail, and what was handed over.
        memory: of this.
        clock: the present.
        room: where a failure is told that came of no operation; None for the log alone.
    """

    def __init__(
        self,
        reading: Reading,
        destination: Destination,
        *,
        refresh: timedelta,
        database: Database,
        memory: ChatMemory,
        clock: Clock,
        room: Room | None,
    ) -> None:
        self._reading = reading
        self._destination = destination
        self._refresh = refresh
        self._database = database
        self._memory = memory
        self._clock = clock
        self._room = room
        self._handed: Handed | None = None
        self._number: int | None = None  # of the trail, as far as it was followed
        self._definitions: Mapping[Key, Any] = {}
        self._streams: dict[Key, Stream] = {}
        self._due: set[Key] = set()  # to be read
        self._all_due_at: datetime | None = None  # None: at once
        self._complete = False  # whether all was read, once
        self._news = False  # whether something was read that may not be handed over yet
        self._unread_since: datetime | None = None
        self._operation: str | None = None  # the one that changed something last
        self._refused: dict[str, Json] | None = None  # what was tried last, and not taken
        self._again_at: datetime | None = None
        self._backoff = Backoff(first=FIRST_PAUSE, longest=LONGEST_PAUSE)

    async def look(self, host: WatchHost) -> None:
        """Look once whether something is to be handed over, and do so."""
        handed = await self._known()
        failure = await self._read(handed)
        again = handed.under_way or self._refused is not None or self._destination.lacks()
        if self._complete and (self._news or again):
            found = document(self._streams.values(), self._clock(), handed.document)
            failure = await self._hand_over(found, handed) or failure
        if failure is not None:
            await self._tell(failure, host)
        elif handed.told is not None and self._unread_since is None and self._refused is None:
            await self._tell_mended(host)

    async def _read(self, handed: Handed) -> Failure | None:
        """Bring what is known of the galleries up to date; why that has not worked for long, if so."""
        now = self._clock()
        # Asked before the galleries are: what is done meanwhile is looked at next time.
        progress = await progress_since(self._database, self._number, TARGETS)
        self._number = progress.number
        self._operation = progress.operation_id or self._operation
        self._due |= {key_of(target) for target in progress.targets}
        if not _is_ahead(self._all_due_at, now, self._refresh) or self._due - self._definitions.keys():
            self._all_due_at = None
        try:
            if self._all_due_at is None:
                self._definitions = await self._reading.definitions()
                self._due = set(self._definitions)
            found = await self._reading.streams(self._definitions, self._due, handed.document)
        except CloudError as error:
            return self._unread(error, now)
        before = self._streams
        now_there = before | {key: stream for key, (stream, _) in found.items()}
        self._streams = {key: each for key, each in now_there.items() if key in self._definitions}
        self._news = self._news or not self._complete or self._streams != before
        self._due = {key for key, (_, settling) in found.items() if settling}
        self._all_due_at = self._all_due_at or now + self._refresh
        self._complete, self._unread_since = True, None
        return None

    def _unread(self, error: CloudError, now: datetime) -> Failure | None:
        log.warning("what is latest could not be read", problem=error.words)
        self._unread_since = self._unread_since or now
        if now - self._unread_since < UNREAD_FOR:
            return None
        return Failure(
            f"What is latest could not be read: {error.words}", "Mend what it says, or wait for it."
        )

    async def _hand_over(self, found: dict[str, Json], handed: Handed) -> Failure | None:
        known = self._destination.name == handed.destination and same(handed.document, found)
        if known and not handed.under_way and not self._destination.lacks():
            self._refused, self._news, self._operation = None, False, None
            return None
        now = self._clock()
        longest = timedelta(seconds=LONGEST_PAUSE)
        if _is_ahead(self._again_at, now, longest) and same(self._refused, found):
            return None
        await self._keep(handed := handed.model_copy(update={"under_way": True}))
        try:
            await self._destination.deliver(written(found))
        except DeliveryError as error:
            log.warning("what is latest could not be published", problem=error.sentence)
            self._refused, self._again_at = found, now + timedelta(seconds=self._backoff.next())
            return Failure(error.sentence, error.remedy)
        log.info("what is latest was published", to=self._destination.name)
        taken = {"destination": self._destination.name, "document": found, "under_way": False}
        await self._keep(handed.model_copy(update=taken))
        self._refused, self._again_at, self._news, self._operation = None, None, False, None
        self._backoff.reset()
        return None

    async def _tell(self, failure: Failure, host: WatchHost) -> None:
        """Tell a failure once, where it matters first."""
        handed = await self._known()
        if handed.told is not None:
            return
        spot = await host.spot_of(self._operation) if self._operation is not None else None
        if spot is None and self._room is not None:
            spot = Spot(self._room)
        if spot is None:
            return
        await host.say(handed.key, failed_card(failure.sentence, failure.remedy), spot)
        told = Told(room=spot.room, thread=spot.thread, sentence=failure.sentence)
        await self._keep(handed.model_copy(update={"told": told}))

    async def _tell_mended(self, host: WatchHost) -> None:
        handed = await self._known()
        assert handed.told is not None  # noqa: S101 - for the type checker; the caller looked
        await host.say(handed.key, mended_card(handed.told.sentence), handed.told.spot)
        await self._keep(handed.model_copy(update={"told": None, "failures": handed.failures + 1}))

    async def _known(self) -> Handed:
        if self._handed is None:
            kept = await self._memory.load(_MEMORY)
            try:
                self._handed = Handed() if kept is None else Handed.model_validate_json(kept)
            except (
                ValidationError
            ):  # of another version of Slipway: it is handed over again, which does no harm
                self._handed = Handed()
        return self._handed

    async def _keep(self, handed: Handed) -> None:
        await self._memory.save(_MEMORY, json.dumps(handed.model_dump(mode="json")))
        self._handed = handed


def _is_ahead(moment: datetime | None, now: datetime, most: timedelta) -> bool:
    """Whether a moment is still to come; one further ahead than it can be was set by a clock that was wrong."""
    return moment is not None and now < moment <= now + most


def key_of(target: str) -> Key:
    """The definition of a version that an operation changes, by its target."""
    _, cloud, *definition, _version = target.split(" ")
    return cloud, " ".join(definition)
