"""A version that somebody holds is not promoted."""

from __future__ import annotations

from slipway.bot.subjects.images.rules.facts import Broken, Facts, RuleName


def why_not(facts: Facts) -> Broken | None:
    """Not while it is held."""
    return Broken(RuleName.HOLD, facts.held) if facts.held else None
