"""Which rules may count for what a pattern means, of which nobody has looked up what there is. Pure.

`matching` says which rule counts for something that has a name; people ask about patterns, such as ``Fedora-*``, and
there a rule for ``Fedora-Cloud-*`` counts for some of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from slipway.bot.config.policies.matching import (
    NO_ENVIRONMENT,
    Counted,
    placing_rules,
    rule_place,
    table_place,
)
from slipway.bot.config.policies.patterns import covers, meet
from slipway.bot.config.policies.settings import Environments, PolicyRuleSettings, PolicySettings
from slipway.bot.core.patterns import fits
from slipway.bot.core.steps import Target


class Verdict(Enum):
    """Whether a rule fits all that is asked about, nothing of it, or perhaps some."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


@dataclass(frozen=True)
class Possible:
    """Something that may count for what is asked about.

    Attributes:
        counted: the table or the rule.
        certain: whether it counts for all of it that nothing before it counts for.
    """

    counted: Counted
    certain: bool


@dataclass(frozen=True)
class Adding:
    """A rule about size that may add to what the others ask."""

    counted: Counted
    rule: PolicyRuleSettings


def possible(
    kind: str, policy: PolicySettings, asked: Target, environments: Environments
) -> tuple[Possible, ...]:
    """What may count, in the order of slipway.toml; the table last, where no rule counts for all of it.

    Args:
        kind: as ``[policy.KIND]`` has it.
        policy: that table.
        asked: an account, and a name or a pattern of names there.
        environments: ``[environment.NAME]``.
    """
    found: list[Possible] = []
    left = possible_environments(asked, environments)
    for number, rule in placing_rules(policy):
        elsewhere = _elsewhere(rule, asked)
        inside = tuple(each for each in left if not rule.environment or each in rule.environment)
        if elsewhere is Verdict.NONE or not inside:
            continue
        if elsewhere is Verdict.ALL:
            left = tuple(each for each in left if each not in inside)
        each = Counted(rule_place(kind, policy, number), policy.by_rule(rule), (asked,))
        found.append(Possible(each, not left))
        if not left:
            return tuple(found)
    return (*found, Possible(Counted(table_place(kind, policy), policy.alone, (asked,)), True))


def adding(
    kind: str, policy: PolicySettings, asked: Target, environments: Environments
) -> tuple[Adding, ...]:
    """The rules about size that may add to it, where enough changes at once."""
    return tuple(
        Adding(Counted(rule_place(kind, policy, number), policy.by_rule(rule), (asked,)), rule)
        for number, rule in enumerate(policy.rule, 1)
        if rule.by_size
        and _elsewhere(rule, asked) is not Verdict.NONE
        and (not rule.environment or set(rule.environment) & set(possible_environments(asked, environments)))
    )


def possible_environments(asked: Target, environments: Environments) -> tuple[str, ...]:
    """The environments to which something of what is asked about may belong; the empty word stands for none."""
    return tuple(dict.fromkeys(_environments(asked, environments)))


def _environments(asked: Target, environments: Environments) -> Iterator[str]:
    for name, each in environments.items():
        if asked.cloud and any(fits(asked.cloud, cloud) for cloud in each.clouds):
            yield name
            return
        verdict = _means(each.targets, asked)
        if verdict is not Verdict.NONE:
            yield name
        if verdict is Verdict.ALL:
            return
    yield NO_ENVIRONMENT


def _elsewhere(rule: PolicyRuleSettings, asked: Target) -> Verdict:
    """Whether a rule fits what is asked about by all that it says but the environment."""
    parts = []
    if rule.cloud:
        there = asked.cloud and any(fits(asked.cloud, each) for each in rule.cloud)
        parts.append(Verdict.ALL if there else Verdict.NONE)
    if rule.target:
        parts.append(_means(rule.target, asked))
    if Verdict.NONE in parts:
        return Verdict.NONE
    return Verdict.SOME if Verdict.SOME in parts else Verdict.ALL


def _means(patterns: Iterable[str], asked: Target) -> Verdict:
    """Whether one of these patterns means what is asked about."""
    verdicts = {_means_one(pattern, asked) for pattern in patterns}
    for each in (Verdict.ALL, Verdict.SOME):
        if each in verdicts:
            return each
    return Verdict.NONE


def _means_one(pattern: str, asked: Target) -> Verdict:
    if not asked.name:
        return Verdict.NONE
    cloud, colon, name = pattern.rpartition(":")
    if colon and not fits(asked.cloud, cloud):
        return Verdict.NONE
    if covers(name, asked.name):
        return Verdict.ALL
    return Verdict.SOME if meet(name, asked.name) else Verdict.NONE
