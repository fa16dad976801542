"""Each rule by itself, and all together: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import Replication, ReplicationState, TargetRegion, VersionState
from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind
from slipway.bot.subjects.images.contents.comparing import Inside
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.standing import Standing, standing
from slipway.bot.subjects.images.rules.architectures import sibling_names
from slipway.bot.subjects.images.rules.facts import ALWAYS, Facts, RuleName, Sibling
from slipway.bot.subjects.images.rules.judging import RULES, broken_rules, left_broken
from slipway.bot.subjects.images.rules.settings import PROMOTION, PromotionSettings, settings_for
from tests.images.builders import promoted, version
from tests.images.evidence.facts import BOOT, FAILED, PASSED, TESTS, VERDICT, evidence
from tests.images.evidence.test_standing import histories
from tests.support.azure import ARM, X64
from tests.support.clock import NOW

HOUR = timedelta(hours=1)


def facts(number: str = "43.5.0", known: Standing | None = None, held: str = "", **wanted: object) -> Facts:
    """A version of X64 that was published three hours ago."""
    return Facts(
        definition=DefinitionRef("azure", X64),
        version=version(number, published=NOW - 3 * HOUR),
        now=NOW,
        wanted=PromotionSettings.model_validate(wanted),
        latest=promoted("43.4.0"),
        evidence=known or Standing(),
        held=held,
    )


def broken(found: Facts) -> list[tuple[RuleName, str]]:
    return [(each.rule, each.words) for each in broken_rules(found)]


def recorded(*history: Evidence) -> Standing:
    return standing(replace(each, number=number) for number, each in enumerate(history, start=1))


def test_there_is_a_function_for_each_rule() -> None:
    assert list(RULES) == list(RuleName)
    assert broken(facts()) == []


def test_what_is_held_or_said_to_be_bad_is_never_promoted_whatever_is_configured_or_overridden() -> None:
    bad = recorded(evidence(VERDICT, FAILED, summary="it hangs"))
    found = broken_rules(facts(known=bad, held="is held by Bob (audit)"))
    assert [(each.rule, each.words) for each in found] == [
        (RuleName.HOLD, "is held by Bob (audit)"),
        (RuleName.VERDICT, "is said to be bad: it hangs"),
    ]
    assert found[1].remedy == f"good {X64}/43.5.0"
    assert left_broken(found, [rule.value for rule in RuleName]) == found


class TestAge:
    def test_it_counts_from_the_publication(self) -> None:
        assert broken(facts(minimum_age="4h")) == [
            (RuleName.AGE, "was published 3h ago and has to be 4h old")
        ]
        assert broken(facts(minimum_age="3h")) == []

    def test_a_version_without_a_date_is_of_no_age(self) -> None:
        undated = replace(facts(minimum_age="4h"), version=version("43.5.0"))
        assert broken(undated) == [(RuleName.AGE, "has no date of publication and has to be 4h old")]


class TestNotOlder:
    def test_it_is_told_by_number_and_never_by_date(self) -> None:
        assert broken(facts("43.3.0", not_older=True)) == [
            (RuleName.NOT_OLDER, "is older than the latest, 43.4.0")
        ]
        republished = replace(
            facts("43.12.0", not_older=True), latest=promoted("43.9.0", published=NOW + HOUR)
        )
        assert broken(republished) == []
        assert broken(replace(republished, latest=None)) == []


class TestReplicated:
    def test_every_region_of_the_latest_and_of_its_own_has_it(self) -> None:
        found = replace(facts(replicated=True), latest=promoted("43.4.0", regions=("eastus", "norwayeast")))
        assert broken(found) == [(RuleName.REPLICATED, "is not in every region: norwayeast has none")]
        copying = TargetRegion("westus", replication=Replication(ReplicationState.REPLICATING, 40))
        half = replace(found.version, regions=(TargetRegion("eastus"), copying))
        assert broken(replace(found, version=half, latest=None)) == [
            (RuleName.REPLICATED, "is not in every region: westus replicates, 40 %")
        ]
        assert broken(replace(found, latest=None)) == []
        nowhere = replace(found, version=version("43.5.0", regions=()))
        assert broken(nowhere) == [(RuleName.REPLICATED, "is in no region")]


class TestEvidence:
    @pytest.mark.parametrize(
        ("known", "said"),
        [
            (recorded(), "has no boot test and has no test results"),
            (recorded(evidence(BOOT, PASSED)), "has no test results"),
            (recorded(evidence(BOOT, PASSED), evidence(TESTS, FAILED)), "failed its tests"),
            (recorded(evidence(BOOT, PASSED), evidence(TESTS, PASSED)), ""),
            (recorded(evidence(VERDICT, PASSED), evidence(TESTS, PASSED)), "has no boot test"),
        ],
    )
    def test_each_kind_that_is_asked_for_has_to_have_passed(self, known: Standing, said: str) -> None:
        found = broken(facts(known=known, evidence=["boot", "tests"]))
        assert found == ([(RuleName.EVIDENCE, said)] if said else [])

    def test_where_a_verdict_is_asked_for_it_says_what_to_type(self) -> None:
        (lacking,) = broken_rules(facts(evidence=["verdict"]))
        assert (lacking.words, lacking.remedy) == ("was called good by nobody", f"good {X64}/43.5.0")


class TestArchitectures:
    def test_the_others_are_the_definitions_of_the_same_name_with_another_end(self) -> None:
        assert sibling_names(X64, ["x64", "Arm64"]) == (ARM,)
        assert sibling_names("Fedora-Cloud-43-X64", ["x64", "Arm64"]) == (ARM,)
        assert sibling_names("Fedora-Cloud-43-ppc64le", ["x64", "Arm64"]) == ()
        assert broken(
            replace(facts(architectures=["x64", "Arm64"]), definition=DefinitionRef("azure", "Plain"))
        )[0] == (RuleName.ARCHITECTURES, "is of a definition that does not end in x64 or Arm64")

    @pytest.mark.parametrize(
        ("sibling", "said"),
        [
            (Sibling(ARM, None), "is not there"),
            (Sibling(ARM, version("43.5.0", state=VersionState.FAILED)), "is Failed"),
            (Sibling(ARM, version("43.5.0")), "lacks evidence: boot"),
            (Sibling(ARM, version("43.5.0"), recorded(evidence(BOOT, FAILED))), "failed: boot"),
            (
                Sibling(ARM, version("43.5.0"), recorded(evidence(BOOT, PASSED), evidence(VERDICT, FAILED))),
                "is said to be bad",
            ),
            (Sibling(ARM, version("43.5.0"), recorded(evidence(BOOT, PASSED))), ""),
        ],
    )
    def test_the_same_version_of_each_has_to_be_there_and_as_good(self, sibling: Sibling, said: str) -> None:
        booted = recorded(evidence(BOOT, PASSED))
        found = broken(
            replace(
                facts(known=booted, architectures=["x64", "Arm64"], evidence=["boot"]), siblings=(sibling,)
            )
        )
        told = f"was composed together with 43.5.0 of {ARM}, which {said}"
        assert found == ([(RuleName.ARCHITECTURES, told)] if said else [])


def test_contents_that_nobody_knows_are_told_with_the_reason() -> None:
    unknown = replace(facts(contents=True), inside=Inside(unknown="it has no manifest"))
    assert broken(unknown) == [(RuleName.CONTENTS, "changes nobody knows what: it has no manifest")]
    assert broken(facts(contents=True)) == []


settings = st.builds(
    PromotionSettings,
    minimum_age=st.none() | st.integers(1, 6).map(lambda hours: hours * HOUR),
    evidence=st.lists(st.sampled_from(EvidenceKind), max_size=3, unique=True).map(tuple),
    not_older=st.booleans(),
)
numbers = st.integers(1, 9).map("43.{}.0".format)


@given(history=histories(), wanted=settings, number=numbers, mixed=st.randoms(use_true_random=False))
def test_any_order_of_the_facts_gives_the_same(
    history: tuple[Evidence, ...], wanted: PromotionSettings, number: str, mixed: object
) -> None:
    shuffled = list(history)
    mixed.shuffle(shuffled)  # type: ignore[attr-defined]
    judged = [
        broken_rules(replace(facts(number, known=standing(each)), wanted=wanted))
        for each in (history, shuffled)
    ]
    assert judged[0] == judged[1]


@given(history=histories(), wanted=settings, overridden=st.sets(st.sampled_from(RuleName)))
def test_nothing_that_is_said_to_be_bad_is_ever_let_through(
    history: tuple[Evidence, ...], wanted: PromotionSettings, overridden: set[RuleName]
) -> None:
    known = standing(history)
    left = left_broken(broken_rules(replace(facts(known=known), wanted=wanted)), overridden)
    if known.bad is not None:
        assert RuleName.VERDICT in {each.rule for each in left}
    assert {each.rule for each in left} & overridden <= ALWAYS


@given(history=histories(), wanted=settings, kind=st.sampled_from(EvidenceKind), number=numbers)
def test_evidence_that_passed_never_makes_a_version_break_a_rule_that_it_met(
    history: tuple[Evidence, ...], wanted: PromotionSettings, kind: EvidenceKind, number: str
) -> None:
    before = replace(facts(number, known=standing(history)), wanted=wanted)
    more = evidence(kind, PASSED, number=len(history) + 1, source="alice")
    after = replace(before, evidence=standing((*history, more)))
    assert {each.rule for each in broken_rules(after)} <= {each.rule for each in broken_rules(before)}


class TestTables:
    TABLES: ClassVar = {
        "azure.staging:*": PromotionSettings(minimum_age=HOUR),
        "*rawhide*": PromotionSettings(not_older=True),
        "*": PromotionSettings(evidence=(EvidenceKind.BOOT,)),
    }

    @pytest.mark.parametrize(
        ("cloud", "name", "pattern"),
        [
            ("azure", X64, "*"),
            ("azure", "Fedora-Cloud-Rawhide-x64", "*rawhide*"),
            ("azure.staging", "Fedora-Cloud-Rawhide-x64", "azure.staging:*"),
        ],
    )
    def test_the_first_that_fits_counts_alone(self, cloud: str, name: str, pattern: str) -> None:
        assert settings_for(DefinitionRef(cloud, name), self.TABLES) == self.TABLES[pattern]
        assert settings_for(DefinitionRef(cloud, name), {}) == PromotionSettings()

    def test_one_that_never_counts_is_a_mistake(self) -> None:
        tables = {"*": PromotionSettings(), "Fedora-*": PromotionSettings()}
        (problem,) = PROMOTION.check_accounts(tables, frozenset())
        assert problem.key == "promotion.Fedora-*"
        assert 'never counts: [promotion."*"] stands before it' in problem.said
        assert list(PROMOTION.check_accounts(self.TABLES, frozenset())) == []

    @pytest.mark.parametrize("names", [["x64"], ["x64", "X64"], ["x64", ""]])
    def test_architectures_that_make_no_sense_are_a_mistake(self, names: list[str]) -> None:
        assert list(PROMOTION.check(PromotionSettings(architectures=tuple(names)), True))
