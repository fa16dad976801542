"""AMI families in a simulated EC2: what there is, the adapter, and plain boto3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.gallery import AwsImages
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.image_family import ImageFamily
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.simulated.aws.seed import SeedAmi, SeedMachines, SeedTemplate
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError
from tests.support.aws import aws_settings, boto3_client, simulated_aws
from tests.support.clock import NOW, POLL_AT_ONCE

ACCOUNT = "123456789012"
HOME, AWAY = "us-east-1", "eu-west-1"
REGIONS = (HOME, AWAY)
NAME = "Fedora-Cloud-Base-AmazonEC2.x86_64-43-{date}.{respin}"
VERSION = "43.{date}.{respin}"
FAMILY = "Fedora-Cloud-43-x64"

_NUMBERS = count(1)


def ami(
    number: str,
    region: str = HOME,
    *,
    public: bool = False,
    created: datetime | None = None,
    family: str = NAME,
    **more: Any,
) -> SeedAmi:
    """An image of the family, a candidate unless told otherwise; ``number`` is ``20261101.0``."""
    date, _, respin = number.partition(".")
    return SeedAmi(
        id=f"ami-{next(_NUMBERS):017x}",
        name=family.format(date=date, respin=respin or "0"),
        architecture="x86_64",
        owner=ACCOUNT,
        created_at=created or NOW - timedelta(days=20),
        region=region,
        public=public,
        **more,
    )


def everywhere(number: str, **given: Any) -> list[SeedAmi]:
    """An image of the family in both regions."""
    return [ami(number, region, **given) for region in REGIONS]


def family(**changed: Any) -> ImageFamily:
    usual: dict[str, Any] = {"name": NAME, "version": VERSION, "regions": REGIONS}
    return ImageFamily(**(usual | changed))


@asynccontextmanager
async def simulated_amis(
    amis: Iterable[SeedAmi], templates: Iterable[SeedTemplate] = (), *, bin_days: int | None = None
) -> AsyncIterator[SimulatedAws]:
    """A simulated EC2 as of NOW with these images, whose Recycle Bin keeps what is deleted for so many days."""
    seed = SeedMachines(amis=tuple(amis), templates=tuple(templates), now=NOW, bin_days=bin_days)
    async with simulated_aws(seed) as aws:
        yield aws


@asynccontextmanager
async def aws_images(
    endpoint: str, families: Mapping[str, ImageFamily] | None = None, *, page_size: int = 1000, **changed: Any
) -> AsyncIterator[AwsImages]:
    """The adapter. A request is tried once by default."""
    context = CloudContext("aws", "slipway", {}, families=families or {FAMILY: family()}, clock=lambda: NOW)
    images = AwsImages(aws_settings(endpoint, **changed), context, page_size=page_size, polling=POLL_AT_ONCE)
    try:
        yield images
    finally:
        await images.close()


@lru_cache
def client(endpoint: str, region: str = HOME, service: str = "ec2") -> Any:
    """boto3's own client."""
    return boto3_client(endpoint, service, region)


async def add_group(endpoint: str, name: str, image: str) -> None:
    """An Auto Scaling group of one machine, by a launch configuration of the same name."""
    scaling = client(endpoint, service="autoscaling")
    await asyncio.to_thread(
        scaling.create_launch_configuration,
        LaunchConfigurationName=name,
        ImageId=image,
        InstanceType="t3.small",
    )
    await asyncio.to_thread(
        scaling.create_auto_scaling_group,
        AutoScalingGroupName=name,
        LaunchConfigurationName=name,
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=[f"{HOME}a"],
    )


def number(text: str) -> VersionNumber:
    """``20261101.0`` as a version of the family."""
    return VersionNumber.parse(f"43.{text}")


