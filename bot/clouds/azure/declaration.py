"""What the Azure adapter declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipway.bot.clouds.azure.access import missing_secret
from slipway.bot.clouds.azure.account import CLOUD_NAME
from slipway.bot.clouds.azure.gallery import AzureGallery
from slipway.bot.clouds.azure.settings import ENVIRONMENT, AzureSettings
from slipway.bot.clouds.capabilities import Adapter, Capability, Port
from slipway.bot.clouds.declaration import CloudContext, CloudDeclaration
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.addresses import check_address
from slipway.bot.core.errors import CloudError
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem


def _open(settings: AzureSettings, context: CloudContext) -> Mapping[Capability[Any], Port]:
    return {IMAGE_VERSIONS: AzureGallery(settings, context)}


def _check(settings: AzureSettings, _secrets: bool) -> Iterator[Problem]:
    if settings.endpoint is not None:
        yield from check_address("endpoint", settings.endpoint)
    if settings.client_secret is not None and not (settings.tenant_id and settings.client_id):
        yield Problem("", "a client secret needs tenant_id and client_id beside it; add them")


def _check_accounts(accounts: Mapping[str, AzureSettings], _all: frozenset[str]) -> Iterator[Problem]:
    """A named account without its secret would work as whoever the machine is logged in as."""
    for name, settings in accounts.items():
        if name != CLOUD_NAME and settings.tenant_id and settings.client_secret is None:
            yield Problem(f"{name}.client_secret", missing_secret(name))


def _describe(settings: AzureSettings) -> str:
    at = f" at {settings.endpoint}" if settings.endpoint else ""
    return f"gallery {settings.gallery} in {settings.resource_group}{at}"


async def _probe(_settings: AzureSettings, adapter: Adapter) -> Finding:
    try:
        found = len(await adapter.port(IMAGE_VERSIONS).definitions())
    except CloudError as error:
        return Finding.of_error(adapter.name, error)
    return Finding(adapter.name, f"{found} image definition{'s' if found != 1 else ''} in the gallery")


CLOUD = CloudDeclaration(
    name=CLOUD_NAME,
    settings=AzureSettings,
    provides=(IMAGE_VERSIONS,),
    open=_open,
    check=_check,
    check_accounts=_check_accounts,
    describe=_describe,
    label=lambda settings: f"gallery {settings.gallery}",
    probe=_probe,
    environment=ENVIRONMENT,
)
