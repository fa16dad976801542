"""What a look changes in the list: pure.

An entry is opened by being seen, and closed by a look that covers it and does not see it; by nothing else, but for a
source that the configuration has no more. What comes back soon after it was over is the same entry again, so that
something that comes and goes is not told each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from slipway.bot.problems.model import Ending, Entry, EntryState, Found, Look, Unseen

RETURNS_SOON = timedelta(minutes=30)
"""What comes back within this time was not over."""

LAPSED_LATELY = timedelta(days=1)
"""How long after an acknowledgement lapsed anybody is told of that: after a longer outage of the bot nobody is."""

UNSEEN = "unseen"
"""Begins the key of an entry that says what could not be looked at; no source uses it for its own."""


class ChangeKind(StrEnum):
    """What became of an entry."""

    NEW = "new"  # seen, and maybe to be told later
    OPENED = "opened"  # it has lasted for long enough to be told
    RETURNED = "returned"  # within RETURNS_SOON
    REWORDED = "reworded"
    LAPSED = "lapsed"  # its acknowledgement has
    CLOSED = "closed"
    FORGOTTEN = "forgotten"  # it was over before anybody was told


@dataclass(frozen=True)
class Change:
    """An entry as it is to be from now on, and what became of it."""

    kind: ChangeKind
    entry: Entry


NewEntry = Callable[[Found], Entry]
"""Makes an entry, in the state NEW, of something that is seen for the first time."""


def reconcile(
    previous: Sequence[Entry], look: Look, now: datetime, new: NewEntry, patience: timedelta
) -> tuple[Change, ...]:
    """What a look changes.

    Args:
        previous: the entries of the source that are not closed, and those that were closed within
            :data:`RETURNS_SOON`.
        look: what was seen.
        now: when.
        new: makes entries.
        patience: how long looks may be impossible before that is told.
    """
    seen = {each.key: each for each in (*look.found, *(_found(each, patience) for each in look.unseen))}
    latest = {each.found.key: each for each in sorted(previous, key=_age)}
    changes: list[Change] = []
    for key, entry in latest.items():
        changes += _again(entry, seen[key], now) if key in seen else _gone(entry, look, now)
    for key, found in seen.items():
        if key not in latest:
            changes += _begun(new(found), now)
    return tuple(changes)


def retire(previous: Iterable[Entry], now: datetime) -> tuple[Change, ...]:
    """What changes where nothing looks at the source's matters any more."""
    return tuple(_over(each, Ending.UNWATCHED, now) for each in previous if not each.closed)


def _age(entry: Entry) -> tuple[bool, datetime]:
    """What is not closed counts before what is."""
    return not entry.closed, entry.closed_at or entry.opened_at


def _found(unseen: Unseen, patience: timedelta) -> Found:
    """That something could not be looked at, as a problem of its own."""
    return Found(
        key=f"{UNSEEN} {unseen.scope}".rstrip(),
        what=unseen.what,
        scope=unseen.scope,
        detail=unseen.detail,
        move=unseen.move,
        patience=patience,
    )


def _begun(entry: Entry, now: datetime) -> Iterator[Change]:
    opened = _lasted(entry, now)
    kind = ChangeKind.OPENED if opened else ChangeKind.NEW
    yield Change(kind, replace(entry, state=EntryState.OPEN if opened else EntryState.NEW))


def _lasted(entry: Entry, now: datetime) -> bool:
    return now - entry.opened_at >= entry.found.patience


def _again(entry: Entry, found: Found, now: datetime) -> Iterator[Change]:
    """It is seen again."""
    kind: ChangeKind | None = None
    after = moved = entry.by_todays_clock(now)
    if found != entry.found:
        after, kind = after.changed(found=found), ChangeKind.REWORDED
    if entry.closed:
        after = after.changed(state=EntryState.OPEN, closed_at=None, ending=None)
        kind = ChangeKind.RETURNED
    elif entry.state is EntryState.NEW and _lasted(after, now):
        after, kind = after.changed(state=EntryState.OPEN), ChangeKind.OPENED
    if _has_lapsed(after, now):
        after, kind = _lapsed(after, now), kind or ChangeKind.LAPSED
    if kind is None and moved is not entry:
        after, kind = moved.changed(), ChangeKind.REWORDED
    if kind is not None:
        yield Change(kind, after)


def _gone(entry: Entry, look: Look, now: datetime) -> Iterator[Change]:
    """It is not seen; that means something only where it was looked at."""
    if entry.closed:
        return
    if not look.watches(entry.found.scope):
        yield _over(entry, Ending.UNWATCHED, now)
    elif not any(each.covers(entry.found.scope) for each in look.unseen):
        yield _over(entry, Ending.WELL, now)
    elif _has_lapsed(moved := entry.by_todays_clock(now), now):
        yield Change(ChangeKind.LAPSED, _lapsed(moved, now))
    elif moved is not entry:
        yield Change(ChangeKind.REWORDED, moved.changed())


def _has_lapsed(entry: Entry, now: datetime) -> bool:
    given = entry.acknowledged
    return given is not None and not given.lapsed and not given.holds(now)


def _lapsed(entry: Entry, now: datetime) -> Entry:
    given = entry.acknowledged
    assert given is not None  # noqa: S101 - for the type checker; _has_lapsed says so
    remind = entry.state is EntryState.OPEN and now - given.until <= LAPSED_LATELY
    return entry.changed(acknowledged=replace(given, lapsed=True), remind=remind)


def _over(entry: Entry, ending: Ending, now: datetime) -> Change:
    if entry.state is EntryState.NEW:
        return Change(ChangeKind.FORGOTTEN, entry)
    over = entry.changed(state=EntryState.CLOSED, closed_at=now, ending=ending, remind=False)
    return Change(ChangeKind.CLOSED, over)
