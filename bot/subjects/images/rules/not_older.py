"""A version that is older than the latest would never be launched by the definition's name."""

from __future__ import annotations

from slipway.bot.subjects.images.rules.facts import Broken, Facts, RuleName


def why_not(facts: Facts) -> Broken | None:
    """Not where a newer version is promoted, by number."""
    latest = facts.latest
    if not facts.wanted.not_older or latest is None or latest.number <= facts.version.number:
        return None
    return Broken(RuleName.NOT_OLDER, f"is older than the latest, {latest.number}")
