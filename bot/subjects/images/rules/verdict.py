"""A version that is said to be bad is not promoted, until a person says that it is good."""

from __future__ import annotations

from slipway.bot.subjects.images.rules.facts import Broken, Facts, RuleName


def why_not(facts: Facts) -> Broken | None:
    """Not while a bad verdict stands."""
    bad = facts.evidence.bad
    if bad is None:
        return None
    said = f": {bad.summary}" if bad.summary else ""
    return Broken(RuleName.VERDICT, f"is said to be bad{said}", f"good {facts.image}")
