"""What a hold is, and what holds a version: pure.

A hold is one person's veto on promoting and on removing a version, or every version of a definition. It takes nothing
back from latest and keeps nobody from doing that. It ends by itself at its time, or when somebody lifts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from slipway.bot.core.times import format_time
from slipway.bot.subjects.images.requests import Pin

WHOLE_DEFINITION = ""
"""Stands for the version of a hold on all that a definition has, and will have."""

_UTC = ZoneInfo("UTC")
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class PlacedHold:
    """A hold that somebody placed.

    Attributes:
        cloud: the account that has the definition.
        definition: its name; case does not count.
        version: the number of the version that is held; :data:`WHOLE_DEFINITION` for all.
        person: whose hold it is, by their id. Each person has one hold at most on one thing.
        reason: why, in their words.
        since: when it was placed.
        until: when it ends by itself; None for when it is lifted.
        key: names the step that placed it.
    """

    cloud: str
    definition: str
    version: str
    person: str
    reason: str
    since: datetime
    until: datetime | None
    key: str

    def is_active(self, now: datetime) -> bool:
        """Whether it has not ended by itself."""
        return self.until is None or now < self.until

    @property
    def subject(self) -> tuple[str, str, str]:
        """What it holds, equal for what is the same."""
        return self.cloud, self.definition.casefold(), self.version

    @property
    def whole(self) -> bool:
        """Whether it holds all versions of its definition."""
        return self.version == WHOLE_DEFINITION


class Holds:
    """All holds of a moment.

    Args:
        placed: whatever was placed and not lifted, in any order; what has ended is passed over.
        name: what to call a person by their id.
    """

    def __init__(self, placed: Iterable[PlacedHold], name: Callable[[str], str]) -> None:
        self._name = name
        self._by_subject: dict[tuple[str, str, str], list[PlacedHold]] = {}
        for each in placed:
            self._by_subject.setdefault(each.subject, []).append(each)

    def active(self, now: datetime) -> tuple[PlacedHold, ...]:
        """All that hold something now, by what they hold."""
        found = [each for held in self._by_subject.values() for each in held if each.is_active(now)]
        return tuple(sorted(found, key=lambda each: (*each.subject, each.since, each.person)))

    def on(self, version: Pin, now: datetime) -> tuple[PlacedHold, ...]:
        """What holds a version now: those of its whole definition first, of each kind the one that lasts longest."""
        if not self._by_subject:
            return ()
        folded = version.definition.casefold()
        subjects = [(version.cloud, folded, number) for number in (WHOLE_DEFINITION, version.version)]
        return tuple(
            each
            for subject in subjects
            for each in sorted(self._by_subject.get(subject, ()), key=_longest_first)
            if each.is_active(now)
        )

    def why_held(self, version: Pin, now: datetime) -> str:
        """Why a version must be neither promoted nor removed now, as the rest of a sentence about it; empty where it
        may."""
        found = self.on(version, now)
        return f"is held by {self.words(found[0])}" if found else ""

    def words(self, hold: PlacedHold, zone: ZoneInfo = _UTC) -> str:
        """A hold in a few words: whose, until when, why."""
        until = "" if hold.until is None else f" until {format_time(hold.until, zone)}"
        return f"{self._name(hold.person)}{until} ({hold.reason})"


NO_HOLDS = Holds((), str)
"""Where nothing is held."""


def _longest_first(hold: PlacedHold) -> tuple[float, datetime]:
    return -(hold.until or _FOR_EVER).timestamp(), hold.since


class HoldReader(Protocol):
    """Where holds are looked up."""

    @property
    def known(self) -> Holds:
        """The holds as they were read or changed here last: for a look right before a write, which cannot wait."""
        ...

    async def read(self) -> Holds:
        """The holds as they are."""
        ...


class NothingHeld:
    """Where nobody can hold anything."""

    known = NO_HOLDS

    async def read(self) -> Holds:
        """None."""
        return NO_HOLDS
