"""What is wrong with rules and environments: what never fits, what an earlier one hides, names that do not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from slipway.bot.config.policies.matching import placing_rules
from slipway.bot.config.policies.patterns import covers, covers_name
from slipway.bot.config.policies.settings import (
    Environments,
    PolicyRuleSettings,
    PolicySettings,
    rule_name,
)
from slipway.bot.core.patterns import fits
from slipway.bot.core.problems import Problem, listing, unknown


@dataclass(frozen=True)
class Places:
    """Where things can be.

    Attributes:
        accounts: the clouds' accounts, those with mistakes included.
        environments: the environments that are right in themselves.
        environment_names: the names of all environments, those with mistakes included.
    """

    accounts: frozenset[str]
    environments: Environments
    environment_names: frozenset[str]

    def accounts_of(self, patterns: Iterable[str]) -> frozenset[str]:
        """The accounts that patterns mean."""
        return frozenset(each for pattern in patterns for each in self.accounts if fits(each, pattern))


def environment_problems(environments: Environments, accounts: frozenset[str]) -> Iterator[Problem]:
    """What is wrong with ``[environment.NAME]`` tables: to what nothing belongs, and accounts that there are not."""
    places = Places(accounts, environments, frozenset(environments))
    for name, each in environments.items():
        key = f"environment.{name}"
        if not each.clouds and not each.targets:
            yield Problem(
                key, "nothing belongs to it; write clouds = accounts, or targets = names or patterns"
            )
        for cloud in each.clouds:
            if not places.accounts_of([cloud]):
                yield Problem(f"{key}.clouds", unknown("account", cloud, accounts, "Accounts here"))
        yield from _accounts_in(f"{key}.targets", each.targets, places)


def rule_problems(
    key: str, policy: PolicySettings, places: Places, names: frozenset[str] | None
) -> Iterator[Problem]:
    """What is wrong with the rules of one ``[policy.KIND]``, beside what they ask for.

    Args:
        key: of the table, as problems call it.
        policy: the table.
        places: where things can be.
        names: the names of all that such operations can change; None where only a cloud knows them.
    """
    called: set[str] = set()
    for number, rule in enumerate(policy.rule, 1):
        here = f"{key}.rule #{number}"
        if rule.name in called:
            yield Problem(
                f"{here}.name", f"another rule of it is called “{rule.name}”, too; give each its own"
            )
        called |= {rule.name} - {""}
        if not rule.by_place and not rule.by_size:
            yield Problem(
                here, f"counts for everything, so that it belongs into [{key}] itself, or needs a condition"
            )
            continue
        found = tuple(_never(here, rule, places, names))
        yield from found
        if not found and not rule.by_size and (wider := _hidden_by(number, rule, policy)) is not None:
            yield Problem(
                here,
                f"never counts: rule {wider} stands before it, fits all that it does, and the first that fits "
                "counts; move it up",
            )


def _never(
    key: str, rule: PolicyRuleSettings, places: Places, names: frozenset[str] | None
) -> Iterator[Problem]:
    """Conditions that nothing can meet."""
    wrong = [name for name in rule.environment if name not in places.environment_names]
    for name in wrong:
        known = places.environment_names
        yield Problem(f"{key}.environment", unknown("environment", name, known, "Environments here"))
    for cloud in rule.cloud:
        if not places.accounts_of([cloud]):
            wrong.append(cloud)
            yield Problem(f"{key}.cloud", unknown("account", cloud, places.accounts, "Accounts here"))
    foreign = tuple(_accounts_in(f"{key}.target", rule.target, places))
    yield from foreign
    if wrong or foreign:
        return
    for pattern in rule.target if names is not None else ():
        if not any(fits(name, pattern.rpartition(":")[2]) for name in names or ()):
            yield Problem(
                f"{key}.target", f'nothing has a name like "{pattern}"; there are: {listing(names or ())}'
            )
    held = _accounts_of_environments(rule.environment, places)
    if rule.cloud and held is not None and not held & places.accounts_of(rule.cloud):
        both = f"{' or '.join(rule.environment)} has no account like {' or '.join(rule.cloud)}"
        yield Problem(key, f"never fits: {both}; leave one of the two out")


def _accounts_of_environments(names: Iterable[str], places: Places) -> frozenset[str] | None:
    """The accounts in which something can belong to these environments; None where that may be any."""
    found = [places.environments[name] for name in names if name in places.environments]
    if not found or any(":" not in pattern for each in found for pattern in each.targets):
        return None
    by_name = (pattern.partition(":")[0] for each in found for pattern in each.targets)
    return places.accounts_of([*(cloud for each in found for cloud in each.clouds), *by_name])


def _accounts_in(key: str, patterns: Iterable[str], places: Places) -> Iterator[Problem]:
    """Accounts before the colons of patterns that there are not."""
    for pattern in patterns:
        cloud, colon, _ = pattern.partition(":")
        if colon and not places.accounts_of([cloud]):
            yield Problem(key, unknown("account", cloud, places.accounts, "Accounts here"))


def _hidden_by(number: int, rule: PolicyRuleSettings, policy: PolicySettings) -> str | None:
    """The rule that stands before this one and fits all that it fits, by its name or number."""
    for other_number, other in placing_rules(policy):
        if other_number < number and _wider(other, rule):
            return rule_name(other, other_number)
    return None


def _wider(other: PolicyRuleSettings, rule: PolicyRuleSettings) -> bool:
    """Whether a rule certainly fits all that another fits: each of its conditions is one that the other has, too."""
    return bool(
        (not other.environment or (rule.environment and set(rule.environment) <= set(other.environment)))
        and _all_in(rule.cloud, other.cloud, covers_name)
        and _all_in(rule.target, other.target, covers)
    )


def _all_in(narrow: tuple[str, ...], wide: tuple[str, ...], cover: Callable[[str, str], bool]) -> bool:
    if not wide:
        return True
    return bool(narrow) and all(any(cover(each, pattern) for each in wide) for pattern in narrow)