@dataclass
class Stage:
    """A family of its own in a simulated EC2 that several tests share, and the adapter.

    Attributes:
        aws: the simulated EC2.
        images: the adapter, with this family alone.
        key: what tells its images, parameter and template from other tests'.
    """

    aws: SimulatedAws
    images: AwsImages
    key: str

    @property
    def parameter_name(self) -> str:
        return f"/{self.key}/latest"

    async def promote(self, which: str, *, promoted: bool = True, **more: Any) -> tuple[str, ...]:
        return await self.images.set_promoted(FAMILY, number(which), promoted=promoted, **more)

    async def amis(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What EC2 holds of the family, by date and region."""
        held = (await self.aws.state())["amis"]
        ours = [each for each in held if each["name"].startswith(f"{self.key}-")]
        return {(each["name"].rpartition("-")[2], each["region"]): each for each in ours}

    async def id(self, which: str, region: str = HOME) -> str:
        return str((await self.amis())[which, region]["id"])

    async def public(self) -> set[tuple[str, str]]:
        return {key for key, each in (await self.amis()).items() if {"Group": "all"} in each["permissions"]}

    async def parameter(self, region: str = HOME) -> str | None:
        ssm = client(self.aws.url, region, "ssm")
        found = await asyncio.to_thread(ssm.get_parameters, Names=[self.parameter_name])
        return str(found["Parameters"][0]["Value"]) if found["Parameters"] else None

    async def template(self) -> list[dict[str, Any]]:
        ec2 = client(self.aws.url)
        found = await asyncio.to_thread(ec2.describe_launch_template_versions, LaunchTemplateName=self.key)
        return list(found["LaunchTemplateVersions"])

    async def default_image(self) -> str:
        (default,) = [each for each in await self.template() if each["DefaultVersion"]]
        return str(default["LaunchTemplateData"]["ImageId"])

    async def cut_off_until_done(
        self, change: Callable[[], Awaitable[Any]], kind: FaultKind, *, within: int
    ) -> int:
        """Make a change over and over, each time cut off one request later, until it is done: how often it was cut
        off, which is less than ``within``."""
        cut = 0
        while True:
            self.aws.faults.add(Fault(kind=kind, after=cut, times=None))
            try:
                await change()
            except CloudError:
                cut += 1
                assert cut < within
            else:
                return cut
            finally:
                self.aws.faults.clear()

    def labels(self, wanted: Iterable[str]) -> list[str]:
        """Those requests of these names that came since the log was cleared."""
        return [entry.label for entry in self.aws.requests if entry.label in set(wanted)]


class Stages:
    """A simulated EC2 that all tests of a module share, and the clients of one account."""

    def __init__(self, aws: SimulatedAws) -> None:
        self.aws = aws
        settings = aws_settings(aws.url)
        self._settings = settings
        self._account = AwsAccount(settings, CloudContext("aws", "slipway", {}))

    async def make(self, seed: Iterable[SeedAmi], *, besides: bool = True, **settings: Any) -> Stage:
        """A family with these images; ``besides`` gives it a parameter, a template and a time of deprecation."""
        key = f"Fedora{next(_NUMBERS)}"
        pattern = f"{key}-{{date}}.{{respin}}"
        amis = [each.model_copy(update={"name": f"{key}-{each.name.rpartition('-')[2]}"}) for each in seed]
        await self.aws.add_amis(amis)
        given: dict[str, Any] = {"name": pattern}
        if besides:
            await self._template(key, [each.id for each in amis if each.public and each.region == HOME][-1])
            given |= {
                "parameter": f"/{key}/latest",
                "template": key,
                "template_regions": (HOME,),
                "deprecate_after": timedelta(days=30),
            }
        context = CloudContext(
            "aws", "slipway", {}, families={FAMILY: family(**given | settings)}, clock=lambda: NOW
        )
        images = AwsImages(self._settings, context, account=self._account, polling=POLL_AT_ONCE)
        self.aws.requests.clear()
        self.aws.faults.clear()
        return Stage(self.aws, images, key)

    def under_names(self, stage: Stage, *names: str) -> AwsImages:
        """An adapter for several families, all of which have the images of one."""
        families = {name: family(name=f"{stage.key}-{{date}}.{{respin}}") for name in names}
        context = CloudContext("aws", "slipway", {}, families=families, clock=lambda: NOW)
        return AwsImages(self._settings, context, account=self._account, polling=POLL_AT_ONCE)

    def without_cooldown(self, stage: Stage) -> AwsImages:
        """An adapter for the same family, whose protections have no cool-down."""
        settings = self._settings.model_copy(update={"protection_cooldown": False})
        families = {FAMILY: family(name=f"{stage.key}-{{date}}.{{respin}}")}
        context = CloudContext("aws", "slipway", {}, families=families, clock=lambda: NOW)
        return AwsImages(settings, context, account=self._account, polling=POLL_AT_ONCE)

    async def _template(self, name: str, image: str) -> None:
        """Two versions, of which the second one is the default."""
        ec2 = client(self.aws.url)
        kinds = [{"ImageId": image, "InstanceType": kind} for kind in ("t3.micro", "t3.small")]
        await asyncio.to_thread(
            ec2.create_launch_template, LaunchTemplateName=name, LaunchTemplateData=kinds[0]
        )
        await asyncio.to_thread(
            ec2.create_launch_template_version, LaunchTemplateName=name, LaunchTemplateData=kinds[1]
        )
        await asyncio.to_thread(ec2.modify_launch_template, LaunchTemplateName=name, DefaultVersion="2")

    def close(self) -> None:
        self._account.close()


@asynccontextmanager
async def shared_stages(*, bin_days: int | None = None) -> AsyncIterator[Stages]:
    """A simulated EC2 as of NOW, empty at first."""
    async with simulated_amis((), bin_days=bin_days) as aws:
        stages = Stages(aws)
        yield stages
        stages.close()
