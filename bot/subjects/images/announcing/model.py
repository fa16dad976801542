"""What an announcement of a removal is, and when what it announced may go: pure.

With ``announce`` in ``[retention]``, a clean-up first announces what is due, and one that comes so much later or more
removes what is due still. What stopped being due meanwhile is forgotten, and starts anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.uptime import SET_BACK
from slipway.bot.subjects.images.cleaning_up.retention import Decision, Deletion, KeepReason, Rule
from slipway.bot.subjects.images.definitions import DefinitionRef

LAPSES = timedelta(days=90)
"""What was announced that long ago is announced anew: nobody remembers it. Ours."""

_STILL_DUE = frozenset(
    {KeepReason.USE_UNKNOWN, KeepReason.IN_DOUBT, KeepReason.NOT_SUCCEEDED, KeepReason.COOLING}
)
"""What keeps a version only as long as something is not known, or is under way: it may be due still."""


@dataclass(frozen=True)
class Announcement:
    """That a version will go.

    Attributes:
        cloud: the account that has it.
        definition: the name of its definition; case does not count.
        version: its number.
        published: when it was published, which tells it from another one that has its number later.
        rule: the rule that chose it.
        at: when it was announced.
        until: until when people were told that it stays.
        key: names the step that announced it.
    """

    cloud: str
    definition: str
    version: str
    published: datetime | None
    rule: str
    at: datetime
    until: datetime
    key: str

    @property
    def subject(self) -> tuple[str, str, str]:
        """What it is about, equal for what is the same."""
        return self.cloud, self.definition.casefold(), self.version

    def counts(self, published: datetime | None, now: datetime) -> bool:
        """Whether it announces the version that was published then, as far as anybody can tell now.

        One from the future was made by a clock that was ahead, so that nobody knows when; one that has lapsed was
        made so long ago that nobody remembers.
        """
        return self.published == published and self.at - SET_BACK <= now < self.at + LAPSES

    def stays_until(self, announce: timedelta) -> datetime:
        """When it may go: not before what was told, nor before what is configured now."""
        return max(self.until, self.at + announce)


class Announcements:
    """All announcements of a moment.

    Args:
        made: whatever was announced and not forgotten.
    """

    def __init__(self, made: Iterable[Announcement]) -> None:
        self._by_subject = {each.subject: each for each in made}

    @property
    def every(self) -> tuple[Announcement, ...]:
        """All of them, whether they count or not."""
        return tuple(self._by_subject.values())

    def of(self, definition: DefinitionRef, version: ImageVersion, now: datetime) -> Announcement | None:
        """The announcement that counts for a version; None where it has to be announced first."""
        if not self._by_subject:
            return None
        subject = (definition.cloud, definition.name.casefold(), str(version.number))
        found = self._by_subject.get(subject)
        return found if found is not None and found.counts(version.published_at, now) else None


NO_ANNOUNCEMENTS = Announcements(())
"""Where nothing was announced."""


class AnnouncementReader(Protocol):
    """Where announcements are looked up."""

    async def read(self) -> Announcements:
        """The announcements as they are."""
        ...


class NothingAnnounced:
    """Where nothing is announced ever."""

    async def read(self) -> Announcements:
        """None."""
        return NO_ANNOUNCEMENTS


class Stage(Enum):
    """What becomes of a version in a clean-up."""

    STAYS = auto()
    FORGOTTEN = auto()
    """It stays, and what was announced does not hold any more."""
    ANNOUNCED = auto()
    """It is to be announced now."""
    WAITS = auto()
    """It is announced, and its time has not come."""
    GOES = auto()


def stage(
    decision: Decision, announced: Announcement | None, announce: timedelta | None, now: datetime
) -> Stage:
    """What becomes of a version, by what retention says of it and by what was announced.

    Args:
        decision: whether it is due.
        announced: the announcement that counts for it.
        announce: how long what is due stays once it is announced; None where nothing is announced.
        now: the present.
    """
    if isinstance(decision, Deletion):
        # What a clean-up disabled was announced before, and nothing uses it since: that was its time.
        if announce is None or decision.rule is Rule.DISABLED:
            return Stage.GOES
        if announced is None:
            return Stage.ANNOUNCED
        return Stage.GOES if announced.stays_until(announce) <= now else Stage.WAITS
    if announce is None or announced is None or decision.why in _STILL_DUE:
        return Stage.STAYS
    return Stage.FORGOTTEN
