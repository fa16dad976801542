"""What of a clean-up goes now, what is announced, and what waits: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.images.announcing.model import Announcement, Announcements, Stage, stage
from slipway.bot.subjects.images.cleaning_up.retention import Deletion, Kept, Retention
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.requests import Cleanup, Pin

_NAMED = 40
"""How many versions that wait are named."""


@dataclass(frozen=True)
class Chosen:
    """A version that is due, and its definition; ``announced`` is what was announced of it, if that counts."""

    definition: DefinitionRef
    deletion: Deletion
    announced: Announcement | None = None

    @property
    def pin(self) -> Pin:
        """It, as requests name it."""
        return Pin.of(self.definition, self.deletion.version)


@dataclass(frozen=True)
class Excused:
    """A version that was announced, and is not due any more."""

    definition: DefinitionRef
    kept: Kept

    @property
    def pin(self) -> Pin:
        """It, as requests name it."""
        return Pin.of(self.definition, self.kept.version)


@dataclass(frozen=True)
class Staged:
    """What becomes of what is due, and of what was announced, oldest first: what is missed least goes first."""

    going: list[Chosen] = field(default_factory=list)
    announcing: list[Chosen] = field(default_factory=list)
    forgotten: list[Excused] = field(default_factory=list)
    waiting: list[Chosen] = field(default_factory=list)

    def of(self, request: Cleanup) -> Staged:
        """The same; of a request that was planned before, only what was found then."""
        if request.pins is None:
            return self
        going, announcing, forgotten = (
            {pin.target for pin in pins} for pins in (request.pins, request.announced, request.forgotten)
        )
        return Staged(
            [each for each in self.going if each.pin.target in going],
            [each for each in self.announcing if each.pin.target in announcing],
            [each for each in self.forgotten if each.pin.target in forgotten],
            self.waiting,
        )


def sort(
    decided: Mapping[DefinitionRef, Retention],
    announcements: Announcements,
    announce: timedelta | None,
    now: datetime,
) -> Staged:
    """Say of each version what becomes of it.

    Args:
        decided: what retention says.
        announcements: what was announced.
        announce: how long what is due stays once it is announced; None where it goes at once.
        now: the present.
    """
    staged = Staged()
    due = {
        Stage.GOES: staged.going,
        Stage.ANNOUNCED: staged.announcing,
        Stage.WAITS: staged.waiting,
    }
    for definition, result in decided.items():
        for each in reversed(result.deletions):
            announced = announcements.of(definition, each.version, now)
            chosen = Chosen(definition, each, announced)
            due[stage(each, announced, announce, now)].append(chosen)
        for kept in reversed(result.kept) if announce is not None else ():
            announced = announcements.of(definition, kept.version, now)
            if stage(kept, announced, announce, now) is Stage.FORGOTTEN:
                staged.forgotten.append(Excused(definition, kept))
    return staged


def tell_waiting(waiting: Iterable[Chosen], announce: timedelta | None) -> tuple[str, ...]:
    """What is announced and stays until then, a sentence a moment, the next one first."""
    return tuple(
        f"Announced, and not gone before {until}: {join_names(names, _NAMED, of='version')}."
        for until, names in _by_time(waiting, announce)
    )


def waiting_evidence(waiting: Collection[Chosen], announce: timedelta | None) -> tuple[tuple[str, str], ...]:
    """The same as rows of a card."""
    return tuple(
        (f"Announced, stays until {until}", join_names(names, _NAMED, of="version"))
        for until, names in _by_time(waiting, announce)
    )


def _by_time(waiting: Iterable[Chosen], announce: timedelta | None) -> Iterator[tuple[str, list[str]]]:
    times: dict[str, list[str]] = {}
    for each in waiting:
        if each.announced is not None and announce is not None:
            until = f"{each.announced.stays_until(announce):%Y-%m-%d %H:%M} UTC"
            times.setdefault(until, []).append(f"{each.deletion.version.number} of {each.definition}")
    yield from sorted(times.items())


def versions_by_definition(chosen: Iterable[Chosen]) -> dict[DefinitionRef, list[ImageVersion]]:
    """The versions of each definition, in their order."""
    found: dict[DefinitionRef, list[ImageVersion]] = {}
    for each in chosen:
        found.setdefault(each.definition, []).append(each.deletion.version)
    return found


def summary(staged: Staged, announce: timedelta | None, last: Sequence[str]) -> tuple[str, ...]:
    """What will have been announced and taken back, as parts of a sentence.

    Args:
        staged: what becomes of each version.
        announce: how long what is announced stays.
        last: versions that are announced, and the last promoted ones of their definitions.
    """
    parts = []
    if staged.announcing and announce is not None:
        after = format_duration(announce)
        parts.append(
            f"{_count(staged.announcing)} announced: the first clean-up {after} later or more removes what is due "
            "still and held by nobody"
        )
        if last:
            parts.append(f"attention, the last promoted version is among them: {join_names(last, len(last))}")
    if staged.forgotten:
        parts.append(f"{_count(staged.forgotten)} not announced any more")
    return tuple(parts)


def _count(of: Sequence[Chosen] | Sequence[Excused]) -> str:
    definitions = list(dict.fromkeys(str(each.definition) for each in of))
    named = join_names(definitions, of="definition")
    return f"{len(of)} version{'' if len(of) == 1 else 's'} of {named}"
