"""A version has to be in every region where the latest is, so that no region keeps an old one."""

from __future__ import annotations

from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.replication.states import copy_in_words, missing_copies
from slipway.bot.subjects.images.rules.facts import Broken, Facts, RuleName


def why_not(facts: Facts) -> Broken | None:
    """Not while a copy is missing, in a region of its own or of the latest."""
    if not facts.wanted.replicated:
        return None
    regions = {region.name for region in facts.version.regions}
    if not regions:
        return Broken(RuleName.REPLICATED, "is in no region")
    if facts.latest is not None:
        regions |= facts.latest.launch_regions
    missing = missing_copies(facts.version, regions)
    if not missing:
        return None
    copies = join_names([copy_in_words(*each) for each in missing.items()])
    return Broken(RuleName.REPLICATED, f"is not in every region: {copies}")
