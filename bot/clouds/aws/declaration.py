"""What the AWS adapter declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipway.bot.clouds.aws.errors import CLOUD_NAME
from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.capabilities import Adapter, Capability, Port
from slipway.bot.clouds.declaration import CloudContext, CloudDeclaration
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.addresses import check_address
from slipway.bot.core.errors import CloudError
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem


def _open(settings: AwsSettings, context: CloudContext) -> Mapping[Capability[Any], Port]:
    return {MACHINES: AwsMachines(settings, context)}


def _check(settings: AwsSettings, secrets: bool) -> Iterator[Problem]:
    if settings.endpoint is not None:
        yield from check_address("endpoint", settings.endpoint)
    if not settings.owners:
        yield Problem("owners", 'is empty; write whose images to use, like ["125523088429"]')
    one_key = (settings.access_key_id is None) != (settings.secret_access_key is None)
    if one_key and secrets:
        yield Problem(
            "",
            "of access_key_id and secret_access_key only one is given; give both, or neither to use "
            "the credentials that boto3 finds by itself",
        )


def _describe(settings: AwsSettings) -> str:
    return settings.region + (f" at {settings.endpoint}" if settings.endpoint else "")


async def _probe(_settings: AwsSettings, adapter: Adapter) -> Finding:
    machines = adapter.port(MACHINES)
    try:
        found = len(await machines.template_names())
    except CloudError as error:
        return Finding.of_error(adapter.name, error)
    return Finding(adapter.name, f"{found} launch template{'s' if found != 1 else ''} in {machines.region}")


CLOUD = CloudDeclaration(
    name=CLOUD_NAME,
    settings=AwsSettings,
    provides=(MACHINES,),
    open=_open,
    check=_check,
    describe=_describe,
    label=lambda settings: settings.region,
    probe=_probe,
)
