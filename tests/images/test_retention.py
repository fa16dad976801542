"""What a clean-up removes and keeps: the SOP's rules, its open edges, and what holds for any gallery."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import ImageVersion, Lock, VersionState
from slipway.bot.subjects.images.cleaning_up.retention import (
    Decision,
    Deletion,
    KeepReason,
    Kept,
    Retention,
    Rule,
    retention,
)
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.versions import (
    has_ended,
    is_promoted,
    latest,
    latest_by_region,
    newest_first,
    protection,
)
from tests.images.builders import POLICY, candidates, promoted, version
from tests.support.azure import ARM, RAWHIDE, X64
from tests.support.clock import DAY, NOW

REGIONS = ("eastus", "westus", "northeurope")


def deletions(result: Retention) -> dict[str, Rule]:
    return {str(each.version.number): each.rule for each in result.deletions}


def kept(result: Retention) -> dict[str, KeepReason]:
    return {str(each.version.number): each.why for each in result.kept}


def test_an_ended_version_goes_even_among_the_newest_and_even_as_latest() -> None:
    result = retention([promoted("43.9.0", ends=NOW - DAY), version("43.8.0", ends=NOW - DAY)], NOW, POLICY)
    assert deletions(result) == {"43.9.0": Rule.END_OF_LIFE, "43.8.0": Rule.END_OF_LIFE}
    assert result.warnings == (f"{X64} is left without a latest: launching it by default will fail.",)


def test_end_of_life_is_past_only_after_its_moment_and_none_set_never_ends() -> None:
    result = retention([promoted("43.2.0", ends=NOW), promoted("43.1.0")], NOW, POLICY)
    assert deletions(result) == {}


def test_only_the_newest_seven_candidates_stay_by_integer_number() -> None:
    result = retention(candidates(12), NOW, POLICY)  # 43.10.0 is newer than 43.9.0
    assert deletions(result) == {f"43.{each}.0": Rule.CANDIDATES for each in range(1, 6)}
    assert set(kept(result).values()) == {KeepReason.NEWEST_CANDIDATES}


def test_promoted_versions_stay_whatever_their_age_where_nothing_rolls() -> None:
    old = [promoted(f"42.{each}.0") for each in range(20)]
    result = retention([*old, *candidates(7)], NOW, POLICY)
    assert deletions(result) == {}
    assert kept(result)["42.19.0"] is KeepReason.LATEST
    assert kept(result)["42.18.0"] is KeepReason.PROMOTED


def test_rawhide_keeps_the_newest_seven_whatever_the_flag_and_its_latest_beyond_them() -> None:
    held = [promoted("43.1.0", definition=RAWHIDE), promoted("43.2.0", definition=RAWHIDE)]
    held += candidates(7, definition=RAWHIDE, first=3)
    result = retention(held, NOW, POLICY)
    assert deletions(result) == {"43.1.0": Rule.ROLLING}
    assert kept(result)["43.2.0"] is KeepReason.LATEST


def test_a_version_that_is_latest_in_one_region_only_stays() -> None:
    only_here = promoted("43.1.0", definition=RAWHIDE, regions=("westus",))
    newer = [promoted(f"43.{each}.0", definition=RAWHIDE, regions=("eastus",)) for each in range(2, 12)]
    result = retention([only_here, *newer], NOW, POLICY)
    assert kept(result)["43.1.0"] is KeepReason.LATEST


def test_what_takes_over_from_an_ended_latest_is_kept() -> None:
    heir = promoted("43.1.0", definition=RAWHIDE)
    ended = promoted("43.50.0", definition=RAWHIDE, ends=NOW - DAY)
    result = retention([heir, ended, *candidates(9, definition=RAWHIDE, first=10)], NOW, POLICY)
    assert deletions(result)["43.50.0"] is Rule.END_OF_LIFE
    assert kept(result)["43.1.0"] is KeepReason.LATEST
    assert result.warnings == ()


def test_the_newest_sound_promoted_version_stays_below_a_failed_one() -> None:
    sound = promoted("43.1.0", definition=RAWHIDE)
    failed = promoted("43.50.0", definition=RAWHIDE, state=VersionState.FAILED)
    result = retention([sound, failed, *candidates(9, definition=RAWHIDE, first=10)], NOW, POLICY)
    assert kept(result)["43.1.0"] is KeepReason.LATEST
    assert kept(result)["43.50.0"] is KeepReason.NOT_SUCCEEDED


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"delete": "never"}, KeepReason.DELETE_NEVER),
        ({"Delete": "Never "}, KeepReason.DELETE_NEVER),
        ({"owner": "fedora-coreos"}, KeepReason.FOREIGN_OWNER),
    ],
)
def test_protected_versions_stay_even_after_their_end(tags: dict[str, str], why: KeepReason) -> None:
    result = retention([version("43.1.0", ends=NOW - DAY, tags=tags)], NOW, POLICY)
    assert kept(result) == {"43.1.0": why}


@pytest.mark.parametrize("tags", [{}, {"owner": "fedora-cloud"}, {"owner": ""}, {"delete": "later"}])
def test_other_tags_protect_nothing(tags: dict[str, str]) -> None:
    result = retention([version("43.1.0", ends=NOW - DAY, tags=tags)], NOW, POLICY)
    assert deletions(result) == {"43.1.0": Rule.END_OF_LIFE}


def test_failed_and_protected_versions_take_no_candidates_place() -> None:
    failed = [version(f"43.{each}.0", state=VersionState.FAILED) for each in range(20, 30)]
    pinned = [version(f"43.{each}.0", tags={"delete": "never"}) for each in range(30, 40)]
    result = retention([*candidates(7), *failed, *pinned], NOW, POLICY)
    assert deletions(result) == {}


@pytest.mark.parametrize(
    "state", [each for each in VersionState if each.value not in ("Succeeded", "Disabled")]
)
def test_what_did_not_succeed_is_skipped(state: VersionState) -> None:
    result = retention([version("43.1.0", ends=NOW - DAY, state=state)], NOW, POLICY)
    assert kept(result) == {"43.1.0": KeepReason.NOT_SUCCEEDED}
    assert result.kept[0].due_by is (Rule.END_OF_LIFE if state is VersionState.FAILED else None)


def test_a_version_that_lists_no_regions_is_no_candidate_unless_its_flag_says_so() -> None:
    bare = [promoted(f"43.{each}.0", regions=()) for each in range(20)]
    assert deletions(retention(bare, NOW, POLICY)) == {}


def test_losing_the_latest_of_some_regions_is_said_with_their_names() -> None:
    held = [promoted("43.2.0", regions=("westus",), ends=NOW - DAY), promoted("43.1.0", regions=("eastus",))]
    assert retention(held, NOW, POLICY).warnings == (
        f"{X64} is left without a latest in westus: launching it by default will fail.",
    )


def test_no_versions_are_no_ground_for_a_decision() -> None:
    with pytest.raises(ValueError, match="one definition"):
        retention([], NOW, POLICY)


def test_versions_of_two_definitions_are_not_judged_together() -> None:
    with pytest.raises(ValueError, match="one definition"):
        retention([version("43.1.0"), version("43.1.0", definition=RAWHIDE)], NOW, POLICY)


@st.composite
def galleries(draw: st.DrawFn) -> list[ImageVersion]:
    """Versions of one definition, as odd as a gallery may hold them."""
    definition = draw(st.sampled_from([X64, RAWHIDE]))
    numbers = draw(st.lists(st.integers(0, 60), min_size=1, max_size=30, unique=True))
    flag = st.sampled_from([None, None, None, True, False])
    return [
        version(
            f"43.{number}.0",
            definition=definition,
            excluded=draw(st.booleans()),
            state=draw(st.sampled_from([VersionState.SUCCEEDED] * 5 + list(VersionState))),
            regions=draw(st.dictionaries(st.sampled_from(REGIONS), flag, max_size=3)),
            ends=draw(st.none() | st.integers(-3, 3).map(lambda days: NOW + days * DAY)),
            published=draw(st.none() | st.integers(0, 90).map(lambda days: NOW - days * DAY)),
            tags=draw(st.sampled_from([{}, {}, {}, {}, {"delete": "never"}, {"owner": "fedora-coreos"}])),
        )
        for number in numbers
    ]


policies = st.builds(RetentionSettings, keep_candidates=st.integers(1, 9), keep_rolling=st.integers(1, 9))


def ours(each: ImageVersion) -> bool:
    return each.state is VersionState.SUCCEEDED and protection(each, POLICY.owner) is None


@given(galleries(), policies)
def test_every_version_gets_exactly_one_verdict(held: list[ImageVersion], policy: RetentionSettings) -> None:
    result = retention(held, NOW, policy)
    decided = [each.version for each in result.deletions] + [each.version for each in result.kept]
    assert sorted(map(id, decided)) == sorted(map(id, held))


@given(galleries(), policies, st.randoms(use_true_random=False))
def test_the_order_of_a_listing_does_not_matter(
    held: list[ImageVersion], policy: RetentionSettings, chance: random.Random
) -> None:
    shuffled = list(held)
    chance.shuffle(shuffled)
    assert retention(shuffled, NOW, policy) == retention(held, NOW, policy)


@given(galleries(), policies)
def test_only_our_own_succeeded_unprotected_versions_go(
    held: list[ImageVersion], policy: RetentionSettings
) -> None:
    assert all(ours(each.version) for each in retention(held, NOW, policy).deletions)


@given(galleries(), policies)
def test_ours_that_ended_always_go_by_that_rule(held: list[ImageVersion], policy: RetentionSettings) -> None:
    result = retention(held, NOW, policy)
    ended = {str(each.number) for each in held if ours(each) and has_ended(each, NOW)}
    assert {number for number, rule in deletions(result).items() if rule is Rule.END_OF_LIFE} == ended


@given(galleries(), policies)
def test_a_latest_goes_only_when_it_ended(held: list[ImageVersion], policy: RetentionSettings) -> None:
    result = retention(held, NOW, policy)
    gone = {id(each.version): each.rule for each in result.deletions}
    for region in REGIONS:
        top = latest(held, region)
        assert top is None or gone.get(id(top), Rule.END_OF_LIFE) is Rule.END_OF_LIFE
    left = [each.version for each in result.kept]
    sound = [each for each in held if not (ours(each) and has_ended(each, NOW))]
    assert latest_by_region(left) == latest_by_region(sound)


@given(galleries(), policies)
def test_no_more_stay_than_allowed_and_those_are_the_newest(
    held: list[ImageVersion], policy: RetentionSettings
) -> None:
    result = retention(held, NOW, policy)
    left = [each.version for each in result.kept if ours(each.version)]
    kept = [each for each in left if not is_promoted(each)]
    assert len(kept) <= policy.keep_candidates
    gone = [each.version for each in result.deletions if each.rule is Rule.CANDIDATES]
    assert all(low.number < high.number for low in gone for high in kept)
    if held[0].definition == RAWHIDE:
        extra = [each for each in result.kept if each.why is KeepReason.LATEST]
        assert len(left) <= policy.keep_rolling + len(extra)
    else:
        assert all(not is_promoted(each.version) for each in result.deletions if each.rule is Rule.CANDIDATES)
        assert Rule.ROLLING not in deletions(result).values()


@given(galleries(), policies)
def test_cleaning_up_twice_removes_nothing_more(held: list[ImageVersion], policy: RetentionSettings) -> None:
    left = [each.version for each in retention(held, NOW, policy).kept]
    if left:
        assert retention(left, NOW, policy).deletions == ()


@given(galleries(), policies, st.integers(0, 6))
def test_what_ended_stays_ended(held: list[ImageVersion], policy: RetentionSettings, days: int) -> None:
    ended = {
        number for number, rule in deletions(retention(held, NOW, policy)).items() if rule is Rule.END_OF_LIFE
    }
    later = deletions(retention(held, NOW + timedelta(days=days), policy))
    assert all(later.get(number) is Rule.END_OF_LIFE for number in ended)


@given(galleries(), policies)
def test_a_lost_latest_is_warned_of_and_nothing_else_is(
    held: list[ImageVersion], policy: RetentionSettings
) -> None:
    result = retention(held, NOW, policy)
    after = latest_by_region(each.version for each in result.kept)
    assert bool(result.warnings) == bool(latest_by_region(held).keys() - after.keys())


@given(galleries(), policies)
def test_keeping_more_never_removes_more(held: list[ImageVersion], policy: RetentionSettings) -> None:
    more = policy.model_copy(
        update={"keep_candidates": policy.keep_candidates + 1, "keep_rolling": policy.keep_rolling + 1}
    )
    assert deletions(retention(held, NOW, more)).keys() <= deletions(retention(held, NOW, policy)).keys()


def test_verdicts_come_newest_first() -> None:
    result = retention(candidates(12), NOW, POLICY)
    assert [each.version for each in result.deletions] == newest_first(
        each.version for each in result.deletions
    )


def test_what_its_cloud_would_refuse_to_delete_is_kept_with_the_rule_that_would_have_removed_it() -> None:
    versions = [
        *candidates(7, first=10),
        version("43.1.0"),
        replace(version("43.2.0"), kept_until_end_of_life=True),
        replace(version("43.3.0", ends=NOW + DAY), kept_until_end_of_life=True),
        replace(version("43.4.0", ends=NOW - DAY), kept_until_end_of_life=True),
        version("43.5.0"),
    ]
    result = retention(versions, NOW, POLICY, locks=[Lock("keep", X64.upper(), "43.5.0")])
    assert [(str(each.version.number), each.rule) for each in result.deletions] == [
        ("43.4.0", Rule.END_OF_LIFE),
        ("43.1.0", Rule.CANDIDATES),
    ]
    assert {str(each.version.number): (each.why, each.due_by) for each in result.kept if each.due_by} == {
        "43.2.0": (KeepReason.BLOCKED, Rule.CANDIDATES),
        "43.3.0": (KeepReason.BLOCKED, Rule.CANDIDATES),
        "43.5.0": (KeepReason.LOCKED, Rule.CANDIDATES),
    }


def test_where_something_cannot_be_read_only_ended_versions_go() -> None:
    versions = [*candidates(9), version("43.99.0", ends=NOW - DAY)]
    result = retention(versions, NOW, POLICY, in_doubt=True)
    assert [str(each.version.number) for each in result.deletions] == ["43.99.0"]
    assert {each.why for each in result.kept if each.due_by} == {KeepReason.IN_DOUBT}


LOCKS = st.lists(
    st.builds(
        Lock,
        st.just("keep"),
        st.sampled_from([None, X64, ARM]),
        st.sampled_from([None, *(f"43.{number}.0" for number in range(1, 13))]),
        ours=st.booleans(),
        cooldown=st.sampled_from([timedelta(0), DAY]),
        until=st.sampled_from([None, NOW - DAY, NOW + DAY]),
    ),
    max_size=3,
)

BLOCKS = st.sampled_from([(False, False), (True, False), (True, True)])
"""Whether a version is kept until its end of life, and whether that is Slipway's own doing."""


