"""Adapters put together as the configuration would."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions
from slipway.bot.clouds.ports.machines import MACHINES, Machines


def cloud_context(
    name: str, *, deployment: str = "slipway", environ: dict[str, str] | None = None
) -> CloudContext:
    """What an adapter of this name is handed; no credentials in the environment."""
    return CloudContext(name, deployment, environ or {})


def galleries(unnamed: ImageVersions, **named: ImageVersions) -> Clouds:
    """A gallery as ``azure``, and others as ``azure.NAME``."""
    adapters = [Adapter("azure", {IMAGE_VERSIONS: unnamed})]
    adapters += [Adapter(f"azure.{name}", {IMAGE_VERSIONS: gallery}) for name, gallery in named.items()]
    return Clouds(adapters)


def accounts(unnamed: Machines, **named: Machines) -> Clouds:
    """Where machines are launched: as ``aws``, and others as ``aws.NAME``."""
    adapters = [Adapter("aws", {MACHINES: unnamed})]
    adapters += [Adapter(f"aws.{name}", {MACHINES: machines}) for name, machines in named.items()]
    return Clouds(adapters)
