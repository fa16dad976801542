"""Problems for tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count

from slipway.bot.problems.model import Acknowledgement, Entry, EntryState, Found, Look, Unseen
from slipway.bot.problems.reconciling import RETURNS_SOON, Change, ChangeKind, NewEntry, reconcile
from tests.support.clock import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PATIENCE = HOUR


def found(key: str = "leak", scope: str = "", **more: object) -> Found:
    return Found.model_validate({"key": key, "what": f"There is a {key}.", "scope": scope, **more})


def unseen(scope: str = "") -> Unseen:
    return Unseen(scope, f"{scope or 'All'} could not be seen.", "The light is off.")


def entry(**more: object) -> Entry:
    fields: dict[str, object] = {
        "id": "pb-2222",
        "source": "cellar",
        "found": found(),
        "state": EntryState.OPEN,
        "opened_at": NOW,
        "notice": "problem:pb-2222",
    }
    return Entry(**(fields | more))  # type: ignore[arg-type]


def acknowledged(until: datetime = NOW + DAY, by: str = "alice") -> Acknowledgement:
    return Acknowledgement(by, NOW, until, "I look into it", "token")


class ListInMemory:
    """The list as the store keeps it, by the pure rules alone."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._numbers = count(1)

    @property
    def open(self) -> list[Entry]:
        return [each for each in self.entries.values() if not each.closed]

    def look(self, look: Look, now: datetime) -> tuple[Change, ...]:
        """Take a look in; what it changed."""
        previous = [
            each
            for each in self.entries.values()
            if each.closed_at is None or each.closed_at > now - RETURNS_SOON
        ]
        changes = reconcile(previous, look, now, self._maker(now), PATIENCE)
        self.keep(changes)
        return changes

    def keep(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.kind is ChangeKind.FORGOTTEN:
                del self.entries[change.entry.id]
            else:
                self.entries[change.entry.id] = change.entry

    def _maker(self, now: datetime) -> NewEntry:
        def new(seen: Found) -> Entry:
            return Entry(f"pb-{next(self._numbers)}", "cellar", seen, EntryState.NEW, now, notice="")

        return new
