"""All rules together: which of them a version does not meet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from slipway.bot.subjects.images.rules import (
    age,
    architectures,
    contents,
    evidence,
    hold,
    not_older,
    replicated,
    verdict,
)
from slipway.bot.subjects.images.rules.facts import ALWAYS, Broken, Facts, RuleName
from slipway.bot.subjects.images.rules.settings import PromotionSettings

Rule = Callable[[Facts], Broken | None]

RULES: Mapping[RuleName, Rule] = {
    RuleName.HOLD: hold.why_not,
    RuleName.VERDICT: verdict.why_not,
    RuleName.AGE: age.why_not,
    RuleName.NOT_OLDER: not_older.why_not,
    RuleName.REPLICATED: replicated.why_not,
    RuleName.ARCHITECTURES: architectures.why_not,
    RuleName.EVIDENCE: evidence.why_not,
    RuleName.CONTENTS: contents.why_not,
}
"""Each rule by its name, in the order in which they are told."""


def broken_rules(facts: Facts) -> tuple[Broken, ...]:
    """The rules that a version does not meet, those first that nothing overrides."""
    found = (RULES[name](facts) for name in RuleName)
    return tuple(each for each in found if each is not None)


def left_broken(broken: Collection[Broken], overridden: Collection[str]) -> tuple[Broken, ...]:
    """Those of them that nobody overrides; what always holds cannot be."""
    return tuple(each for each in broken if each.rule in ALWAYS or each.rule.value not in overridden)


def asked_of(wanted: PromotionSettings) -> tuple[RuleName, ...]:
    """The rules that a table asks for, beside those that always hold."""
    asked = {
        RuleName.AGE: wanted.minimum_age is not None,
        RuleName.NOT_OLDER: wanted.not_older,
        RuleName.REPLICATED: wanted.replicated,
        RuleName.ARCHITECTURES: bool(wanted.architectures),
        RuleName.EVIDENCE: bool(wanted.evidence),
        RuleName.CONTENTS: wanted.contents,
    }
    return tuple(name for name, wished in asked.items() if wished)


def in_words(broken: Collection[Broken]) -> str:
    """Why a version is not promoted, as the rest of a sentence about it, with the names of the rules."""
    return "; it ".join(f"{each.words} (rule {each.rule})" for each in broken)
