"""Which rules of a policy count for a change. Pure.

Of the rules that say *where* they count, the first that fits a target counts for it, in the place of the table: so a
rule for staging may ask for less than the table, and nothing that somebody forgot to name does. A plan with several
targets asks for what each of them asks. Rules that say how *large* a change has to be take the place of no other, but
only add to what the others ask: no order of rules makes a large change easier than a small one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from slipway.bot.config.policies.settings import (
    Environments,
    PolicyRuleSettings,
    PolicySettings,
    rule_name,
)
from slipway.bot.core.patterns import fits
from slipway.bot.core.steps import Permanence, Step, Target

NO_ENVIRONMENT = ""
"""Of a target that no environment names."""


@dataclass(frozen=True)
class Change:
    """What is to be changed.

    Attributes:
        targets: each thing once.
        deleted: those of them that cannot be brought back.
    """

    targets: tuple[Target, ...]
    deleted: tuple[Target, ...] = ()

    @classmethod
    def of(cls, steps: Iterable[Step]) -> Change:
        """What the steps of a plan change."""
        listed = tuple(steps)
        final = (step for step in listed if step.PERMANENCE is Permanence.FINAL)
        return cls(_targets(listed), _targets(final))


def _targets(steps: Iterable[Step]) -> tuple[Target, ...]:
    return tuple(dict.fromkeys(target for step in steps for target in step.policy_targets))


@dataclass(frozen=True)
class Counted:
    """A table or a rule that counts for a change.

    Attributes:
        place: what it is called, such as ``[policy.promote]`` or ``rule “production” of [policy.promote]``.
        settings: what it asks for.
        targets: what it counts for.
    """

    place: str
    settings: PolicySettings
    targets: tuple[Target, ...]


def environment_of(target: Target, environments: Environments) -> str:
    """The environment that something belongs to: the first that names its account or its name."""
    for name, each in environments.items():
        if target.cloud and any(fits(target.cloud, cloud) for cloud in each.clouds):
            return name
        if any(means(target, pattern) for pattern in each.targets):
            return name
    return NO_ENVIRONMENT


def means(target: Target, pattern: str) -> bool:
    """Whether a pattern such as ``Fedora-*`` or ``azure:Fedora-*`` means a target; nothing means what has no name."""
    if not target.name:
        return False
    cloud, separator, name = pattern.partition(":")
    if fits(target.name, pattern):
        return True
    return bool(separator) and fits(target.cloud, cloud) and fits(target.name, name)


def fits_target(rule: PolicyRuleSettings, target: Target, environments: Environments) -> bool:
    """Whether all that a rule says of where it counts is so of a target. What it says of size is not looked at."""
    if rule.environment and environment_of(target, environments) not in rule.environment:
        return False
    if rule.cloud and not any(target.cloud and fits(target.cloud, each) for each in rule.cloud):
        return False
    return not rule.target or any(means(target, each) for each in rule.target)


def counted(
    kind: str, policy: PolicySettings, change: Change, environments: Environments
) -> tuple[Counted, ...]:
    """Everything that counts for a change, in the order of slipway.toml, the table last.

    Args:
        kind: as ``[policy.KIND]`` has it.
        policy: that table.
        change: what is to be changed.
        environments: ``[environment.NAME]``.
    """
    numbered = tuple(enumerate(policy.rule, 1))
    placing = [(number, rule) for number, rule in numbered if not rule.by_size]
    by_rule: dict[int, list[Target]] = {}
    left: list[Target] = []
    for target in change.targets or (Target(),):
        found = next((number for number, rule in placing if fits_target(rule, target, environments)), None)
        (left if found is None else by_rule.setdefault(found, [])).append(target)
    for number, rule in numbered:
        if rule.by_size and (large := _large(rule, change, environments)):
            by_rule[number] = large
    rules = [
        Counted(rule_place(kind, policy, number), policy.by_rule(rule), tuple(by_rule[number]))
        for number, rule in numbered
        if number in by_rule
    ]
    table = [Counted(table_place(kind, policy), policy.alone, tuple(left))] if left else []
    return (*rules, *table)


def _large(rule: PolicyRuleSettings, change: Change, environments: Environments) -> list[Target]:
    """What a rule about size counts for: all that it fits, where that is enough; none where it is not."""
    fitting, deleted = (
        [target for target in targets if fits_target(rule, target, environments)]
        for targets in (change.targets, change.deleted)
    )
    enough = _at_least(fitting, rule.min_targets) and _at_least(deleted, rule.min_deletions)
    return fitting if enough else []


def _at_least(targets: Sequence[Target], least: int | None) -> bool:
    return least is None or sum(target.count for target in targets) >= least


def table_place(kind: str, policy: PolicySettings) -> str:
    """What a table is called: as it stands in slipway.toml, where that of another kind counts for this one."""
    return f"[policy.{policy.written_as or kind}]"


def rule_place(kind: str, policy: PolicySettings, number: int) -> str:
    """What a rule is called, with its table."""
    return f"rule {rule_name(policy.rule[number - 1], number)} of {table_place(kind, policy)}"


def placing_rules(policy: PolicySettings) -> Iterator[tuple[int, PolicyRuleSettings]]:
    """The rules that say where they count, with their numbers from 1 on: of these, the first that fits counts."""
    return ((number, rule) for number, rule in enumerate(policy.rule, 1) if not rule.by_size)
