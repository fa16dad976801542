"""What a simulated gallery holds at its start, as values that are rendered to ARM's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

from slipway.bot.clouds.simulated.azure.machines.seed import SeedMachines
from slipway.bot.clouds.simulated.azure.regions import display_name, short_name
from slipway.bot.clouds.simulated.azure.times import arm_time


class Absent(Enum):
    """Takes a part of a document away (:attr:`SeedVersion.odd`)."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Source(Enum):
    """What a seeded version was made of: decides what its storage profile links to."""

    BLOB = "blob"
    IMAGE = "image"
    MACHINE = "machine"


@dataclass(frozen=True)
class SeedRegion:
    """A target region. ``excluded`` is its own flag; None: it has none, and the version's holds."""

    name: str
    excluded: bool | None = None
    replicas: int = 1


@dataclass(frozen=True)
class SeedDataDisk:
    """A data disk of a version. ``source``: whether it was made of a snapshot of its own."""

    lun: int
    size: int = 1
    caching: str = "None"
    source: bool = False


@dataclass(frozen=True)
class SeedVersion:
    """An image version. None for ``excluded`` or ``end_of_life``: it was never set.

    Attributes:
        source: what it was made of.
        data_disks: what it has besides its system's disk.
        odd: parts that shall be otherwise, by their path (``properties.publishingProfile.endOfLifeDate``); a value
            of :data:`ABSENT` takes the part away.
    """

    name: str
    published_at: datetime
    excluded: bool | None
    regions: tuple[SeedRegion, ...]
    end_of_life: datetime | None = None
    state: str = "Succeeded"
    tags: dict[str, str] = field(default_factory=dict)
    storage_account_type: str = "Standard_ZRS"
    block_deletion_before_end_of_life: bool = False
    source: Source = Source.BLOB
    data_disks: tuple[SeedDataDisk, ...] = ()
    odd: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class SeedDefinition:
    """An image definition with its versions."""

    name: str
    architecture: str
    versions: tuple[SeedVersion, ...]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seed:
    """One gallery in one subscription, and where machines are made."""

    definitions: tuple[SeedDefinition, ...]
    subscription_id: str = "00000000-0000-4000-8000-00000000fed0"
    resource_group: str = "fedora-cloud"
    gallery: str = "Fedora"
    location: str = "eastus"
    machines: SeedMachines = field(default_factory=SeedMachines)

    @property
    def gallery_id(self) -> str:
        """The gallery's ARM resource id."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Compute/galleries/{self.gallery}"
        )


def gallery_document(seed: Seed, *, soft_delete: bool | None = None) -> dict[str, Any]:
    """The gallery as ARM shows it; a policy of soft deletion that was never set is not there, and one that was
    switched off is."""
    policy = {"softDeletePolicy": {"isSoftDeleteEnabled": soft_delete, "retentionPeriodInDays": 7}}
    return {
        "name": seed.gallery,
        "id": seed.gallery_id,
        "type": "Microsoft.Compute/galleries",
        "location": short_name(seed.location),
        "properties": {
            "identifier": {"uniqueName": f"{seed.subscription_id}-{seed.gallery.upper()}"},
            "provisioningState": "Succeeded",
            **({} if soft_delete is None else policy),
        },
    }


def definition_document(seed: Seed, definition: SeedDefinition) -> dict[str, Any]:
    """The definition as ARM shows it."""
    return {
        "name": definition.name,
        "id": f"{seed.gallery_id}/images/{definition.name}",
        "type": "Microsoft.Compute/galleries/images",
        "location": short_name(seed.location),
        "tags": dict(definition.tags),
        "properties": {
            "hyperVGeneration": "V2",
            "architecture": definition.architecture,
            "osType": "Linux",
            "osState": "Generalized",
            "identifier": {"publisher": "Fedora", "offer": "Fedora-Cloud", "sku": definition.name},
            "provisioningState": "Succeeded",
        },
    }


def version_document(seed: Seed, definition: SeedDefinition, version: SeedVersion) -> dict[str, Any]:
    """The version as ARM shows it: what is unset is absent, what is always there is there."""
    document: dict[str, Any] = {
        "name": version.name,
        "id": f"{seed.gallery_id}/images/{definition.name}/versions/{version.name}",
        "type": "Microsoft.Compute/galleries/images/versions",
        "location": short_name(seed.location),
        "tags": dict(version.tags),
        "properties": {
            "publishingProfile": {
                "targetRegions": [_region(version, region) for region in version.regions],
                "replicaCount": 1,
                "excludeFromLatest": bool(version.excluded),
                "publishedDate": arm_time(version.published_at),
                **({"endOfLifeDate": arm_time(version.end_of_life)} if version.end_of_life else {}),
                "storageAccountType": version.storage_account_type,
            },
            "storageProfile": _storage(seed, definition, version),
            "safetyProfile": {
                "reportedForPolicyViolation": False,
                "blockDeletionBeforeEndOfLife": version.block_deletion_before_end_of_life,
                "allowDeletionOfReplicatedLocations": True,
            },
            "provisioningState": version.state,
        },
    }
    for path, value in version.odd.items():
        _set(document, path.split("."), value)
    return document


def _region(version: SeedVersion, region: SeedRegion) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": display_name(region.name),
        "regionalReplicaCount": region.replicas,
        "storageAccountType": version.storage_account_type,
    }
    return shown if region.excluded is None else {**shown, "excludeFromLatest": region.excluded}


def _storage(seed: Seed, definition: SeedDefinition, version: SeedVersion) -> dict[str, Any]:
    shown = _system_disk(seed, definition, version)
    if version.data_disks:
        snapshots = f"{_provider(seed)}/Microsoft.Compute/snapshots/{definition.name}-{version.name}"
        shown["dataDiskImages"] = [
            {
                "lun": disk.lun,
                "sizeInGB": disk.size,
                "hostCaching": disk.caching,
                **({"source": {"id": f"{snapshots}-{disk.lun}"}} if disk.source else {}),
            }
            for disk in version.data_disks
        ]
    return shown


def _provider(seed: Seed) -> str:
    return f"/subscriptions/{seed.subscription_id}/resourceGroups/{seed.resource_group}/providers"


def _system_disk(seed: Seed, definition: SeedDefinition, version: SeedVersion) -> dict[str, Any]:
    provider = _provider(seed)
    made_of = f"{definition.name}-{version.name}"
    disk = {"sizeInGB": 5, "hostCaching": "ReadWrite"}
    match version.source:
        case Source.BLOB:
            blob = {
                "storageAccountId": f"{provider}/Microsoft.Storage/storageAccounts/fedora",
                "uri": f"https://fedora.blob.core.example/vhds/{made_of}.vhd",
            }
            return {"osDiskImage": {**disk, "source": blob}}
        case Source.IMAGE:
            source = {"id": f"{provider}/Microsoft.Compute/images/{made_of}"}
        case Source.MACHINE:
            source = {"virtualMachineId": f"{provider}/Microsoft.Compute/virtualMachines/{made_of}"}
    return {"source": source, "osDiskImage": {**disk, "source": {}}}


def _set(document: dict[str, Any], path: list[str], value: object) -> None:
    """Put a value at a place, or take away what is there."""
    *way, last = path
    at: Any = document
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is ABSENT:
        del at[last]
    else:
        at[int(last) if isinstance(at, list) else last] = value
