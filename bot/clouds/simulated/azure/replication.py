"""The copies of a version in its regions: how long each takes, and which fail.

Source of the form: recorded answers of 2020 (all complete; regions by their short names, ``details`` left out where
all is well) and the specification's ``ReplicationStatus``. That a copy is part of no operation's end, so that a
version is Succeeded while a region still replicates or failed, is documented; that a version's update can also end
with its last copy, and Failed with one that failed, is reported (azure-cli#15539).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class CopyState(StrEnum):
    """Azure's words."""

    REPLICATING = "Replicating"
    COMPLETED = "Completed"
    FAILED = "Failed"


class Copying(BaseModel):
    """How copies go, by the regions' short names.

    Attributes:
        takes: how long a copy takes; one to a region that is not named is there at once.
        fails: how many tries fail there, each once it took its time.
        details: what Azure says of one that failed.
        ends_updates: whether a version's update goes on until its last copy has ended, and fails with one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    takes: Mapping[str, timedelta] = {}
    fails: Mapping[str, int] = {}
    details: str = "Replication failed due to an internal error. Please retry."
    ends_updates: bool = False


AT_ONCE = Copying()


@dataclass
class Copy:
    """One copy that was begun. ``tries`` says how often so far."""

    began: datetime
    takes: timedelta
    fails: bool
    tries: int = 1

    def state(self, now: datetime) -> CopyState:
        """How far it is."""
        if now < self.ends:
            return CopyState.REPLICATING
        return CopyState.FAILED if self.fails else CopyState.COMPLETED

    @property
    def ends(self) -> datetime:
        """When it is over, well or not."""
        return self.began + self.takes

    def progress(self, now: datetime) -> int:
        """In percent."""
        match self.state(now):
            case CopyState.COMPLETED:
                return 100
            case CopyState.FAILED:
                return 0
            case CopyState.REPLICATING:
                return int(100 * ((now - self.began) / self.takes))


class Copies(dict[str, Copy]):
    """The copies of one version that are not simply there, by the regions' short names."""

    def begin(self, regions: Iterable[str], how: Copying, now: datetime) -> None:
        """A write named these regions that were not there before. Those that failed are tried again by any write."""
        failed = self.failed(now)
        for region in dict.fromkeys((*regions, *failed)):
            tries = self[region].tries + 1 if region in failed else 1
            fails = tries <= how.fails.get(region, 0)
            self[region] = Copy(now, how.takes.get(region, timedelta()), fails, tries)

    def failed(self, now: datetime) -> tuple[str, ...]:
        """The regions where the last try failed."""
        return tuple(region for region, copy in self.items() if copy.state(now) is CopyState.FAILED)

    def keep(self, regions: Iterable[str]) -> None:
        """Forget the copies in all other regions."""
        for region in self.keys() - set(regions):
            del self[region]

    def there(self, region: str, now: datetime) -> bool:
        """Whether a launch finds the version there."""
        return region not in self or self[region].state(now) is CopyState.COMPLETED

    def ended(self, now: datetime) -> datetime:
        """When the last of them ends or has ended; at least now."""
        return max((copy.ends for copy in self.values()), default=now)

    @property
    def any_fails(self) -> bool:
        """Whether one ends badly, or has."""
        return any(copy.fails for copy in self.values())

    def shown(
        self, regions: Iterable[str], now: datetime, details: str, *, made: bool = True
    ) -> dict[str, Any]:
        """What an answer says of the version's regions; of one that is still being ``made``, nothing is there."""
        summary: list[dict[str, Any]] = []
        for region in regions:
            copy = self.get(region)
            state = copy.state(now) if copy else CopyState.COMPLETED
            if not made and state is CopyState.COMPLETED:
                state = CopyState.REPLICATING
            failed = {"details": details} if state is CopyState.FAILED else {}
            progress = copy.progress(now) if copy else 100
            progress = progress if made else min(progress, 99 if copy else 0)
            summary.append({"region": region, "state": state.value, **failed, "progress": progress})
        states = {each["state"] for each in summary}
        if CopyState.FAILED in states:
            aggregated = "Failed"
        else:
            aggregated = "InProgress" if CopyState.REPLICATING in states else "Completed"
        return {"aggregatedState": aggregated, "summary": summary}
