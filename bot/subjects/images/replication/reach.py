"""How a promotion reaches its regions, as data: which copies are made first, and which regions are promoted when.

Stored with requests: the names of fields and their defaults stay.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

from slipway.bot.clouds.model import ImageVersion, ReplicationState, TargetRegion, VersionState
from slipway.bot.core.model import Model
from slipway.bot.subjects.images.replication.settings import ReplicationSettings
from slipway.bot.subjects.images.replication.states import missing_copies


class Wave(Model):
    """Regions that are promoted together. ``bake`` is in seconds."""

    name: str
    regions: tuple[str, ...]
    bake: int


class Reach(Model):
    """How one version reaches its regions.

    Attributes:
        regions: where it is to be, as configured when it was planned, without those that are waived.
        replicas: how many of them a region has at least; None leaves their number as it is.
        within: so many seconds its copies may take.
        copies: whether copies are made first.
        waves: what is promoted before the rest.
        left: regions that it is taken off first, since its copy failed there and they are waived.
    """

    regions: tuple[str, ...]
    replicas: int | None = None
    within: int
    copies: bool
    waves: tuple[Wave, ...] = ()
    left: tuple[str, ...] = ()


class Debt(Model):
    """Regions that a promoted version is wanted in, and is not: what a promotion left out, or what is wanted since.

    The first four fields are those of :class:`slipway.bot.subjects.images.requests.Pin`.

    Attributes:
        regions: where it is to be latest, too.
        replicas: as in :class:`Reach`.
        within: as there.
        copied: whether its copies are all there, and it is only to be promoted in these regions.
        rollbacks: how many rollbacks of it had ended when this was planned; None where that was not noted.
        overridden: the rules that it was promoted in spite of.
        agreed: the operation by whose approval it may be there; empty where none covers it.
    """

    definition: str
    version: str
    cloud: str
    qualified: bool
    regions: tuple[str, ...]
    replicas: int | None = None
    within: int
    copied: bool = False
    rollbacks: int | None = None
    overridden: tuple[str, ...] = ()
    agreed: str = ""


def regions_owed(version: ImageVersion, wanted: ReplicationSettings) -> tuple[str, ...]:
    """The regions that a promoted version is wanted in, and in which a launch cannot resolve to it.

    Args:
        version: the newest that is promoted, read with its copies.
        wanted: what is configured for its definition.
    """
    return tuple(region for region in wanted.regions if region not in version.latest_regions)


def failed_copies(version: ImageVersion) -> tuple[str, ...]:
    """The regions because of which its cloud calls a version failed; none where it does not, or another reason may
    be.

    Args:
        version: read with its copies.
    """
    if version.state is not VersionState.FAILED:
        return ()
    return tuple(
        region.name
        for region in version.regions
        if region.replication is not None and region.replication.state is ReplicationState.FAILED
    )


def reach_of(version: ImageVersion, wanted: ReplicationSettings, left: Collection[str] = ()) -> Reach | None:
    """How a version gets to where it is wanted; None where it is there, and promoted at once.

    Args:
        version: read with its copies.
        wanted: what is configured for its definition, without what is waived.
        left: regions that it is taken off.

    Waves in which it is promoted already, by a promotion that was stopped between them, are not gone through again.
    """
    regions, promoted = wanted.regions, version.launch_regions
    few = [
        region.name
        for region in version.regions
        if region.name in regions and (region.replicas or 1) < (wanted.replicas or 1)
    ]
    copies = bool(few or missing_copies(version, regions))
    waves = [
        Wave(name=wave.name, regions=here, bake=int(wave.bake.total_seconds()))
        for wave in wanted.waves
        if (here := tuple(each for each in wave.regions if each in regions and each not in promoted))
    ]
    if not (copies or waves or left):
        return None
    return Reach(
        regions=regions,
        replicas=wanted.replicas,
        within=int(wanted.within.total_seconds()),
        copies=copies,
        waves=tuple(waves),
        left=tuple(left),
    )


def as_planned(
    version: ImageVersion, regions: Collection[str], *, settled: bool, left: Collection[str] = ()
) -> ImageVersion:
    """A candidate as it will be before it is promoted: with its copies, in every region that is wanted, and promoted
    in none, however far that is. So what a plan says and rests on is the same all along.

    Args:
        version: a version whose own flag keeps it from being latest.
        regions: where it is wanted.
        settled: whether its copies are being made by the very plan, and what Azure says of its state is about them.
        left: regions that it is taken off.
    """
    kept = _regions_as_planned(version.regions, tuple(regions), tuple(left))
    own = version.state in (VersionState.UPDATING, VersionState.FAILED)
    state = VersionState.SUCCEEDED if settled and own else version.state
    if kept == version.regions and state is version.state:
        return version  # most are, of ten thousand
    return replace(version, regions=kept, state=state)


@lru_cache(maxsize=4096)
def _regions_as_planned(
    regions: tuple[TargetRegion, ...], wanted: tuple[str, ...], left: tuple[str, ...]
) -> tuple[TargetRegion, ...]:
    """Remembered, since the few sets of regions that there are come by the ten thousand."""
    held = [replace(region, excluded=None, replication=None) for region in regions if region.name not in left]
    if not held:
        return ()
    names = {region.name for region in held}
    more = [TargetRegion(name) for name in sorted(set(wanted) - names)]
    return tuple(sorted((*held, *more), key=lambda region: region.name))
