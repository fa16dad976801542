"""What the copies of a version say. Pure: the cloud was asked before, or nothing is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipway.bot.clouds.model import ImageVersion, Replication, ReplicationState, TargetRegion
from slipway.bot.subjects.images.formatting import format_regions, join_names


def known(version: ImageVersion) -> bool:
    """Whether its cloud told how far its copies are."""
    return any(region.replication is not None for region in version.regions)


def missing_copies(
    version: ImageVersion, regions: Iterable[str] | None = None
) -> dict[str, Replication | None]:
    """The regions that a version is not in, or not yet, by name, with how far the copy there is; None where there is
    to be none. A copy of which nothing was asked counts as there.

    Args:
        version: read with its copies; from a listing, only regions that are no targets of it are found.
        regions: those that count, also ones that are no targets of it; None for its own.
    """
    held = {region.name: region for region in version.regions}
    found: dict[str, Replication | None] = {}
    for name in sorted(held if regions is None else set(regions)):
        region = held.get(name)
        if region is None or not region.present:
            found[name] = None if region is None else region.replication
    return found


def replication_words(version: ImageVersion) -> tuple[str, ...]:
    """What its copies add to what a version is called: ``replicating 40 %``, ``failed in southeastasia``; nothing
    where all are complete, or the cloud was not asked."""
    words: list[str] = []
    by_state = _by_state(version.regions)
    under_way = by_state[ReplicationState.REPLICATING]
    if under_way:
        told = [each.replication.progress for each in under_way if each.replication is not None]
        least = min((each for each in told if each is not None), default=None)
        words.append("replicating" if least is None else f"replicating {least} %")
    if failed := by_state[ReplicationState.FAILED]:
        words.append(f"failed in {_names(failed)}")
    if unknown := by_state[ReplicationState.UNKNOWN]:
        words.append(f"replication unknown in {_names(unknown)}")
    return tuple(words)


def copies_in_words(version: ImageVersion) -> str:
    """Where a version's copies are, for a line of a card; empty where that is not known.

    Such as ``in eastus; southeastasia replicates, 40 %; failed in westeurope``.
    """
    if not known(version):
        return ""
    by_state = _by_state(version.regions)
    there = by_state[ReplicationState.COMPLETED]
    if len(there) == len(version.regions):
        return f"in all {len(there)} regions" if len(there) > 1 else f"in {there[0].name}"
    parts = [f"in {_names(there)}" if there else "nowhere yet"]
    parts += [copy_in_words(each.name, each.replication) for each in version.regions if not each.present]
    return "; ".join(parts)


def copy_in_words(region: str, replication: Replication | None) -> str:
    """How far the copy in a region is, as a clause that begins with its name."""
    if replication is None:
        return f"{region} has none"
    match replication.state:
        case ReplicationState.COMPLETED:
            return f"{region} is done"
        case ReplicationState.REPLICATING:
            return f"{region} replicates" + (
                "" if replication.progress is None else f", {replication.progress} %"
            )
        case ReplicationState.FAILED:
            return f"{region} failed" + (f" (“{replication.details}”)" if replication.details else "")
        case ReplicationState.UNKNOWN:
            return f"{region} is unknown"


def tell_copies(name: str, version: ImageVersion) -> tuple[str, ...]:
    """A sentence where a version that is to be latest is not in all of its regions yet; none where it is.

    Args:
        name: what to call it, such as ``43.1.0 of Fedora-Cloud-43-x64``.
        version: read with its copies.
    """
    away = missing_copies(version)
    if not away:
        return ()
    copies = join_names([copy_in_words(*each) for each in away.items()], len(away))
    where = "there" if len(away) == 1 else "in these regions"
    return (f"{name} is not in every region yet: {copies}. Latest stays {where} until it is.",)


def _by_state(regions: Sequence[TargetRegion]) -> dict[ReplicationState, list[TargetRegion]]:
    found: dict[ReplicationState, list[TargetRegion]] = {state: [] for state in ReplicationState}
    for region in regions:
        if region.replication is not None:
            found[region.replication.state].append(region)
    return found


def _names(regions: Iterable[TargetRegion]) -> str:
    return format_regions([region.name for region in regions])
