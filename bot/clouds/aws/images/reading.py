"""Reads AMIs from DescribeImages, and makes versions of those of one family."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.images.tags import (
    DISABLED_TAG,
    PROTECTED_TAG,
    disabled_since,
    former_deprecation,
    has_former_deprecation,
    moment_in,
)
from slipway.bot.clouds.aws.responses import (
    Response,
    read_list,
    read_optional_text,
    read_optional_timestamp,
    read_tags,
    read_text,
)
from slipway.bot.clouds.image_naming import NamePattern
from slipway.bot.clouds.model import (
    ImageVersion,
    TargetRegion,
    UnreadableVersion,
    VersionListing,
    VersionNumber,
    VersionState,
)


class AmiState(StrEnum):
    """EC2's states of an image. Source: Amazon EC2 API reference, data type Image."""

    PENDING = "pending"
    AVAILABLE = "available"
    INVALID = "invalid"
    DEREGISTERED = "deregistered"
    TRANSIENT = "transient"
    FAILED = "failed"
    ERROR = "error"
    DISABLED = "disabled"


_STATES = {
    AmiState.PENDING: VersionState.CREATING,
    AmiState.TRANSIENT: VersionState.UPDATING,
    AmiState.AVAILABLE: VersionState.SUCCEEDED,
    AmiState.DISABLED: VersionState.DISABLED,
    AmiState.INVALID: VersionState.FAILED,
    AmiState.FAILED: VersionState.FAILED,
    AmiState.ERROR: VersionState.FAILED,
}

_WEIGHT = (
    VersionState.UNKNOWN,
    VersionState.FAILED,
    VersionState.CREATING,
    VersionState.UPDATING,
    VersionState.SUCCEEDED,
    VersionState.DISABLED,
)
"""Whose state a version has whose AMIs differ: nothing is done with one of which a part is not well. One that is
disabled in some regions only is still in use in the others."""

_UNPROTECTED = ("", "disabled")
"""How DeregistrationProtection says that there is none; else it is enabled, with or without a cool-down, or its
cool-down has not ended (Amazon EC2 User Guide, "Protect an AMI from deregistration")."""

_WITH_COOLDOWN = "enabled-with-cooldown"
_COOLING = "disabled after "
"""Before the moment at which a cool-down ends. No documentation has it: it is how public code reads real answers
(github.com/ekristen/aws-nuke, resources/ec2-images.go). In which form the moment comes is not certain."""

COOLDOWN = timedelta(hours=24)
"""After a protection with one was disabled (EC2 API Reference, EnableImageDeregistrationProtection)."""

_NEVER = "never"


@dataclass(frozen=True, slots=True)
class Ami:
    """One image in one region.

    Attributes:
        state: as EC2 has it; a text where that is none that is known here.
        public: whether everybody may launch it.
        protection: EC2's word for its protection from deregistration; empty where it says none.
        snapshots: of its disks.
        architecture: as EC2 calls it; empty where it does not say.
        unsharable: why EC2 refuses to make it public, as the rest of a sentence; empty where nothing does.
        launched_at: when it was launched last, as EC2 comes to know a day later; None where it never was, or that is
            not known.
    """

    id: str
    name: str
    region: str
    state: AmiState | str
    public: bool
    created_at: datetime | None
    deprecated_at: datetime | None
    protection: str
    snapshots: tuple[str, ...]
    unsharable: str
    tags: Mapping[str, str] = field(default_factory=dict)
    architecture: str = ""
    launched_at: datetime | None = None

    @property
    def protected(self) -> bool:
        """Whether EC2 refuses to deregister it, be it that a cool-down has not ended."""
        return self.protection not in _UNPROTECTED

    @property
    def cooling(self) -> bool:
        """Whether its protection was lifted, and the cool-down of that has not ended."""
        return self.protection.startswith(_COOLING)

    @property
    def kept_until(self) -> datetime | None:
        """When that ends, where EC2 says it in a way that can be read."""
        return moment_in(self.protection.removeprefix(_COOLING)) if self.cooling else None

    @property
    def cooldown(self) -> timedelta:
        """So long it would be kept once its protection were lifted."""
        return COOLDOWN if self.protection == _WITH_COOLDOWN else timedelta()

    def protected_by(self, deployment: str) -> bool:
        """Whether the note of this Slipway's is on it that it protects it."""
        return self.tags.get(PROTECTED_TAG) == deployment


def read_ami(response: Response, region: str) -> Ami:
    """One image of DescribeImages.

    Raises:
        UnexpectedResponseError: it lacks what EC2 always tells.
    """
    state = read_text(response, "State")
    public = response.get("Public")
    if not isinstance(public, bool):
        raise UnexpectedResponseError("Public")
    disks = [
        each["Ebs"]
        for each in _several(response, "BlockDeviceMappings")
        if isinstance(each.get("Ebs"), Mapping)
    ]
    return Ami(
        id=read_text(response, "ImageId"),
        name=read_optional_text(response, "Name") or "",
        region=region,
        state=AmiState(state) if state in tuple(AmiState) else state,
        public=public,
        created_at=read_optional_timestamp(response, "CreationDate"),
        deprecated_at=read_optional_timestamp(response, "DeprecationTime"),
        protection=str(response.get("DeregistrationProtection") or ""),
        snapshots=tuple(snapshot for disk in disks if (snapshot := read_optional_text(disk, "SnapshotId"))),
        unsharable=_unsharable(response, disks),
        tags=read_tags(response),
        architecture=str(response.get("Architecture") or ""),
        launched_at=read_optional_timestamp(response, "LastLaunchedTime"),
    )


