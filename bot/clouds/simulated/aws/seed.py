"""What a simulated EC2 holds at first. Data only; it knows neither moto nor the bot."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from pydantic import AwareDatetime, BaseModel, ConfigDict

FEDORA = "125523088429"
"""Fedora's AWS account, which owns its public images."""

_ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}  # EC2's word, and Fedora's in the name

_AGES = {"Rawhide": (1, 2), "43": (3, 10, 17), "42": (10, 45), "41": (220, 400)}
"""How many days ago each release's images were made; those of a release at its end are deprecated."""

_ENDED = "41"


class SeedImage(BaseModel):
    """An image (AMI) of a made-up EC2."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    architecture: str
    owner: str
    created_at: AwareDatetime
    deprecated_at: AwareDatetime | None = None
    state: str = "available"


class SeedTemplate(BaseModel):
    """A launch template. ``instance_types`` are those of its versions, the first version first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    instance_types: tuple[str, ...]
    default_version: int


class SeedMachines(BaseModel):
    """All that a simulated EC2 holds at first, in one region. No machine runs.

    The templates' machines are reached by SSH from the range ``ssh_from``, one of those that are kept for examples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str = "us-east-1"
    images: tuple[SeedImage, ...] = ()
    templates: tuple[SeedTemplate, ...] = ()
    ssh_from: str = "203.0.113.0/24"


def fedora_machines(now: datetime, region: str = "us-east-1") -> SeedMachines:
    """Fedora's images of several releases as of ``now``, for both architectures, and two launch templates.

    The images are named as Fedora's uploader names its own. Those of release 41, which is at its end, are
    deprecated. Each template had an older version with a smaller machine; version 2 is the default one.
    """
    images = tuple(
        _fedora_image(release, architecture, now - timedelta(days=days), ended=release == _ENDED)
        for release, ages in _AGES.items()
        for days in ages
        for architecture in _ARCHITECTURES
    )
    templates = (
        SeedTemplate(name="slipway-arm", instance_types=("t4g.micro", "t4g.small"), default_version=2),
        SeedTemplate(name="slipway-small", instance_types=("t3.micro", "t3.small"), default_version=2),
    )
    return SeedMachines(region=region, images=images, templates=templates)


def _fedora_image(release: str, architecture: str, created_at: datetime, *, ended: bool) -> SeedImage:
    name = f"Fedora-Cloud-Base-AmazonEC2.{_ARCHITECTURES[architecture]}-{release}-{created_at:%Y%m%d}.0"
    return SeedImage(
        id=f"ami-0{sha256(name.encode()).hexdigest()[:16]}",
        name=name,
        architecture=architecture,
        owner=FEDORA,
        created_at=created_at,
        deprecated_at=created_at + timedelta(days=200 if ended else 730),
    )
