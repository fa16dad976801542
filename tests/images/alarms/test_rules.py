"""What is wrong with the versions of a definition, by listings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import (
    ImageVersion,
    TargetRegion,
    UnreadableVersion,
    VersionListing,
    VersionState,
)
from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, Outcome
from slipway.bot.subjects.images.alarms.rules import NO_FACTS, Facts, Listed, alarms, near_quota
from slipway.bot.subjects.images.alarms.settings import AlarmSettings
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.standing import Standing
from tests.images.builders import promoted, version
from tests.support.azure import X64
from tests.support.clock import DAY, HOUR, NOW

REF = DefinitionRef("azure", X64)
ALL = AlarmSettings(
    new_version=8 * DAY,
    evidence=DAY,
    promoted=14 * DAY,
    latest=True,
    stuck=6 * HOUR,
    most_versions=10,
    most_replicas=100,
    owner="role:releng",
)


def told(
    versions: Iterable[ImageVersion],
    wanted: AlarmSettings = ALL,
    facts: Facts = NO_FACTS,
    unreadable: Sequence[UnreadableVersion] = (),
) -> dict[str, str]:
    """What is told, by the alarm."""
    listing = VersionListing(tuple(versions), unreadable)
    found = alarms(Listed(REF, listing, wanted, facts), NOW)
    return {each.key.removeprefix(f"azure/{X64.casefold()} "): each.what for each in found}


def passed(kind: EvidenceKind) -> Evidence:
    return Evidence(
        cloud="azure",
        definition=X64,
        version="43.2.0",
        kind=kind,
        outcome=Outcome.PASSED,
        summary="",
        source="tests",
        at=NOW,
        key="k",
    )


FRESH = promoted("43.1.0", published=NOW - DAY)


def test_where_all_is_well_nothing_is_told() -> None:
    assert told([FRESH], facts=Facts(promoted_at=NOW - DAY)) == {}


def test_what_is_not_asked_for_is_not_told() -> None:
    assert told([], AlarmSettings(owner="role:releng")) == {}


def test_no_new_version_for_too_long() -> None:
    old = promoted("43.1.0", published=NOW - 8 * DAY)
    failed = version("43.2.0", state=VersionState.FAILED, published=NOW)
    assert told([old, failed]) == {"new-version": f"{X64} has had no new version since 2026-11-12."}
    assert told([replace(old, published_at=NOW - 8 * DAY + HOUR), failed]) == {}


def test_no_version_at_all_is_no_new_version_and_no_latest() -> None:
    assert told([]) == {
        "latest": f"{X64} has no latest: a launch of it finds nothing.",
        "new-version": f"{X64} has had no new version at all.",
    }


def test_when_nothing_says_when_versions_came_nothing_is_said_of_that() -> None:
    assert told([promoted("43.1.0")]) == {}


def test_of_a_definition_that_has_ended_nothing_more_is_expected() -> None:
    assert told([version("43.1.0", published=NOW - 90 * DAY, ends=NOW - DAY)]) == {}


def test_a_candidate_without_evidence() -> None:
    waiting = version("43.2.0", published=NOW - DAY)
    alarm = "43.2.0 evidence"
    assert told([FRESH, waiting])[alarm] == f"{X64}/43.2.0 is a candidate, and no evidence has come for it."
    assert told([FRESH, replace(waiting, published_at=NOW - DAY + HOUR)]) == {}
    assert told([FRESH, waiting], facts=Facts(held=True)) == {}
    boot = Standing((passed(EvidenceKind.BOOT),))
    assert told([FRESH, waiting], facts=Facts(known=boot)) == {}
    both = (EvidenceKind.BOOT, EvidenceKind.TESTS)
    assert "no evidence of tests has" in told([FRESH, waiting], facts=Facts(boot, both))[alarm]
    assert told([FRESH, waiting], facts=Facts(boot, (EvidenceKind.BOOT,))) == {}


def test_only_the_newest_version_is_waited_for() -> None:
    passed_by = version("43.0.1", published=NOW - 3 * DAY)
    assert told([passed_by, FRESH]) == {}


def test_nothing_promoted_for_too_long() -> None:
    facts = Facts(promoted_at=NOW - 14 * DAY)
    assert told([FRESH], facts=facts) == {"promoted": f"Nothing of {X64} has been promoted since 2026-11-06."}
    assert told([FRESH], facts=Facts(promoted_at=NOW - 14 * DAY + HOUR)) == {}


def test_no_latest() -> None:
    assert "latest" in told([version("43.2.0", published=NOW)])
    assert told([version("43.2.0", published=NOW)], AlarmSettings(stuck=HOUR)) == {}


@pytest.mark.parametrize("state", [VersionState.CREATING, VersionState.UPDATING])
def test_a_version_in_the_making_is_told_once_that_lasts(state: VersionState) -> None:
    listing = VersionListing((FRESH, version("43.2.0", state=state, published=NOW)))
    (found,) = alarms(Listed(REF, listing, ALL), NOW)
    assert found.patience == 6 * HOUR
    assert f"{X64}/43.2.0 does not come out of the state" in found.what


def test_replicas_near_the_limit() -> None:
    def spread(count: int) -> ImageVersion:
        return replace(FRESH, regions=tuple(TargetRegion(f"r{number}", 3) for number in range(count)))

    assert told([spread(30)]) == {
        "43.1.0 replicas": f"{X64}/43.1.0 has 90 replicas in all its regions, of 100 at most."
    }
    assert told([spread(29)]) == {}


def test_versions_near_the_quota_whatever_definition_they_are_of() -> None:
    one = Listed(REF, VersionListing(tuple(version(f"43.{each}.0") for each in range(5))), ALL)
    broken = (UnreadableVersion("odd", "is odd"),)
    other = Listed(DefinitionRef("azure", "other"), VersionListing(one.versions.versions[:3], broken), ALL)
    (found,) = near_quota("*", "azure", [one, other], ALL)
    assert found.what == "The versions of * in azure come near 10, or exceed that."
    assert list(near_quota("*", "azure", [one], ALL)) == []


def test_what_cannot_be_read_may_be_what_seems_to_be_missing() -> None:
    assert told([], unreadable=(UnreadableVersion("43.x", "is no version"),)) == {}


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.sampled_from(VersionState)), max_size=5))
def test_any_order_gives_the_same_and_each_key_once(
    versions: list[tuple[bool, int, VersionState]],
) -> None:
    made = [
        replace(
            version(f"43.{number}.0", state=state, published=NOW - timedelta(days=age)), excluded=excluded
        )
        for number, (excluded, age, state) in enumerate(versions)
    ]
    found = [each.key for each in alarms(Listed(REF, VersionListing(tuple(made)), ALL), NOW)]
    again = [each.key for each in alarms(Listed(REF, VersionListing(tuple(reversed(made))), ALL), NOW)]
    assert sorted(found) == sorted(again)
    assert len(set(found)) == len(found)