def _several(response: Response, name: str) -> list[Response]:
    return read_list(response, name) if response.get(name) else []


def _unsharable(response: Response, disks: Sequence[Response]) -> str:
    """Source: Amazon EC2 User Guide, "Make your AMI publicly available"; ModifyImageAttribute."""
    if any(disk.get("Encrypted") is True for disk in disks):
        return "has an encrypted disk, and such an image cannot be public"
    if any(each.get("ProductCodeType") == "marketplace" for each in _several(response, "ProductCodes")):
        return "has a product code of the AWS Marketplace, and such an image cannot be public"
    return ""


@dataclass(frozen=True, slots=True)
class AmiVersion:
    """The AMIs of one name, by region: a version and what it consists of."""

    version: ImageVersion
    amis: Mapping[str, Ami]


@dataclass(frozen=True, slots=True)
class Family:
    """All that a family has.

    Attributes:
        versions: by number.
        unreadable: what is called like one of its versions and cannot be told apart.
    """

    versions: Mapping[VersionNumber, AmiVersion]
    unreadable: tuple[UnreadableVersion, ...] = ()

    @property
    def listing(self) -> VersionListing:
        """The same as the port has it."""
        return VersionListing(tuple(each.version for each in self.versions.values()), self.unreadable)


def family_of(definition: str, pattern: NamePattern, found: Iterable[Ami], cloud: str) -> Family:
    """The versions of a family.

    Args:
        definition: the family's name.
        pattern: how a name tells a version. What does not fit it is none of the family.
        found: AMIs of all its regions; those that were deregistered, which EC2 shows for a while, are gone.
        cloud: the account's name.
    """
    grouped: dict[VersionNumber, dict[str, list[Ami]]] = {}
    for ami in found:
        number = pattern.number(ami.name)
        if number is not None and ami.state is not AmiState.DEREGISTERED:
            grouped.setdefault(number, {}).setdefault(ami.region, []).append(ami)
    versions: dict[VersionNumber, AmiVersion] = {}
    unreadable: list[UnreadableVersion] = []
    for number, regions in grouped.items():
        twice = next((each for each in regions.values() if len(each) > 1), None)
        if twice is not None:
            ids = " and ".join(sorted(ami.id for ami in twice))
            problem = f"is the name of {len(twice)} images in {twice[0].region} ({ids})"
            unreadable.append(UnreadableVersion(str(number), problem))
            continue
        amis = {region: each[0] for region, each in sorted(regions.items())}
        versions[number] = AmiVersion(_version(definition, number, amis, cloud), amis)
    return Family(versions, tuple(unreadable))


def _version(definition: str, number: VersionNumber, amis: Mapping[str, Ami], cloud: str) -> ImageVersion:
    every = tuple(amis.values())
    state, own = _state(every)
    created = [ami.created_at for ami in every if ami.created_at is not None]
    superseded = any(has_former_deprecation(ami.tags) for ami in every)
    former = [
        former_deprecation(ami.tags) if has_former_deprecation(ami.tags) else ami.deprecated_at
        for ami in every
    ]
    since = [when for ami in every if (when := disabled_since(ami.tags)) is not None]
    whole = state is VersionState.DISABLED and len(since) == len(every)
    return ImageVersion(
        definition=definition,
        number=number,
        excluded=not any(ami.public for ami in every),
        state=state,
        regions=tuple(TargetRegion(ami.region, excluded=not ami.public) for ami in every),
        published_at=min(created, default=None),
        end_of_life=_end_of_life([ami.deprecated_at for ami in every]),
        tags=_tags(every),
        own_state=own,
        disabled_since=max(since) if whole else None,
        superseded=superseded,
        former_end_of_life=_end_of_life(former) if superseded else None,
        logged_as=tuple(sorted(f"{ami.region}/{ami.id}" for ami in every)),
        cloud=cloud,
    )


def _end_of_life(deprecated: Sequence[datetime | None]) -> datetime | None:
    """As long as it is not deprecated in every region, it has a life there."""
    return max((each for each in deprecated if each), default=None) if all(deprecated) else None


def _state(amis: Sequence[Ami]) -> tuple[VersionState, str]:
    states = {
        _STATES.get(ami.state, VersionState.UNKNOWN)
        if isinstance(ami.state, AmiState)
        else VersionState.UNKNOWN
        for ami in amis
    }
    state = next(each for each in _WEIGHT if each in states)
    own = next((str(ami.state) for ami in amis if not isinstance(ami.state, AmiState)), "")
    return state, own if state is VersionState.UNKNOWN else ""


def _tags(amis: Sequence[Ami]) -> dict[str, str]:
    """The tags of all its AMIs. Where they differ, all values are told, and ``never`` stands before all others: what
    protects a version in one region protects it."""
    found: dict[str, dict[str, None]] = {}
    for ami in amis:
        for key, value in ami.tags.items():
            if key not in (DISABLED_TAG, PROTECTED_TAG):
                found.setdefault(key, {})[value] = None
    return {
        key: _NEVER if _NEVER in (each.strip().casefold() for each in values) else ", ".join(values)
        for key, values in found.items()
    }
