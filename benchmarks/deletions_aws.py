"""Hundreds of deregistrations under EC2's documented buckets of requests; see :mod:`benchmarks.deletions`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from benchmarks.deletions import Deleted, Passing
from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.gallery import AwsImages
from slipway.bot.clouds.aws.pacing import Pace
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.image_family import ImageFamily
from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.simulated.aws.seed import SeedAmi, SeedMachines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.aws.throttles import Throttles, limits
from slipway.bot.clouds.throttling import Patience

_REGION, _FAMILY = "us-east-1", "Fedora"
_START = datetime(2026, 11, 20, 12, 0, 0, 700_000, tzinfo=UTC)
"""Late in a second, as nobody knows where EC2's begin."""


async def delete(count: int) -> Deleted:
    """Deregister so many versions in one region, one after the other; each is looked at before."""
    present = Passing(_START)
    seed = SeedMachines(amis=tuple(_ami(number) for number in range(count + 1)), now=_START)
    async with SimulatedAws(seed, throttles=Throttles(present)) as aws:
        settings = AwsSettings(
            region=_REGION,
            endpoint=aws.url,
            access_key_id=SecretStr("benchmark"),
            secret_access_key=SecretStr("benchmark"),
        )
        family = ImageFamily(name="Fedora-{date}.{respin}", version="43.{date}.{respin}", regions=(_REGION,))
        context = CloudContext("aws", "benchmark", {}, families={_FAMILY: family}, clock=lambda: _START)
        pace = Pace(patience=Patience(sleep=present.sleep), clock=present.seconds)
        images = AwsImages(settings, context, account=AwsAccount(settings, context, pace=pace))
        try:
            listed = sorted(await images.versions(_FAMILY), key=lambda each: each.number)[:count]
            processor = time.process_time()
            for version in listed:
                await images.delete_version(_FAMILY, version.number, guard=_nothing_against_it)
            processor = time.process_time() - processor
        finally:
            await images.close()
        refused = sum(entry.status == 503 for entry in aws.requests)
    size, refill = limits("DeregisterImage", {})
    return Deleted(refused, present.seconds(), (count - size) / refill, processor)


def _nothing_against_it(_version: ImageVersion) -> None:
    """What is asked before each deletion."""


def _ami(number: int) -> SeedAmi:
    day = _START - timedelta(days=number + 1)
    return SeedAmi(
        id=f"ami-{number:017x}",
        name=f"Fedora-{day:%Y%m%d}.0",
        architecture="x86_64",
        owner="123456789012",
        created_at=day,
        region=_REGION,
    )
