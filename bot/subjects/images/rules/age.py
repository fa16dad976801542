"""A version has to have been there for a while, so that tests and people had their time."""

from __future__ import annotations

from slipway.bot.core.times import format_duration, format_span
from slipway.bot.subjects.images.rules.facts import Broken, Facts, RuleName


def why_not(facts: Facts) -> Broken | None:
    """Not before ``minimum_age``, counted from when it was published; one without a date is of no age."""
    least, published = facts.wanted.minimum_age, facts.version.published_at
    if least is None:
        return None
    wanted = f"and has to be {format_duration(least)} old"
    if published is None:
        return Broken(RuleName.AGE, f"has no date of publication {wanted}")
    age = facts.now - published
    if age >= least:
        return None
    return Broken(RuleName.AGE, f"was published {format_span(age)} ago {wanted}")
