"""What the database knows of machines: what was reserved, and until when each machine lives.

The database decides, also where a machine's tags say something else; the tags are a copy, by which a lost database
can be rebuilt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from slipway.bot.clouds.machine_model import Instance
from slipway.bot.core.errors import UserError
from slipway.bot.operations.model import operation_of

AWAITED = "awaited"
"""Stands in :attr:`Machine.told` until the owner of a launched machine was told that it came up, or did not: 0, or
since when the cloud says that it did, in seconds since 1970."""

IDLE = "idle since"
"""Among what an owner was told: when, in seconds since 1970."""


class ReservationState(StrEnum):
    """How far a launch is. A claim counts against the limits as its machines will."""

    CLAIMED = "claimed"  # about to be launched, or it is not known yet what became of that
    LAUNCHED = "launched"  # its machines stand beside it
    RELEASED = "released"  # nothing came of it


@dataclass(frozen=True)
class Reservation:
    """What one launch made, or is about to make.

    Attributes:
        id: that of its operation; of a machine that a step makes for itself, that step's token.
        owner: a person's id.
        token: the launch's, by which the cloud knows its machines.
        claimed_at: since when it counts.
        lease_ends_at: until when its machines live, unless somebody extends that.
        cap_ends_at: the end of their whole life, which nothing extends.
        ssh_user: whom to log in as; empty where nobody said.
    """

    id: str
    state: ReservationState
    owner: str
    profile: str
    cloud: str
    region: str
    token: str
    count: int
    claimed_at: datetime
    lease_ends_at: datetime
    cap_ends_at: datetime
    ssh_user: str = ""

    def machine(self, instance: Instance) -> Machine:
        """One of its machines, as it was first seen: its owner is told once it came up, unless a step made it for
        itself."""
        found = Machine(
            cloud=self.cloud,
            instance_id=instance.id,
            region=instance.region,
            reservation_id=self.id,
            owner=self.owner,
            profile=self.profile,
            launched_at=self.claimed_at,
            lease_ends_at=self.lease_ends_at,
            cap_ends_at=self.cap_ends_at,
            told={AWAITED: 0},
        )
        return replace(found, told={}) if found.of_step else found


@dataclass(frozen=True)
class Machine:
    """One machine: whose, until when, and what its owner was told.

    Attributes:
        reservation_id: of the launch that made it; None for one that was adopted without.
        stopped_at: since when it rests; None while it runs.
        rested_seconds: how long it rested before, in all.
        ended_at: when it was seen gone; None while it lives.
        revision: goes up whenever owner or lease change.
        mirrored: the revision that its tags say.
        told: what its owner was told, and for which revision: ``{"30m": 2}``.
        attempts: how often its end was asked for in vain.
        next_attempt_at: before when it is not asked for again.
    """

    cloud: str
    instance_id: str
    region: str
    reservation_id: str | None
    owner: str
    profile: str
    launched_at: datetime
    lease_ends_at: datetime
    cap_ends_at: datetime
    stopped_at: datetime | None = None
    rested_seconds: int = 0
    ended_at: datetime | None = None
    revision: int = 1
    mirrored: int = 0
    told: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0
    next_attempt_at: datetime | None = None

    @property
    def living(self) -> bool:
        """Whether it was not seen gone."""
        return self.ended_at is None

    def due(self, now: datetime) -> bool:
        """Whether its time is up."""
        return min(self.lease_ends_at, self.cap_ends_at) <= now

    def ran(self, now: datetime) -> timedelta:
        """How long it has run so far, as far as anybody looked: less what it rested."""
        end = min(now, self.stopped_at or now)
        return max(timedelta(), end - self.launched_at - timedelta(seconds=self.rested_seconds))

    @property
    def idle_since(self) -> datetime | None:
        """When its owner was told that nobody uses it; None where that is not so."""
        since = self.told.get(IDLE)
        return None if since is None else datetime.fromtimestamp(since, UTC)

    @property
    def of_step(self) -> bool:
        """Whether a step made it for itself, as a boot test does: its operation tells of it and ends it."""
        return operation_of(self.reservation_id or "") is not None

    @property
    def operation_id(self) -> str | None:
        """The operation that made it; None for one that was adopted without."""
        return operation_named(self.reservation_id) if self.reservation_id is not None else None

    @property
    def place(self) -> str:
        """How it is called among what counts against the limits."""
        return f"{self.cloud} {self.instance_id}"


def operation_named(reservation_id: str) -> str:
    """The operation whose launch a reservation is, or the launch of one of whose steps."""
    return operation_of(reservation_id) or reservation_id


class ChangedMeanwhileError(UserError):
    """A machine's owner or lease was changed by somebody else since it was looked at."""
