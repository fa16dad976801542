"""Looks at galleries, remembers what was there, and tells what others changed, each change once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from pydantic import ValidationError

from slipway.bot.chat.model import Room
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import VersionListing, VersionState
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.model import Model
from slipway.bot.core.times import Clock
from slipway.bot.operations.watches import Spot, WatchHost
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.watching.change import Change, SeenVersion, changes, seen
from slipway.bot.subjects.images.watching.foreign import Effect, effects, is_ours
from slipway.bot.subjects.images.watching.keeping import with_kept
from slipway.bot.subjects.images.watching.survey import Survey
from slipway.bot.subjects.images.watching.told import NEWEST, AboutVersions, ToldChanges, key_of, look_at_one
from slipway.bot.subjects.images.watching.vanished import (
    KnownDefinitions,
    is_gone,
    missing,
    read_known,
    vanished_card,
)

log = structlog.get_logger(__name__)


class Memory(Protocol):
    """What is asked of :class:`slipway.bot.store.memory.ChatMemory`."""

    async def load(self, name: str) -> str | None:
        """The value kept under this name, if there is one."""
        ...

    async def save(self, name: str, value: str) -> None:
        """Keep a value under this name, in place of any before."""
        ...


class SeenDefinition(Model):
    """What was seen of a definition. Stored: names of fields stay.

    Attributes:
        at: when the look began that saw it.
        before: when the look before that began; None where that is not known.
        versions: by number.
        notices: how many times something was to be told of it.
        untold: what is to be told still: it is stored before it is said, and taken away after.
    """

    at: datetime
    versions: dict[str, SeenVersion]
    notices: int = 0
    before: datetime | None = None
    untold: tuple[Change, ...] = ()


class Watcher:
    """Looks at every gallery as often as configured. What is seen of a definition first is learned silently.

    A listing that fails says nothing, and what cannot be read in one keeps what was known of it. What seems to be
    foreign is read once more by itself, so that a listing that lags, or is empty by mistake, tells nothing.

    Args:
        clouds: have the galleries.
        survey: lists what is there.
        operations: tell what was ours.
        memory: keeps what was seen.
        told: keeps and tells what others changed.
        clock: the present.
        every: how often it looks; the first look is at the start.
        room: where it is told; None for the log alone.
        prefix: of command lines.
    """

    def __init__(
        self,
        clouds: Clouds,
        survey: Survey,
        operations: AboutVersions,
        memory: Memory,
        told: ToldChanges,
        *,
        clock: Clock,
        every: timedelta,
        room: Room | None,
        prefix: str,
    ) -> None:
        self._clouds = clouds
        self._survey = survey
        self._operations = operations
        self._memory = memory
        self._told = told
        self._clock = clock
        self._every = every
        self._room = room
        self._prefix = prefix
        self._looked_at: datetime | None = None

    async def look(self, host: WatchHost) -> None:
        """Look, if the last look was long enough ago, and tell; bring notices up to date."""
        now = self._clock()
        if self._looked_at is None or not timedelta() <= now - self._looked_at < self._every:
            self._looked_at = now
            await self._look(host)
            await self._told.forget()
        else:
            for change, found in await self._told.look_after_operations():
                await self._note(change.ref, change.change.version, found)
        await self._told.update_notices(host)

    async def _look(self, host: WatchHost) -> None:
        surveyed = await self._survey.read()
        galleries = self._clouds.all(IMAGE_VERSIONS)
        now: dict[str, Mapping[str, SeenVersion]] = {}
        for ref in (*surveyed.listings, *surveyed.unread):
            listing = surveyed.listings.get(ref)
            found = await self._settle(ref, galleries[ref.cloud], listing, surveyed.began, host)
            if found is not None:
                now[key_of(ref)] = found
        for cloud, gallery in galleries.items():
            if cloud not in surveyed.blind:
                seen_there = (*surveyed.listings, *surveyed.unread)
                names = tuple(ref.name for ref in seen_there if ref.cloud == cloud)
                gone = await self._compare(cloud, gallery, names, host)
                now |= {key_of(DefinitionRef(cloud, name)): {} for name in gone}
        await self._told.compare(now)

    async def _note(self, ref: DefinitionRef, version: str, found: SeenVersion | None) -> None:
        """Remember how an operation left a version: who changes it once more before the next look is told, too."""
        known = await self._known(ref)
        if known is not None:
            others = {number: each for number, each in known.versions.items() if number != version}
            versions = others | ({} if found is None else {version: found})
            await self._keep(ref, known.model_copy(update={"versions": versions}))

    async def _compare(
        self, cloud: str, gallery: ImageVersions, names: tuple[str, ...], host: WatchHost
    ) -> Sequence[str]:
        """Bring together which definitions of a gallery were known, and which are there; those that vanished."""
        memory = f"images definitions {cloud}"
        known = read_known(await self._memory.load(memory))
        if not names:
            return ()
        before = known or KnownDefinitions()
        gone = [name for name in missing(before.names, names) if await is_gone(gallery, name)]
        kept = [name for name in missing(before.names, names) if name not in gone]
        after = KnownDefinitions(
            names=(*names, *kept),
            notices=before.notices + bool(gone),
            untold=(*before.untold, *gone),
        )
        if after != known:
            await self._memory.save(memory, after.model_dump_json())
        for name in gone:  # what comes under that name later is seen for the first time
            ref = DefinitionRef(cloud, name)
            notices = await self._told.last_notice(ref)
            await self._keep(ref, SeenDefinition(at=self._clock(), versions={}, notices=notices))
        if after.untold:
            card = vanished_card(cloud, after.untold, self._prefix)
            log.warning("definitions vanished", cloud=cloud, definitions=after.untold)
            if self._room is not None:
                await host.say(f"vanished {cloud} {after.notices}", card, Spot(self._room))
            await self._memory.save(memory, after.model_copy(update={"untold": ()}).model_dump_json())
        return gone

    async def _settle(
        self,
        ref: DefinitionRef,
        gallery: ImageVersions,
        listing: VersionListing | None,
        began: datetime,
        host: WatchHost,
    ) -> Mapping[str, SeenVersion] | None:
        """Bring together what was seen before and now of one definition; what is there, None where that is not
        known."""
        before = await self._known(ref)
        if before is not None and before.untold:  # a process died before it was said, or while
            before = await self._tell(ref, before, host)
        if listing is None or not (listing or (before is not None and before.versions)):
            return None
        found = _understood(listing, before.versions if before is not None else {})
        if before is None:
            notices = await self._told.last_notice(ref)
            await self._keep(ref, SeenDefinition(at=began, versions=found, notices=notices))
            return found
        if await self._foreign(ref, before, found):
            found = await _read_again(gallery, ref, before.versions, found)
        # Operations are read after what they may have changed was: none can be missed.
        foreign = await with_kept(gallery, ref, await self._foreign(ref, before, found))
        after = SeenDefinition(
            at=began,
            before=before.at,
            versions=found,
            notices=before.notices + bool(foreign),
            untold=foreign,
        )
        await self._keep(ref, after)
        if foreign:
            await self._tell(ref, after, host)
        return found

    async def _foreign(
        self, ref: DefinitionRef, before: SeenDefinition, found: Mapping[str, SeenVersion]
    ) -> tuple[Change, ...]:
        """What changed and is not ours. An operation is read once, however many versions it changed."""
        ours: list[Effect] = []
        foreign = []
        for change in changes(before.versions, found):
            target = Pin(definition=ref.name, version=change.version, cloud=ref.cloud).target
            if not is_ours(change, target, ours, before.at):
                for operation in await self._operations.about(target, NEWEST):
                    ours += effects(operation)
                if not is_ours(change, target, ours, before.at):
                    foreign.append(change)
        return tuple(foreign)

    async def _tell(self, ref: DefinitionRef, known: SeenDefinition, host: WatchHost) -> SeenDefinition:
        """Tell what is to be told; done again after a crash, it is the same message."""
        await self._told.tell(ref, known.notices, known.untold, (known.before, known.at), host)
        told = known.model_copy(update={"untold": ()})
        await self._keep(ref, told)
        return told

    async def _known(self, ref: DefinitionRef) -> SeenDefinition | None:
        kept = await self._memory.load(_memory(ref))
        try:
            return None if kept is None else SeenDefinition.model_validate_json(kept)
        except ValidationError:
            log.warning(
                "what was seen of versions is of another Slipway, and learned anew", definition=str(ref)
            )
            return None

    async def _keep(self, ref: DefinitionRef, known: SeenDefinition) -> None:
        await self._memory.save(_memory(ref), known.model_dump_json())


def _memory(ref: DefinitionRef) -> str:
    return f"images seen {key_of(ref)}"


def _understood(listing: VersionListing, before: Mapping[str, SeenVersion]) -> dict[str, SeenVersion]:
    """What a listing says, by number; what is still being uploaded comes new once that is over."""
    found = {
        str(each.number): seen(each)
        for each in listing
        if each.state is not VersionState.CREATING or str(each.number) in before
    }
    return found | {each.name: before[each.name] for each in listing.unreadable if each.name in before}


async def _read_again(
    gallery: ImageVersions,
    ref: DefinitionRef,
    before: Mapping[str, SeenVersion],
    found: Mapping[str, SeenVersion],
) -> dict[str, SeenVersion]:
    """The same with each version that changed as it is by itself; one that cannot be read is as it was before."""
    numbers = {change.version for change in changes(before, found)}
    read = await side_by_side(
        {number: look_at_one(gallery, ref, number, before.get(number)) for number in numbers}
    )
    again = {number: each for number, each in read.items() if each is not None}
    return {number: each for number, each in found.items() if number not in numbers} | again
