"""What becomes of changes that others made, from when they are told: they are kept, shown in their notice, and over
once their version is not as they left it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from slipway.bot.chat.model import Room
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions, VersionAbsentError
from slipway.bot.core.errors import CloudError
from slipway.bot.core.times import Clock
from slipway.bot.operations.model import Operation
from slipway.bot.operations.watches import Spot, WatchHost
from slipway.bot.subjects.images.adopting.model import ForeignChange, recorded
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.watching.authors import AuthorLookup
from slipway.bot.subjects.images.watching.change import Change, SeenVersion, holds, seen
from slipway.bot.subjects.images.watching.foreign import effects
from slipway.bot.subjects.images.watching.notices import changed_card

NEWEST = 50
"""How many operations are looked at for what changed a version; more than that do not end between two looks."""

_LATELY = timedelta(minutes=5)
"""So long after an operation ended it is looked at whether it put right what others changed; later, a look at its
gallery sees that."""

REMEMBERED = timedelta(days=90)
"""How long a foreign change is kept after it was adopted, or over."""

log = structlog.get_logger(__name__)


class AboutVersions(Protocol):
    """What is asked of :class:`slipway.bot.operations.persistence.repository.OperationRepository`."""

    async def about(self, target: str, limit: int) -> Sequence[Operation]:
        """The newest operations that change this."""
        ...

    async def recent(self, limit: int) -> Sequence[Operation]:
        """The newest operations of all."""
        ...


class ForeignChanges(Protocol):
    """What is asked of :class:`slipway.bot.subjects.images.adopting.store.ForeignChangeStore`."""

    async def record(self, changes: Sequence[ForeignChange]) -> None:
        """Keep changes; those that are kept already stay as they are."""
        ...

    async def open_ones(self) -> Sequence[ForeignChange]:
        """All that nobody has adopted and that are not over."""
        ...

    async def over(self, changes: Sequence[ForeignChange], at: datetime) -> None:
        """Note that versions are not as these left them any more."""
        ...

    async def untold(self) -> Sequence[ForeignChange]:
        """Those that have changed since their notice showed them."""
        ...

    async def notice(self, change: ForeignChange) -> Sequence[ForeignChange]:
        """All that the same notice told."""
        ...

    async def last_notice(self, definition: DefinitionRef) -> int:
        """The number of the last notice about a definition of which something is kept; 0 for none."""
        ...

    async def told(self, changes: Sequence[ForeignChange]) -> None:
        """Note that a notice shows these as they are here."""
        ...

    async def forget(self, before: datetime) -> None:
        """Forget what ended before a time."""
        ...


class ToldChanges:
    """Keeps what others changed, and brings notices up to date.

    Args:
        clouds: have the galleries.
        operations: tell what put something right.
        store: keeps the changes, until they are adopted or over.
        name: what to call a person by their id.
        authors: finds out who made them.
        clock: the present.
        room: where they are told; None for the log alone.
        prefix: of command lines.
    """

    def __init__(
        self,
        clouds: Clouds,
        operations: AboutVersions,
        store: ForeignChanges,
        *,
        name: Callable[[str], str],
        authors: AuthorLookup,
        clock: Clock,
        room: Room | None,
        prefix: str,
    ) -> None:
        self._clouds = clouds
        self._operations = operations
        self._store = store
        self._name = name
        self._authors = authors
        self._clock = clock
        self._room = room
        self._prefix = prefix

    async def last_notice(self, definition: DefinitionRef) -> int:
        """The number of the last notice about a definition of which something is kept; 0 for none."""
        return await self._store.last_notice(definition)

    async def tell(
        self,
        ref: DefinitionRef,
        notice: int,
        changes: Sequence[Change],
        during: tuple[datetime | None, datetime],
        host: WatchHost,
    ) -> None:
        """Keep and say what changed; done again after a crash, it is the same message.

        Args:
            ref: the definition.
            notice: the number of the notice.
            changes: at least one.
            during: when the look before them began, and the one that saw them.
            host: says it.
        """
        new = recorded(ref, notice, changes, during, self._authors.at_first)
        await self._store.record(new)
        shown = await self._store.notice(new[0])
        card = changed_card(shown, self._prefix, self._name)
        log.warning("versions were changed by others", definition=str(ref), what=card.text)
        if self._room is not None:
            await host.say(_message(ref, notice), card, Spot(self._room))
        await self._store.told(shown)

    async def compare(self, now: Mapping[str, Mapping[str, SeenVersion]]) -> None:
        """Note what is over.

        Args:
            now: the versions of each definition that was looked at, by :func:`key_of` and by number.
        """
        kept = [each for each in await self._store.open_ones() if key_of(each.ref) in now]
        over = [
            each for each in kept if not holds(each.change, now[key_of(each.ref)].get(each.change.version))
        ]
        await self._store.over(over, self._clock())

    async def look_after_operations(self) -> tuple[tuple[ForeignChange, SeenVersion | None], ...]:
        """Note what an operation that ended lately put right; those, each with how its version is now."""
        now, kept = self._clock(), await self._store.open_ones()
        if not kept:
            return ()
        ended = [
            each
            for each in await self._operations.recent(NEWEST)
            if each.ended_at is not None and timedelta() <= now - each.ended_at <= _LATELY
        ]
        changed = {effect.target for operation in ended for effect in effects(operation)}
        galleries = self._clouds.all(IMAGE_VERSIONS)
        mended = []
        for each in [one for one in kept if one.pin.target in changed and one.cloud in galleries]:
            before = SeenVersion(promoted=False)  # what cannot be read is looked at later
            found = await look_at_one(galleries[each.cloud], each.ref, each.change.version, before)
            if found is not before and not holds(each.change, found):
                mended.append((each, found))
        await self._store.over([each for each, _ in mended], now)
        return tuple(mended)

    async def update_notices(self, host: WatchHost) -> None:
        """Show in each notice what became of what it told, and who did it. An edit calls nobody."""
        await self._authors.look()
        untold = await self._store.untold()
        for first in {(each.cloud, each.definition, each.notice): each for each in untold}.values():
            shown = await self._store.notice(first)
            if self._room is not None:
                card = changed_card(shown, self._prefix, self._name)
                await host.edit(_message(first.ref, first.notice), card, Spot(self._room))
            await self._store.told(shown)

    async def forget(self) -> None:
        """Forget what is long over."""
        await self._store.forget(self._clock() - REMEMBERED)


def key_of(ref: DefinitionRef) -> str:
    """What tells definitions apart; case does not count."""
    return f"{ref.cloud}:{ref.name.casefold()}"


def _message(ref: DefinitionRef, number: int) -> str:
    return f"changed {key_of(ref)} {number}"


async def look_at_one(
    gallery: ImageVersions, ref: DefinitionRef, number: str, before: SeenVersion | None
) -> SeenVersion | None:
    """A version by itself; None where it is certain that there is none, ``before`` where it cannot be read."""
    try:
        return seen(await gallery.version(ref.name, VersionNumber.parse(number)))
    except VersionAbsentError:
        return None
    except CloudError as error:
        log.warning("a version could not be watched", version=number, problem=error.words)
        return before
