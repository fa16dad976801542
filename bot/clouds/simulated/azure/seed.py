"""What a simulated gallery holds at its start, as values that are rendered to ARM's JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class SeedRegion:
    """A target region. ``excluded`` is its own flag; None is null."""

    name: str
    excluded: bool | None = None
    replicas: int = 1


@dataclass(frozen=True)
class SeedVersion:
    """An image version. None for ``excluded`` or ``end_of_life`` is null, as Azure may answer it."""

    name: str
    published_at: datetime
    excluded: bool | None
    regions: tuple[SeedRegion, ...]
    end_of_life: datetime | None = None
    state: str = "Succeeded"
    tags: dict[str, str] = field(default_factory=dict)
    storage_account_type: str = "Standard_ZRS"
    block_deletion_before_end_of_life: bool = False


@dataclass(frozen=True)
class SeedDefinition:
    """An image definition with its versions."""

    name: str
    architecture: str
    versions: tuple[SeedVersion, ...]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seed:
    """One gallery in one subscription."""

    definitions: tuple[SeedDefinition, ...]
    subscription_id: str = "00000000-0000-4000-8000-00000000fed0"
    resource_group: str = "fedora-cloud"
    gallery: str = "Fedora"
    location: str = "eastus"

    @property
    def gallery_id(self) -> str:
        """The gallery's ARM resource id."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Compute/galleries/{self.gallery}"
        )


def definition_document(seed: Seed, definition: SeedDefinition) -> dict[str, Any]:
    """The definition as ARM shows it."""
    return {
        "id": f"{seed.gallery_id}/images/{definition.name}",
        "name": definition.name,
        "type": "Microsoft.Compute/galleries/images",
        "location": seed.location,
        "tags": dict(definition.tags),
        "properties": {
            "architecture": definition.architecture,
            "hyperVGeneration": "V2",
            "identifier": {"publisher": "Fedora", "offer": "Fedora-Cloud", "sku": definition.name},
            "osState": "Generalized",
            "osType": "Linux",
            "provisioningState": "Succeeded",
        },
    }


def version_document(seed: Seed, definition: SeedDefinition, version: SeedVersion) -> dict[str, Any]:
    """The version as ARM shows it."""
    return {
        "id": f"{seed.gallery_id}/images/{definition.name}/versions/{version.name}",
        "name": version.name,
        "type": "Microsoft.Compute/galleries/images/versions",
        "location": seed.location,
        "tags": dict(version.tags),
        "properties": {
            "provisioningState": version.state,
            "publishingProfile": {
                "endOfLifeDate": _iso(version.end_of_life),
                "excludeFromLatest": version.excluded,
                "publishedDate": _iso(version.published_at),
                "replicaCount": 1,
                "replicationMode": "Full",
                "storageAccountType": version.storage_account_type,
                "targetRegions": [
                    {
                        "name": region.name,
                        "regionalReplicaCount": region.replicas,
                        "storageAccountType": version.storage_account_type,
                        "excludeFromLatest": region.excluded,
                    }
                    for region in version.regions
                ],
            },
            "safetyProfile": {
                "allowDeletionOfReplicatedLocations": True,
                "blockDeletionBeforeEndOfLife": version.block_deletion_before_end_of_life,
                "reportedForPolicyViolation": False,
            },
            "storageProfile": {
                "source": {},
                "osDiskImage": {
                    "hostCaching": "ReadWrite",
                    "sizeInGB": 5,
                    "source": {
                        "uri": f"https://fedora.blob.core.example/{definition.name}-{version.name}.vhd"
                    },
                },
            },
        },
    }


def _iso(moment: datetime | None) -> str | None:
    """As Azure writes a time: with an offset, and a seventh digit that Python cannot keep."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")
