"""What an update of a version is to change: each knows whether it is made already, and writes itself into a body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from slipway.bot.clouds.azure.regions import normalise_region
from slipway.bot.clouds.model import ImageVersion, ReplicationState
from slipway.bot.clouds.ports.image_versions import WantedRegion

FLAG = "excludeFromLatest"
PROTECTED_TAG = "slipway:protected"
"""Which Slipway, by its deployment's name, has Azure refuse to delete a version: where it bears another name or none,
somebody else does."""

_BLOCK = "blockDeletionBeforeEndOfLife"
_REPLICAS = "regionalReplicaCount"
_STORAGE = "storageAccountType"


class Edit(Protocol):
    """One change of a version.

    ``paths`` are what changes by it, as differences between two documents are named, beside the flags.
    """

    @property
    def paths(self) -> frozenset[str]:
        """What it changes."""
        ...

    def made(self, version: ImageVersion) -> bool:
        """Whether the version is so already, as far as what is written goes."""
        ...

    def apply(self, body: dict[str, Any]) -> None:
        """Write it into the body of an update, which is the document as it was read."""
        ...


class _OfFlags:
    """An edit of flags, or one that is not compared."""

    @property
    def paths(self) -> frozenset[str]:
        """Nothing beside them."""
        return frozenset()


@dataclass(frozen=True)
class FlagEverywhere(_OfFlags):
    """Set a version's flag, and that of every region which has its own."""

    excluded: bool

    def made(self, version: ImageVersion) -> bool:
        """Whether the flag, and every region's own, is set so."""
        own = {region.excluded for region in version.regions} - {None}
        return version.excluded is self.excluded and own <= {self.excluded}

    def apply(self, body: dict[str, Any]) -> None:
        """The least that sets them."""
        profile = body["properties"]["publishingProfile"]
        profile[FLAG] = self.excluded
        for region in profile.get("targetRegions") or ():
            if region.get(FLAG) is not None:
                region[FLAG] = self.excluded


@dataclass(frozen=True)
class FlagIn(_OfFlags):
    """Set regions' own flags; the version's, and those of all other regions, stay."""

    regions: frozenset[str]
    excluded: bool

    def made(self, version: ImageVersion) -> bool:
        """Whether it holds in each of the regions, by whichever flag; never where it is not in one of them."""
        held = {region.name: region.excluded for region in version.regions}
        return all(
            name in held and (version.excluded if held[name] is None else held[name]) is self.excluded
            for name in self.regions
        )

    def apply(self, body: dict[str, Any]) -> None:
        """The flags of those regions that it is in."""
        for region in _target_regions(body):
            if normalise_region(region["name"]) in self.regions:
                region[FLAG] = self.excluded


@dataclass(frozen=True)
class CopyTo(_OfFlags):
    """Have copies in more regions, or more of them in a region; none less anywhere."""

    regions: tuple[WantedRegion, ...]

    def made(self, version: ImageVersion) -> bool:
        """Whether all of it was written, and no copy of it failed."""
        held = {region.name: region for region in version.regions}
        for wanted in self.regions:
            found = held.get(wanted.name)
            if found is None or (wanted.replicas or 1) > (found.replicas or 1):
                return False
            if found.replication is not None and found.replication.state is ReplicationState.FAILED:
                return False
        return True

    def apply(self, body: dict[str, Any]) -> None:
        """The regions that are missing, stored as the others are (a region's kind of storage can never be changed),
        and more replicas where there are too few."""
        regions = _target_regions(body)
        held = {normalise_region(region["name"]): region for region in regions}
        storage = next((region[_STORAGE] for region in regions if region.get(_STORAGE)), None)
        for wanted in self.regions:
            found = held.get(wanted.name)
            if found is None:
                found = {"name": wanted.name, _REPLICAS: wanted.replicas or 1}
                if wanted.excluded:
                    found[FLAG] = True
                regions.append(found if storage is None else {**found, _STORAGE: storage})
            elif (wanted.replicas or 1) > (found.get(_REPLICAS) or 1):
                found[_REPLICAS] = wanted.replicas


@dataclass(frozen=True)
class BlockDeletion:
    """Have Azure refuse to delete a version before its end of life, and note by whom; or not any more, where it was
    this Slipway. What somebody else set stays.

    That the block can be taken off again is what azure-cli's option says (`az sig image-version update
    --block-deletion-before-end-of-life false`); it is not recorded.
    """

    blocked: bool
    deployment: str

    @property
    def paths(self) -> frozenset[str]:
        """The block and the note."""
        return frozenset({f"safetyProfile.{_BLOCK}", f"tags.{PROTECTED_TAG}"})

    def made(self, version: ImageVersion) -> bool:
        """Whether it is blocked, by whomever; or not by this Slipway."""
        return version.kept_until_end_of_life if self.blocked else not version.kept_by_us

    def apply(self, body: dict[str, Any]) -> None:
        """Both in one write, so that neither stands without the other."""
        properties = body["properties"]
        properties["safetyProfile"] = {**(properties.get("safetyProfile") or {}), _BLOCK: self.blocked}
        tags = {name: text for name, text in (body.get("tags") or {}).items() if name != PROTECTED_TAG}
        body["tags"] = {**tags, PROTECTED_TAG: self.deployment} if self.blocked else tags


@dataclass(frozen=True)
class LeaveRegions:
    """Have a version in these regions no more; all others stay as they are.

    Where a copy fails again and again, Azure itself advises that: "please do an update by removing the failed regions
    and update again by adding them back" (an error of 2020, azure-cli#15539).
    """

    regions: frozenset[str]

    @property
    def paths(self) -> frozenset[str]:
        """The regions."""
        return frozenset(f"publishingProfile.targetRegions {region}" for region in self.regions)

    def made(self, version: ImageVersion) -> bool:
        """Whether none of them is among its targets."""
        return not self.regions & {region.name for region in version.regions}

    def apply(self, body: dict[str, Any]) -> None:
        """The target regions without these."""
        profile = body["properties"]["publishingProfile"]
        profile["targetRegions"] = [
            region for region in _target_regions(body) if normalise_region(region["name"]) not in self.regions
        ]


def _target_regions(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The target regions of a body, to be written into; the version's own location where it names none."""
    profile = body["properties"]["publishingProfile"]
    if not profile.get("targetRegions"):
        profile["targetRegions"] = [{"name": body["location"]}]
    regions: list[dict[str, Any]] = profile["targetRegions"]
    return regions
