"""Wrong rules and environments: a sentence for each, that says what would be right."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.bot.config.describe import describe
from slipway.bot.config.policies.patterns import covers
from tests.support.configuration import DECLARED, problems_of, put, settings_of, valid_document

ENVIRONMENTS = {
    "production": {"clouds": ["azure", "aws"]},
    "staging": {"clouds": "azure.staging", "targets": ["*-test"]},
}


def document() -> dict[str, Any]:
    """With two environments, and a person for each of two more roles."""
    found = put(valid_document(), "environment", ENVIRONMENTS)
    put(found, "azure.staging", {"subscription_id": "0", "resource_group": "staging", "gallery": "Staging"})
    put(found, "roles.security", {"may": ["read"]})
    for name in ("carol", "dan", "erin"):
        roles = ["security"] if name == "erin" else ["releng"]
        found["person"].append({"id": name, "identities": [f"matrix:@{name}:example.org"], "roles": roles})
    return found


def ruled(*rules: Any, **table: Any) -> dict[str, Any]:
    return put(document(), "policy.promote", {"role": "releng", **table, "rule": list(rules)})


GOOD = (
    {"name": "staging", "environment": "staging", "approvals": 0},
    {"environment": ["production"], "target": "Fedora-*", "approvals": 2, "also": {"security": 1}},
    {"cloud": "azure.*", "requester_may_approve": True},
    {"name": "many", "min_targets": 5, "min_deletions": 1, "approvals": 3},
)


def test_good_rules_are_read_and_described() -> None:
    found = settings_of(ruled(*GOOD))
    assert len(found.policy["promote"].rule) == 4
    assert found.policy["promote-override"] == found.policy["promote"]  # its like
    (line,) = (line for line in describe(found, DECLARED.spec) if line.startswith("approvals: "))
    said = (
        "promote 1 by releng (“staging” none, #2 2 by releng and 1 by security, "
        "#3 1 by releng, the requester too, “many” 3 by releng);"
    )
    assert said in line


def test_rules_alone_are_added_to_what_counts_without_a_table() -> None:
    found = settings_of(put(document(), "policy.promote", {"rule": [GOOD[1]]})).policy["promote"]
    assert (found.approvals, found.role, len(found.rule)) == (1, "releng", 1)
    key = put(document(), "policy.sshkey-add", {"rule": [{"target": "alice", "role": "releng"}]})
    assert settings_of(key).policy["sshkey-add"].requester_may_approve


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (
            [{"approvals": 2}],
            "rule #1: counts for everything, so that it belongs into [policy.promote] itself",
        ),
        (
            [{"environment": "prodction"}],
            'rule #1.environment: there is no environment "prodction"; did you mean "production"?',
        ),
        ([{"cloud": "azure.prod"}], 'rule #1.cloud: there is no account "azure.prod"'),
        ([{"target": "gcp:Fedora-*"}], 'rule #1.target: there is no account "gcp"'),
        (
            [{"environment": "production", "cloud": "azure.staging"}],
            "rule #1: never fits: production has no account",
        ),
        (
            [{"target": "Fedora-*"}, {"name": "late", "target": "Fedora-Cloud-*", "approvals": 2}],
            "rule #2: never counts: rule #1 stands before it, fits all that it does, and the first",
        ),
        (
            [{"name": "all", "cloud": "azure*"}, {"cloud": "azure.staging", "environment": "staging"}],
            "rule #2: never counts: rule “all” stands before it",
        ),
        ([{"name": "a", "cloud": "aws"}, {"name": "a", "cloud": "azure"}], "rule #2.name: another rule"),
        ([{"cloud": "aws", "role": "relengs"}], 'rule #1.role: there is no role "relengs"; did you mean'),
        (
            [{"cloud": "aws", "also": {"securty": 1}}],
            'rule #1.also: there is no role "securty"; did you mean',
        ),
        ([{"cloud": "aws", "also": {"releng": 1}}], 'rule #1.also: names the role "releng" once more'),
        ([{"cloud": "aws", "also": {"security": 0}}], "rule #1.also.security: it is 0; must be at least 1"),
        ([{"cloud": "aws", "also": 2}], "rule #1.also: it is 2; must be a table in braces"),
        ([{"cloud": "aws", "approvals": 5}], 'the role "releng" is held by 4 persons'),
        ([{"cloud": "aws", "approvals": 4}], "4 approvals are asked for from others than the requester"),
        (
            [{"cloud": "aws", "also": {"security": 2}}],
            (
                "rule #1.also: 1 of releng and 2 of security are asked for, each another person, none of them "
                "whoever asks, and there are not as many: releng is held by 4 persons (alice, bob, carol, dan); "
                "security is held by 1 person (erin)"
            ),
        ),
        ([{"cloud": "aws", "mention": "zoe"}], 'rule #1.mention: there is no person "zoe"'),
        (
            [{"cloud": "aws", "expires": "1h", "remind_after": "2h"}],
            "rule #1.remind_after: comes when it has",
        ),
        ([{"clouds": "aws"}], 'rule #1.clouds: there is no such key; did you mean "cloud"?'),
        ([{"min_targets": 1}], "rule #1.min_targets: it is 1; must be at least 2"),
        ([5], "policy.promote.rule #1: it is 5; must be tables that begin with [[policy.promote.rule]]"),
    ],
)
def test_a_wrong_rule_is_one_sentence(rules: list[Any], told: str) -> None:
    (problem,) = problems_of(ruled(*rules))
    assert told in problem


def test_a_rule_behind_one_that_does_not_certainly_fit_all_is_not_doubted() -> None:
    rules = [
        {"target": "azure:Fedora-*"},
        {"target": "Fedora-*"},
        {"target": ["x*", "azure:*"]},
        {"cloud": "azure", "environment": "production"},
        {"cloud": "azure"},
        {"min_targets": 2},
        {"min_targets": 3, "approvals": 2},
    ]
    assert settings_of(ruled(*rules))


@pytest.mark.parametrize(
    ("wide", "narrow", "certain"),
    [
        ("*", "azure:Fedora-*", True),
        ("Fedora-*", "fedora-?", True),
        ("azure*:*", "azure.staging:x", True),
        ("azure*", "azure:x", False),
        ("azure:*", "x", False),
        ("Fedora-?", "Fedora-*", False),
        ("Fedora-[4]", "Fedora-4", False),
        ("Fedora-[4]", "Fedora-[4]", True),
    ],
)
def test_a_pattern_means_whatever_another_means(wide: str, narrow: str, certain: bool) -> None:
    assert covers(wide, narrow) is certain


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "environment.x: nothing belongs to it; write clouds = accounts, or targets = names"),
        ({"clouds": ["azure.x"]}, 'environment.x.clouds: there is no account "azure.x"'),
        ({"targets": ["azur:*"]}, 'environment.x.targets: there is no account "azur"; did you mean "azure"?'),
        ({"cloud": "azure"}, 'environment.x.cloud: there is no such key; did you mean "clouds"?'),
    ],
)
def test_a_wrong_environment_is_one_sentence(environment: dict[str, Any], told: str) -> None:
    (problem,) = problems_of(put(document(), "environment.x", environment))
    assert told in problem
