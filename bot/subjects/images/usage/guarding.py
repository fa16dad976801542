"""The last look before a removal: whether something uses the version by now."""

from __future__ import annotations

from collections.abc import Collection

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.ports.image_versions import Guard
from slipway.bot.subjects.images.step_version import conflict, gallery_of
from slipway.bot.subjects.images.steps import RemovalStep
from slipway.bot.subjects.images.usage.reading import UsageReader


async def used_guard(clouds: Clouds, reader: UsageReader, step: RemovalStep) -> Guard:
    """What refuses to remove a version, shown as it is right before that, which is in use, or may be.

    What uses versions is read now, and so is what else its definition has where something follows what is latest.

    Raises:
        CloudError: CONFLICT where what is in use cannot be read; and whatever keeps the definition from being listed.
    """
    usage = await reader.recent(step.cloud)
    if usage.problem:
        raise conflict(
            step, f"What is in use cannot be read, so {step.named} was not {step.verb}: {usage.problem}"
        )
    others: Collection[ImageVersion] = ()
    if step.promoted and usage.follows_latest(step.definition):
        others = (await gallery_of(clouds, step).versions(step.definition)).versions

    def refuse(found: ImageVersion) -> None:
        among = [found, *(each for each in others if each.number != found.number)]
        if usage.by_version and (by := usage.among(among)(found)):
            raise conflict(step, f"{step.named} is in use by {by}; it was not {step.verb}.")

    return refuse
