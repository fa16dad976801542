"""Asks the clouds' own logs who made a foreign change, until they tell or their time is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_activity import NamesAuthors, VersionEvent
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.adopting.authorship import (
    NOT_ASKED,
    Authorship,
    Known,
    answered,
    asked,
    failed,
    next_question,
)
from slipway.bot.subjects.images.adopting.model import ForeignChange

MOST_AT_ONCE = 10
"""So many questions a minute: CloudTrail serves two requests a second, and some questions take several."""

MOST_OF_A_NOTICE = 20
"""So many changes of one notice are asked about: as many as it shows."""

MARGIN = timedelta(minutes=2)
"""By how much clocks may differ."""

log = structlog.get_logger(__name__)


class Questions(Protocol):
    """What is asked of :class:`slipway.bot.subjects.images.adopting.store.ForeignChangeStore`."""

    async def to_ask(self, now: datetime, limit: int) -> Sequence[ForeignChange]:
        """Those whose author is to be asked for now, those that wait for longest first."""
        ...

    async def know(self, change: ForeignChange, authorship: Authorship, ask_at: datetime | None) -> None:
        """Note what is known of who made a change, and when it is asked again; None for never."""
        ...


class AuthorLookup:
    """Finds out who made changes.

    Args:
        clouds: have the galleries, and their logs.
        store: keeps the changes.
        clock: the present.
    """

    def __init__(self, clouds: Clouds, store: Questions, clock: Clock) -> None:
        self._clouds = clouds
        self._store = store
        self._clock = clock

    def at_first(self, cloud: str, number: int) -> Authorship:
        """What is known of a change that was just seen, the so-manieth of its notice."""
        gallery = self._logs().get(cloud)
        if gallery is None or number > MOST_OF_A_NOTICE:
            return NOT_ASKED
        return asked(gallery.log_title, gallery.logged_within, self._clock())

    async def look(self) -> None:
        """Ask about those whose time it is, one after the other."""
        for change in await self._store.to_ask(self._clock(), MOST_AT_ONCE):
            found = await self._asked(change)
            await self._store.know(change, found, next_question(found, self._clock()))

    async def _asked(self, change: ForeignChange) -> Authorship:
        gallery, before = self._logs().get(change.cloud), change.authorship
        if gallery is None:
            return NOT_ASKED
        since = change.since or change.seen_at - timedelta(hours=1)
        try:
            authors = await gallery.authors(
                change.definition,
                VersionNumber.parse(change.change.version),
                VersionEvent(change.change.aspect.value),
                change.change.logged_as,
                (since - MARGIN, change.seen_at + MARGIN + timedelta(minutes=10)),
            )
        except CloudError as error:
            log.warning(
                "who changed a version could not be looked up", version=change.image, problem=error.words
            )
            refused = error.kind is CloudErrorKind.REFUSED
            return failed(before, error.words, self._clock(), for_good=refused)
        found = answered(before, authors, self._clock())
        if found.known is Known.NAMED:
            log.info(
                "who changed a version is known", version=change.image, by=[each.name for each in authors]
            )
        return found

    def _logs(self) -> Mapping[str, NamesAuthors]:
        galleries: Mapping[str, object] = self._clouds.all(IMAGE_VERSIONS)
        return {cloud: each for cloud, each in galleries.items() if isinstance(each, NamesAuthors)}
