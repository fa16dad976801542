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

ACCOUNT = "123456789012"
"""The account that asks, whatever its credentials."""

_OWN_AGES = (120, 110, 103, 96, 89, 82, 75, 62, 55, 48, 10, 3)
_PUBLIC_AGES = (120, 62, 48)
"""How many days ago the account's own images were made, and which of them are public."""


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


class SeedAmi(SeedImage):
    """An image in one region, with all that an owner can do with it; a candidate unless it is public."""

    region: str
    public: bool = False
    protected: bool = False
    encrypted: bool = False
    tags: dict[str, str] = {}


class SeedTemplate(BaseModel):
    """A launch template. ``instance_types`` are those of its versions, the first version first; ``image`` is the
    image of all of them, where they name one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    instance_types: tuple[str, ...]
    default_version: int
    image: str | None = None


class SeedMachines(BaseModel):
    """All that a simulated EC2 holds at first. No machine runs.

    ``images`` are shown in all regions alike, ``amis`` each in its own; templates are in ``region``. Where ``now`` is
    given, the simulated EC2 takes the moment of its start for that one. The templates' machines are reached by SSH
    from the range ``ssh_from``, one of those that are kept for examples. What is deregistered or deleted stays in the
    Recycle Bin for so many days; without them, nothing does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str = "us-east-1"
    images: tuple[SeedImage, ...] = ()
    amis: tuple[SeedAmi, ...] = ()
    templates: tuple[SeedTemplate, ...] = ()
    ssh_from: str = "203.0.113.0/24"
    now: AwareDatetime | None = None
    bin_days: int | None = None


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


def fedora_amis(now: datetime, regions: tuple[str, ...] = ("us-east-1", "eu-west-1")) -> tuple[SeedAmi, ...]:
    """Images of release 42 that the account itself publishes, in several regions, as of ``now``.

    Of both architectures: three that are public, candidates of which the newest is above them, and more candidates
    than a clean-up keeps. The newest candidate for ARM has not come to the last region yet. They were made at the
    beginning of their day, so that a simulation that is started again on the same day has the same images.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(
        SeedAmi(
            id=f"ami-0{sha256(f'{name} {region}'.encode()).hexdigest()[:16]}",
            name=name,
            architecture=architecture,
            owner=ACCOUNT,
            created_at=today - timedelta(days=days),
            region=region,
            public=days in _PUBLIC_AGES,
            tags={"owner": "fedora-cloud"},
        )
        for architecture, named in _ARCHITECTURES.items()
        for days in _OWN_AGES
        for name in (f"Fedora-Cloud-Base-AmazonEC2.{named}-42-{now - timedelta(days=days):%Y%m%d}.0",)
        for region in (regions if (architecture, days) != ("arm64", min(_OWN_AGES)) else regions[:1])
    )


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