@given(st.lists(BLOCKS, min_size=12, max_size=12), LOCKS, st.booleans())
def test_what_is_forbidden_never_goes_and_takes_nothing_with_it(
    blocked: list[tuple[bool, bool]], locks: list[Lock], in_doubt: bool
) -> None:
    """What nobody but Slipway forbids goes, with its protection lifted before."""
    versions = [
        replace(each, kept_until_end_of_life=kept, kept_by_us=ours)
        for each, (kept, ours) in zip(candidates(12), blocked, strict=True)
    ]
    free = {each.version.number for each in retention(candidates(12), NOW, POLICY).deletions}
    result = retention(versions, NOW, POLICY, in_doubt=in_doubt, locks=locks)
    for each in result.deletions:
        assert each.version.number in free
        assert not in_doubt
        assert each.version.kept_by_us or not each.version.kept_until_end_of_life
        on = [lock for lock in locks if lock.holds(X64, each.version.number) and lock.until is None]
        assert all(lock.ours for lock in on)
        assert each.protected == (each.version.kept_until_end_of_life or bool(on))
    assert len(result.deletions) + len(result.kept) == 12


class TestDisabled:
    """What a clean-up disabled before, in clouds where it does."""

    def decide(self, since: timedelta | None, **policy: timedelta) -> Decision:
        disabled = replace(
            version("43.1.0", state=VersionState.DISABLED),
            disabled_since=None if since is None else NOW - since,
        )
        found = retention([disabled, promoted("43.2.0")], NOW, RetentionSettings(**policy), in_doubt=True)
        decisions: list[Decision] = [*found.deletions, *found.kept]
        (decision,) = [each for each in decisions if each.version is disabled]
        return decision

    def test_it_goes_once_it_could_be_brought_back_for_long_enough(self) -> None:
        due = self.decide(timedelta(days=7))
        early = self.decide(timedelta(days=6, hours=23))
        assert isinstance(due, Deletion)
        assert due.rule is Rule.DISABLED
        assert isinstance(early, Kept)
        assert early.why is KeepReason.DISABLED
        assert isinstance(self.decide(timedelta(days=7), keep_disabled=timedelta(days=30)), Kept)

    def test_what_its_cloud_keeps_for_a_time_stays_until_then(self) -> None:
        """Its protection was lifted, with a cool-down; one that is on is lifted first, and it goes later."""
        disabled = replace(
            version("43.1.0", state=VersionState.DISABLED), disabled_since=NOW - timedelta(days=8)
        )

        def decide(lock: Lock) -> Decision:
            found = retention([disabled, promoted("43.2.0")], NOW, POLICY, locks=[lock])
            decisions: list[Decision] = [*found.deletions, *found.kept]
            return next(each for each in decisions if each.version is disabled)

        kept = decide(Lock("protection", X64, "43.1.0", ours=True, until=NOW + DAY))
        assert isinstance(kept, Kept)
        assert kept.words == "its protection is lifted, and its cloud keeps it until 2026-11-21 12:00 UTC"
        over = decide(Lock("protection", X64, "43.1.0", ours=True, until=NOW - DAY))
        assert over == Deletion(disabled, Rule.DISABLED)
        on = decide(Lock("protection", X64, "43.1.0", ours=True, cooldown=DAY))
        assert on == Deletion(disabled, Rule.DISABLED, protected=True, cooldown=DAY)

    def test_what_somebody_else_disabled_stays(self) -> None:
        kept = self.decide(None)
        assert isinstance(kept, Kept)
        assert kept.why is KeepReason.DISABLED_BY_OTHERS

    def test_it_takes_no_candidates_place(self) -> None:
        disabled = replace(version("43.99.0", state=VersionState.DISABLED), disabled_since=NOW)
        found = retention([disabled, *candidates(8)], NOW, POLICY)
        assert deletions(found) == {"43.1.0": Rule.CANDIDATES}
