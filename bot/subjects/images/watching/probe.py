"""Whether the clouds' logs tell who changes versions, for `slipway doctor`."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.image_activity import NamesAuthors
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.probes import Finding

WHAT = "who changes versions"
"""How the probe is called."""

_LOST = "so what others change is told without who did it"


async def look(_settings: SlipwaySettings, clouds: Clouds) -> Finding:
    """Nothing depends on it but who is named, so that a log which cannot be read is a warning."""
    galleries: Mapping[str, object] = clouds.all(IMAGE_VERSIONS)
    logs = {cloud: each for cloud, each in galleries.items() if isinstance(each, NamesAuthors)}
    tried = await side_by_side({cloud: _try(each) for cloud, each in logs.items()})
    closed = {cloud: each for cloud, each in tried.items() if each is not None}
    read = [logs[cloud].log_title for cloud in logs if cloud not in closed]
    warnings = tuple(_warning(logs[cloud], each) for cloud, each in closed.items())
    detail = f"told by {' and '.join(read)}" if read else "not told"
    return Finding(WHAT, detail, warnings=warnings, connection=False)


def _warning(gallery: NamesAuthors, error: CloudError) -> str:
    allow = ""
    if error.kind is CloudErrorKind.REFUSED:
        allow = " deploy/aws-policy.json and deploy/azure-role.json list the right that it takes."
    return f"{error.words} {gallery.log_title} is not read, {_LOST}.{allow}"


async def _try(gallery: NamesAuthors) -> CloudError | None:
    try:
        await gallery.try_log()
    except CloudError as error:
        return error
    return None
