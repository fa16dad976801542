"""The clouds that runs are parked on: what they hold before, what a dead process left there, what comes of it.

Each is simulated, by a version of ours for all releases alike.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from slipway.bot.clouds.simulated.aws.seed import SeedAmi, SeedMachines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion, SimulatedAzure
from slipway.bot.clouds.simulated.faults import Faults
from slipway.bot.core.times import Clock
from tests.support.aws import boto3_client
from tests.support.processes.warm_moto import warm_moto

SUBSCRIPTION = "00000000-0000-4000-8000-00000000fed0"

Held = Mapping[str, Mapping[str, Any]]
"""By definition and version, what the cloud says of it that an operation changes."""

ACCOUNT, REGION = "123456789012", "us-east-1"


class World(Protocol):
    """A simulated cloud with versions of images.

    Attributes:
        held: what it is to hold when it starts.
    """

    held: Held

    @property
    def tables(self) -> str:
        """Its part of a configuration that every release which knows it can read."""
        ...

    @property
    def changes(self) -> Mapping[str, Any]:
        """The same for a bot of now in a test, over what that has anyhow."""
        ...

    async def start(self, faults: Faults | None = None) -> None:
        """Listen; the faults strike those who ask."""
        ...

    async def stop(self) -> None:
        """Listen no more."""
        ...

    async def look(self) -> Held:
        """What it holds now."""
        ...

    def asked(self) -> Counter[str]:
        """The changes that were asked for since the start, each by what it is and what it is of."""
        ...


class Gallery:
    """Galleries in Azure: of a version, whether it is kept from being latest. Fulfils :class:`World`."""

    def __init__(self, held: Held, made: Mapping[str, datetime], clock: Clock | None = None) -> None:
        self.held = held
        seed = Seed(
            tuple(
                SeedDefinition(
                    name,
                    "x64",
                    tuple(_version(each, made[each], excluded=flag) for each, flag in versions.items()),
                )
                for name, versions in held.items()
            )
        )
        self.azure = SimulatedAzure(seed) if clock is None else SimulatedAzure(seed, clock=clock)

    @property
    def tables(self) -> str:
        return f"""
[azure]
subscription_id = "{SUBSCRIPTION}"
resource_group = "fedora-cloud"
gallery = "Fedora"
endpoint = "{self.azure.url}"
"""

    @property
    def changes(self) -> Mapping[str, Any]:
        return {}

    async def start(self, faults: Faults | None = None) -> None:
        if faults is not None:
            self.azure.faults = faults
        await self.azure.start()

    async def stop(self) -> None:
        await self.azure.stop()

    async def look(self) -> Held:
        definitions = self.azure.snapshot()["definitions"]
        return {
            name: {version: bool(body["excluded"]) for version, body in definitions[name]["versions"].items()}
            for name in self.held
        }

    def asked(self) -> Counter[str]:
        return Counter(f"{entry.method} {entry.path}" for entry in self.azure.writes)


def _version(name: str, made: datetime, *, excluded: bool) -> SeedVersion:
    return SeedVersion(
        name=name,
        published_at=made,
        excluded=excluded,
        regions=(SeedRegion("eastus"), SeedRegion("westeurope")),
        end_of_life=made + timedelta(days=400),
        tags={"owner": "fedora-cloud"},
    )


class Amis:
    """Families of images in EC2, in one region. Fulfils :class:`World`.

    Of a version it holds what :func:`candidate` gives.
    """

    def __init__(
        self,
        held: Held,
        made: Mapping[str, datetime],
        now: datetime,
        *,
        program: Callable[[], Any] = warm_moto,
    ) -> None:
        self.held = held
        numbered = [(family, version) for family, versions in held.items() for version in versions]
        self._ids = {each: f"ami-{number:017x}" for number, each in enumerate(numbered, start=1)}
        amis = tuple(
            SeedAmi(
                id=self._ids[family, version],
                name=f"{family}-{version.partition('.')[2]}",
                architecture="x86_64",
                owner=ACCOUNT,
                created_at=made[version],
                region=REGION,
                public=held[family][version]["public"],
                protected=held[family][version]["protected"],
                tags=held[family][version]["tags"],
            )
            for family, version in numbered
        )
        self.aws = SimulatedAws(SeedMachines(amis=amis, now=now), program=program())

    @property
    def tables(self) -> str:
        families = "".join(
            f"""
[family.{name}]
name = "{name}-{{date}}.{{respin}}"
version = "43.{{date}}.{{respin}}"
regions = ["{REGION}"]
"""
            for name in self.held
        )
        return f"""
[aws]
region = "{REGION}"
owners = ["{ACCOUNT}"]
endpoint = "{self.aws.url}"

[promotion."*"]
protect = true
{families}"""

    @property
    def changes(self) -> Mapping[str, Any]:
        families = {
            name: {
                "name": f"{name}-{{date}}.{{respin}}",
                "version": "43.{date}.{respin}",
                "regions": [REGION],
            }
            for name in self.held
        }
        return {"family": families, "promotion": {"*": {"protect": True}}, "name": "upgrades"}

    async def start(self, faults: Faults | None = None) -> None:
        if faults is not None:
            self.aws.faults = faults
        await self.aws.start()
        await asyncio.to_thread(self._disable)
        self.aws.forms.clear()

    def _disable(self) -> None:
        """What an image cannot be from the first."""
        ec2 = boto3_client(self.aws.url, "ec2", REGION)
        for (family, version), image in self._ids.items():
            facts = self.held[family][version]
            if facts["state"] == "disabled":
                ec2.disable_image(ImageId=image)

    async def stop(self) -> None:
        await self.aws.stop()

    async def look(self) -> Held:
        return await asyncio.to_thread(self._look)

    def _look(self) -> Held:
        ec2 = boto3_client(self.aws.url, "ec2", REGION)
        images = ec2.describe_images(
            ImageIds=list(self._ids.values()), IncludeDeprecated=True, IncludeDisabled=True
        )
        by_id = {each["ImageId"]: each for each in images["Images"]}
        found: dict[str, dict[str, Any]] = {family: {} for family in self.held}
        for (family, version), image in self._ids.items():
            if (each := by_id.get(image)) is not None:
                found[family][version] = {
                    "public": each["Public"],
                    "state": each["State"],
                    "protected": each.get("DeregistrationProtection", "disabled").startswith("enabled"),
                    "tags": {tag["Key"]: tag["Value"] for tag in each.get("Tags", ())},
                }
        return found

    def asked(self) -> Counter[str]:
        return Counter(
            f"{form['Action']} {form.get('ImageId') or form.get('ResourceId.1')}"
            for form in self.aws.forms
            if not form["Action"].startswith(("Describe", "Get"))
        )


def candidate(*, public: bool = False) -> Mapping[str, Any]:
    """A version on AWS as an upload left it; or one that everybody may launch."""
    return {"public": public, "state": "available", "protected": False, "tags": {}}


def state_of(facts: Any) -> str:
    """What a version is, in words, by what its cloud says of it."""
    if isinstance(facts, bool):
        return "candidate" if facts else "promoted"
    words = [
        "promoted" if facts["public"] else "candidate",
        "" if facts["state"] == "available" else facts["state"],
        "protected" if facts["protected"] else "",
        *sorted(facts["tags"]),
    ]
    return " ".join(filter(None, words))
