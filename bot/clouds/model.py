"""What clouds hold, in words common to them; the field's own terms where they exist."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

_VERSION = re.compile(r"(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})", re.ASCII)
_INT32 = 2**31 - 1


@dataclass(frozen=True, order=True, slots=True)
class VersionNumber:
    """``Major.Minor.Patch`` of an Azure image version; compared as integers, never as text.

    Source: Azure Compute Gallery, "Image versions": each part is a 32-bit integer.
    """

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> VersionNumber:
        """Read ``40.20240501.0``.

        Raises:
            ValueError: not three dotted 32-bit integers without leading zeros.
        """
        match = _VERSION.fullmatch(text)
        parts = tuple(int(group) for group in match.groups()) if match else ()
        if len(parts) != 3 or max(parts) > _INT32:
            raise ValueError(f"“{text}” is not a version; versions look like 40.20240501.0")
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class ProvisioningState(StrEnum):
    """Azure's provisioning states of an image version, and one for what it may add later."""

    CREATING = "Creating"
    UPDATING = "Updating"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    DELETING = "Deleting"
    MIGRATING = "Migrating"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class TargetRegion:
    """A region a version is replicated to. ``excluded`` is the region's own flag; None leaves it to the version's."""

    name: str
    replicas: int | None = None
    excluded: bool | None = None


@dataclass(frozen=True)
class Definition:
    """An image definition: the name under which versions are published."""

    name: str
    architecture: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageVersion:
    """One image of a definition, as the gallery describes it. ``excluded`` is false where the flag is null."""

    definition: str
    number: VersionNumber
    excluded: bool
    state: ProvisioningState
    regions: tuple[TargetRegion, ...] = ()
    published_at: datetime | None = None
    end_of_life: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def launch_regions(self) -> frozenset[str]:
        """Regions in which this version may be latest: replicated there and not excluded there."""
        return frozenset(
            region.name
            for region in self.regions
            if not (self.excluded if region.excluded is None else region.excluded)
        )

    @property
    def promoted(self) -> bool:
        """Whether it may be latest in at least one region."""
        return bool(self.launch_regions)


@dataclass(frozen=True)
class MachineImage:
    """An image that machines can be launched from (an AMI)."""

    id: str
    name: str
    architecture: str
    state: str
    owner: str
    region: str
    created_at: datetime | None = None
    deprecated_at: datetime | None = None


@dataclass(frozen=True)
class Template:
    """A launch template resolved to one immutable version."""

    id: str
    name: str
    version: int
    instance_type: str | None
    image_id: str | None = None
    architectures: tuple[str, ...] = ()  # what the instance type can run; empty where not known


class InstanceState(StrEnum):
    """EC2's instance states."""

    PENDING = "pending"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"
    STOPPING = "stopping"
    STOPPED = "stopped"

    @property
    def gone(self) -> bool:
        """Whether the machine is gone or going for good."""
        return self in (InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED)


@dataclass(frozen=True)
class Instance:
    """A machine. Its tags tell who asked for it and until when."""

    id: str
    image_id: str
    instance_type: str
    state: InstanceState
    region: str
    launched_at: datetime
    address: str = ""  # public address, or the private one, or empty
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LaunchSpec:
    """What one launch asks for. All or nothing: ``count`` machines or none."""

    template_id: str
    template_version: int
    image_id: str
    count: int
    tags: Mapping[str, str]
