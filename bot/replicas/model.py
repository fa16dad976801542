"""What replicas know of themselves and of each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


def short(id_: str) -> str:
    """The beginning of a replica's id, by which people tell it from others: in sentences, log lines and metrics."""
    return id_[:8]


@dataclass(frozen=True)
class ReplicaIdentity:
    """One replica.

    Attributes:
        id: its own, for as long as its state folder lives.
        host: the machine, or pod.
        pid: its process there.
        version: of Slipway.
        schema: the newest migration that it knows.
        configuration: stands for its configuration, without secrets and without what may differ between replicas.
    """

    id: str
    host: str
    pid: int
    version: str
    schema: str
    configuration: str

    @property
    def name(self) -> str:
        """For people: where it runs, and the beginning of its id."""
        return f"{self.host} ({short(self.id)})"


@dataclass(frozen=True)
class LeaseTiming:
    """How long a lease holds, in seconds.

    Attributes:
        ttl: for so long after it was seen renewed last nobody else takes it.
        margin: so much sooner its holder is not certain of it any more.
        beat: how often it is renewed, and looked at by the others.
        patience: how long one look or renewal may take.
        settle: how long a former holder's connections may take to end once that was asked for.
    """

    ttl: float = 10.0
    margin: float = 2.0
    beat: float = 3.0
    patience: float = 3.0
    settle: float = 3.0


@dataclass(frozen=True)
class Lease:
    """The one lease, as it stands in the database.

    Attributes:
        holder: the id of the replica that leads; empty where none does.
        host: where that runs.
        version: of its Slipway.
        schema: the newest migration that it knows, to which it brings the database.
        epoch: the number of the lease; each that is taken has a greater one.
        renewals: how often it was renewed: while this number grows, its holder lives.
        since: when it was taken, by the database's clock.
        wanted_by: the id of a replica that asks for it, as it is to migrate the schema; empty for none.
    """

    holder: str
    host: str
    version: str
    schema: str
    epoch: int
    renewals: int
    since: datetime | None
    wanted_by: str

    @property
    def state(self) -> tuple[int, int]:
        """What changes whenever its holder gives a sign of life."""
        return (self.epoch, self.renewals)


@dataclass(frozen=True)
class Peer:
    """A replica, as the others know it.

    Attributes:
        name: for people.
        id: its own.
        version: of its Slipway.
        configuration: as :attr:`ReplicaIdentity.configuration`.
        silent: for how long it gave no sign of life, by the database's clock.
    """

    id: str
    name: str
    version: str
    configuration: str
    silent: timedelta


SILENT_AFTER = timedelta(seconds=30)
"""A replica that gave no sign of life for so long is told as gone."""


@dataclass(frozen=True)
class ReplicaFacts:
    """How the replicas are, as one of them sees it; told by health and `!status`.

    Attributes:
        me: the id of the one that tells.
        leader: the id of the one that works; empty for none.
        since: since when that works.
        peers: all of them.
        warnings: what is wrong, a sentence each.
    """

    me: str
    leader: str
    since: datetime | None
    peers: tuple[Peer, ...]
    warnings: tuple[str, ...] = ()
