"""What all executors of machines share: where a step's machines are, and how doubts about a change are told."""

from __future__ import annotations

from typing import Protocol

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy

SEE_MACHINES = Remedy("instances", "to see what is there")


class InCloud(Protocol):
    """A step that says in which cloud it acts, and where there."""

    @property
    def cloud(self) -> str:
        """The name of its table."""
        ...

    @property
    def region(self) -> str:
        """One of the account's regions; empty for its own."""
        ...


def machines_of(clouds: Clouds, step: InCloud) -> Machines:
    """Where a step acts."""
    return machines_at(clouds, step.cloud, step.region)


def machines_at(clouds: Clouds, cloud: str, region: str) -> Machines:
    """An account, as seen from one of its regions; empty stands for its own.

    Raises:
        UserError: the account or the region is not configured.
    """
    machines = clouds.get(MACHINES, cloud)
    return machines if region in ("", machines.region) else machines.at(region)


def conflict(step: InCloud, sentence: str, remedy: Remedy | None = None) -> CloudError:
    """The error for a step that would not be right any more; without a remedy, asking again may help."""
    return CloudError(CloudErrorKind.CONFLICT, cloud=step.cloud, sentence=sentence, remedy=remedy)


def not_looked_up(error: CloudError, blind: CloudError) -> str:
    """That looking failed, too, with the cloud's own words for that where they are other ones."""
    return f"It could not be looked up: {blind.sentence if blind.reason == error.reason else blind.words}"


def undecided(error: CloudError, seen: str) -> CloudError:
    """What is not known, and what looking brought."""
    return CloudError(
        error.kind,
        cloud=error.cloud,
        code=error.code,
        sentence=f"{error.sentence} {seen}",
        reason=error.reason,
        remedy=SEE_MACHINES,
        doubtful=True,
    )
