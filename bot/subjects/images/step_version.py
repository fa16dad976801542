"""The version that a step is about: where it is, how it is now, and that it is not as the step needs it."""

from __future__ import annotations

from datetime import datetime

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions, VersionAbsentError
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.images.steps import VersionStep


def gallery_of(clouds: Clouds, step: VersionStep) -> ImageVersions:
    """The gallery that has the version."""
    return clouds.get(IMAGE_VERSIONS, step.cloud)


async def look_at(clouds: Clouds, step: VersionStep) -> ImageVersion | None:
    """The version as it is now; None only where it is certain that there is none.

    Raises:
        CloudError: it cannot be read.
    """
    try:
        return await gallery_of(clouds, step).version(step.definition, VersionNumber.parse(step.version))
    except VersionAbsentError:
        return None


def replaced(found: ImageVersion, published: datetime | None) -> str | None:
    """Why a version is not the one that was agreed to, but another one of its number; the rest of a sentence.

    Args:
        found: the version as it is now.
        published: when the one was published that was agreed to; None where that was not noted.
    """
    if published is None or found.published_at == published:
        return None
    now = f"{found.published_at:%Y-%m-%d %H:%M:%S}" if found.published_at else "an unknown day"
    return (
        f"is another image than the one that was agreed to: it was published on {now}, and not on "
        f"{published:%Y-%m-%d %H:%M:%S} UTC"
    )


def conflict(step: VersionStep, sentence: str) -> CloudError:
    """What ends a step whose version is not as the step needs it."""
    return CloudError(CloudErrorKind.CONFLICT, cloud=step.cloud, sentence=sentence)
