"""Where it is asked for, what changes inside has to be known to whoever agrees."""

from __future__ import annotations

from slipway.bot.subjects.images.rules.facts import Broken, Facts, RuleName


def why_not(facts: Facts) -> Broken | None:
    """Not where nobody knows what changes inside; what nobody looked at yet breaks nothing."""
    inside = facts.inside
    if not facts.wanted.contents or inside is None or not inside.unknown:
        return None
    return Broken(RuleName.CONTENTS, f"changes nobody knows what: {inside.unknown}")
