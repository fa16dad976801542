"""By which command what a clean-up takes away comes back, and for how long."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.core.steps import Step
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.steps import DeleteVersion, DisableVersion


async def way_back(catalogue: Catalogue, policy: RetentionSettings, steps: Sequence[Step]) -> str:
    """As a sentence behind a blank; empty where nothing goes, or some of it does not come back."""
    terms = [policy.keep_disabled] if any(isinstance(each, DisableVersion) for each in steps) else []
    deleted = dict.fromkeys(each.cloud for each in steps if isinstance(each, DeleteVersion))
    if deleted:
        kept_for = await catalogue.deleted_kept_for(deleted)
        if kept_for is None:
            return ""
        terms.append(kept_for)
    if not terms:
        return ""
    return f" For {format_duration(min(terms))} `restore DEFINITION/VERSION` brings one back."
