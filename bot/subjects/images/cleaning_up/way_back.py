"""By which command what a clean-up takes away comes back, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.image_removal import KeepsDeletedVersions
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import CloudError
from slipway.bot.core.steps import Step
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.steps import DeleteVersion, DisableVersion


async def way_back(
    catalogue: Catalogue, policy: RetentionSettings, steps: Sequence[Step], prefix: str
) -> str:
    """As a sentence behind a blank; empty where nothing goes, or some of it does not come back."""
    terms = [policy.keep_disabled] if any(isinstance(each, DisableVersion) for each in steps) else []
    deleted = dict.fromkeys(each.cloud for each in steps if isinstance(each, DeleteVersion))
    if deleted:
        kept_for = await _deleted_kept_for(catalogue.clouds, deleted)
        if kept_for is None:
            return ""
        terms.append(kept_for)
    if not terms:
        return ""
    return f" For {format_duration(min(terms))} `{prefix}restore DEFINITION/VERSION` brings one back."


async def _deleted_kept_for(clouds: Clouds, names: Iterable[str]) -> timedelta | None:
    """How long each of these clouds keeps what is deleted, at least; None where one keeps nothing, or it cannot be
    read: then nothing is promised."""
    found: list[timedelta] = []
    for name in names:
        gallery = clouds.get(IMAGE_VERSIONS, name)
        if not isinstance(gallery, KeepsDeletedVersions):
            return None
        try:
            kept_for = await gallery.deleted_kept_for()
        except CloudError:
            return None
        if kept_for is None:
            return None
        found.append(kept_for)
    return min(found, default=None)
