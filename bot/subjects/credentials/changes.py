"""What changed of credentials between two looks: pure.

What could not be read is not gone, and what is seen first is learned without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from slipway.bot.core.model import Model
from slipway.bot.subjects.credentials.model import Credential, Reading

TOLD_AFTER = 2
"""So many looks in a row that fail are told: one may be a moment's outage, and the next one is soon."""


class Reminded(Model):
    """That somebody was reminded of a credential. Stored: names of fields stay.

    Attributes:
        ends_at: of which end; a renewed credential has another.
        first: the step of the first reminder, which is the message that the others stand below.
    """

    ends_at: datetime
    first: str


class Seen(Model):
    """What was seen of a credential. Stored: names of fields stay.

    Attributes:
        name: what people typed.
        title: what it was.
        ends_at: when it was to end.
        generation: what was another one where its content was replaced.
        reminded: the reminder that stands in the room; None where none does.
        overdue: whether it has ended, or is too old, with nothing in its place, and nobody says that it is seen to.
        by_age: whether its end is no more than what slipway.toml asks.
        kind: what sort of thing it is; empty where an earlier Slipway saw it.
        put_off: until when somebody has put its reminder off; None for nobody.
    """

    name: str
    title: str
    ends_at: datetime | None = None
    generation: str = ""
    reminded: Reminded | None = None
    overdue: bool = False
    by_age: bool = False
    kind: str = ""
    put_off: datetime | None = None


class SeenEntry(Model):
    """What was seen by an entry. Stored: names of fields stay.

    Attributes:
        credentials: by their keys.
        changes: how many times something of it was told; names the next message.
        failures: how many looks in a row could not read it, of those that are far enough apart to count.
        failed_at: when the last of these was.
        problem: why the last of them could not.
        outages: how many times it was told that it could not be read.
    """

    credentials: dict[str, Seen]
    changes: int = 0
    failures: int = 0
    failed_at: datetime | None = None
    problem: str = ""
    outages: int = 0

    @property
    def outage_told(self) -> bool:
        """Whether it stands in the room that it cannot be read."""
        return self.failures >= TOLD_AFTER


class ChangeKind(StrEnum):
    """What happened to a credential."""

    APPEARED = "appeared"
    DISAPPEARED = "disappeared"
    RENEWED = "renewed"  # under the same key: another end, or other content


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        kind: which.
        key: of the credential.
        before: as it was seen; None for one that appeared.
        now: as it is; None for one that disappeared.
    """

    kind: ChangeKind
    key: str
    before: Seen | None = None
    now: Credential | None = None


def kept_apart(readings: Sequence[Reading], before: Mapping[str, SeenEntry]) -> tuple[Reading, ...]:
    """The readings, without what belongs to an entry that cannot be read now and is found by another one meanwhile:
    it has not moved, and will be back."""
    held = {
        key: reading.entry
        for reading in readings
        if reading.problem and reading.entry in before
        for key in before[reading.entry].credentials
    }
    return tuple(
        replace(
            reading,
            found=tuple(each for each in reading.found if held.get(each.key) in (None, reading.entry)),
        )
        for reading in readings
    )


@dataclass(frozen=True)
class Everywhere:
    """The keys of all credentials, whichever entry finds them.

    Attributes:
        before: that were seen before.
        now: that are there now.
    """

    before: frozenset[str] = frozenset()
    now: frozenset[str] = frozenset()

    @classmethod
    def of(cls, before: Mapping[str, SeenEntry], readings: Sequence[Reading]) -> Everywhere:
        """Of two looks at all entries."""
        return cls(
            frozenset(key for entry in before.values() for key in entry.credentials),
            frozenset(each.key for reading in readings for each in reading.found),
        )


NOWHERE = Everywhere()
"""No other entry finds anything."""


def changes(
    before: Mapping[str, Seen], reading: Reading, everywhere: Everywhere = NOWHERE
) -> tuple[Change, ...]:
    """What a look that could read everything shows to be other than before. What another entry finds now, as the
    configuration has changed, is neither gone nor new."""
    if reading.problem:
        return ()
    found = {each.key: each for each in reading.found}
    gone = [
        Change(ChangeKind.DISAPPEARED, key, before=each)
        for key, each in before.items()
        if key not in found and key not in everywhere.now
    ]
    new = [
        Change(ChangeKind.APPEARED, key, now=each)
        for key, each in found.items()
        if key not in before and key not in everywhere.before
    ]
    renewed = [
        Change(ChangeKind.RENEWED, key, before[key], each)
        for key, each in found.items()
        if key in before and (before[key].ends_at, before[key].generation) != (each.ends_at, each.generation)
    ]
    return (*gone, *new, *renewed)


def seen(credential: Credential, before: Seen | None) -> Seen:
    """What is kept of a credential; that a reminder stands in the room is kept for as long as its end is the same."""
    reminded = before.reminded if before is not None else None
    if reminded is not None and reminded.ends_at != credential.ends_at:
        reminded = None
    return Seen(
        name=credential.name,
        title=credential.title,
        ends_at=credential.ends_at,
        generation=credential.generation,
        reminded=reminded,
        by_age=credential.by_age,
        kind=credential.kind.value,
    )


def by_others(found: Sequence[Change], made: Collection[str], removed: Collection[str]) -> tuple[Change, ...]:
    """The changes, without those that Slipway itself made and has told of.

    Args:
        found: the changes.
        made: the ids at their source of what Slipway made.
        removed: those of what it took away.
    """
    own = {ChangeKind.APPEARED: made, ChangeKind.DISAPPEARED: removed}
    return tuple(each for each in found if each.key.rpartition(":")[2] not in own.get(each.kind, ()))
