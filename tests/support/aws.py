"""A simulated EC2 with Fedora's images, the adapter, and plain boto3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

from pydantic import SecretStr

from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.aws.sessions import new_session
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.machine_model import LaunchSpec
from slipway.bot.clouds.simulated.aws.seed import SeedMachines, fedora_machines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from tests.support.clock import NOW
from tests.support.clouds import cloud_context
from tests.support.processes.warm_moto import warm_moto

IMAGE = "Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261117.0"
"""The newest image of Fedora 43 in the simulated EC2."""

_NUMBERS = count(1)


@asynccontextmanager
async def simulated_aws(seed: SeedMachines | None = None) -> AsyncIterator[SimulatedAws]:
    """A simulated EC2, answering, as of NOW or with what is given."""
    async with SimulatedAws(seed or fedora_machines(NOW), program=warm_moto()) as aws:
        await aws.ready()
        yield aws


def aws_settings(endpoint: str, **changed: Any) -> AwsSettings:
    usual: dict[str, Any] = {
        "region": "us-east-1",
        "endpoint": endpoint,
        "access_key_id": SecretStr("test"),
        "secret_access_key": SecretStr("test"),
        "timeout": timedelta(seconds=10),
        "max_attempts": 1,
    }
    return AwsSettings(**(usual | changed))


@asynccontextmanager
async def aws_machines(endpoint: str, *, page_size: int = 1000, **changed: Any) -> AsyncIterator[AwsMachines]:
    """The adapter, of a deployment that no other test uses. A request is tried once by default."""
    context = cloud_context("aws", deployment=unique_name("deployment"))
    machines = AwsMachines(aws_settings(endpoint, **changed), context, page_size=page_size)
    try:
        yield machines
    finally:
        await machines.close()


def unique_name(prefix: str) -> str:
    return f"{prefix}-{next(_NUMBERS)}"


async def launch_spec(ec2: AwsMachines, *, count: int = 1, **tags: str) -> LaunchSpec:
    """A launch that fits: the default version of the small template, and its newest image."""
    template = await ec2.template("slipway-small")
    images = [image for image in await ec2.images() if image.architecture in template.architectures]
    return LaunchSpec(template.id, template.version, images[0].id, count, tags)


def boto3_client(endpoint: str, service: str = "ec2", region: str = "us-east-1") -> Any:
    """boto3's own client, which tries once."""
    from botocore.config import Config

    session = new_session(access_key_id="test", secret_access_key="test", region=region)
    return session.client(service, endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1}))


async def call_in_thread(client: Any, operation: str, **parameters: object) -> Any:
    return await asyncio.to_thread(getattr(client, operation), **parameters)


def logged_actions(aws: SimulatedAws) -> list[tuple[str, int | None]]:
    """The log, as EC2 actions and statuses."""
    return [(entry.label, entry.status) for entry in aws.requests]
