"""What is latest where copies are not complete, and what is said of them: pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import ImageVersion, Replication, ReplicationState
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.observed import observe_latest
from slipway.bot.subjects.images.replication.states import (
    copies_in_words,
    missing_copies,
    replication_words,
    tell_copies,
)
from slipway.bot.subjects.images.versions import is_promoted, latest, latest_by_region, promoted_by_region
from tests.images.builders import promoted, version
from tests.support.azure import X64

REGIONS = ("eastus", "westus", "westeurope")
DONE = Replication(ReplicationState.COMPLETED, 100)
FAILED = Replication(ReplicationState.FAILED, 0, "Quota reached")
HALF = Replication(ReplicationState.REPLICATING, 40)


def copied(base: ImageVersion, copies: Mapping[str, Replication | None]) -> ImageVersion:
    """The version with its copies as given; regions that are not named are complete."""
    regions = (replace(region, replication=copies.get(region.name, DONE)) for region in base.regions)
    return replace(base, regions=tuple(regions))


COPIES = st.dictionaries(
    st.sampled_from(REGIONS),
    st.none() | st.builds(Replication, st.sampled_from(ReplicationState), st.none() | st.integers(0, 100)),
)
FLAGS = st.dictionaries(st.sampled_from(REGIONS), st.none() | st.booleans(), min_size=1)


@st.composite
def versions(draw: st.DrawFn) -> list[ImageVersion]:
    numbers = draw(st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True))
    return [
        copied(version(f"43.{number}.0", excluded=draw(st.booleans()), regions=draw(FLAGS)), draw(COPIES))
        for number in numbers
    ]


@given(versions(), st.randoms(use_true_random=False))
def test_nothing_is_latest_where_its_copy_is_not_known_to_be_complete(
    held: list[ImageVersion], chance: object
) -> None:
    found = latest_by_region(held)
    for region, top in found.items():
        (here,) = (each for each in top.regions if each.name == region)
        assert here.replication is None or here.replication.state is ReplicationState.COMPLETED
        better = [
            each.number
            for each in held
            if region in each.launch_regions
            and each.number > top.number
            and region not in missing_copies(each)
        ]
        assert not better
        assert latest(held, region) == top
    assert set(found) <= set(promoted_by_region(held))
    assert latest_by_region(list(reversed(held))) == found


@given(versions())
def test_a_plan_rests_on_no_copy(held: list[ImageVersion]) -> None:
    """A copy that comes to its end between proposal and approval makes no plan stale, and nothing a candidate."""
    ended = [copied(each, {}) for each in held]
    ref = DefinitionRef("azure", X64)
    assert observe_latest(ref, held) == observe_latest(ref, ended)
    assert [is_promoted(each) for each in held] == [is_promoted(each) for each in ended]


def test_a_copy_that_is_not_there_leaves_latest_as_it_was_there() -> None:
    older = promoted("43.1.0", regions=REGIONS)
    newer = copied(promoted("43.2.0", regions=REGIONS), {"westus": HALF, "westeurope": FAILED})
    found = {region: str(top.number) for region, top in latest_by_region([older, newer]).items()}
    assert found == {"eastus": "43.2.0", "westeurope": "43.1.0", "westus": "43.1.0"}
    assert latest_by_region([newer]).keys() == {"eastus"}


def test_copies_are_said_in_few_words() -> None:
    listed = version("43.2.0", regions=REGIONS)
    assert (replication_words(listed), copies_in_words(listed), tell_copies("it", listed)) == ((), "", ())
    whole = copied(listed, {})
    assert (replication_words(whole), copies_in_words(whole)) == ((), "in all 3 regions")
    odd = copied(listed, {"westus": HALF, "westeurope": FAILED})
    assert replication_words(odd) == ("replicating 40 %", "failed in westeurope")
    assert copies_in_words(odd) == ("in eastus; westus replicates, 40 %; westeurope failed (“Quota reached”)")
    (sentence,) = tell_copies("43.2.0", odd)
    assert sentence == (
        "43.2.0 is not in every region yet: westeurope failed (“Quota reached”) and westus replicates, 40 %. "
        "Latest stays in these regions until it is."
    )


def test_regions_that_it_is_to_be_in_and_is_not_are_missing_too() -> None:
    odd = copied(version("43.2.0", regions=REGIONS), {"westus": HALF})
    assert missing_copies(odd) == {"westus": HALF}
    assert missing_copies(odd, ["eastus", "uksouth"]) == {"uksouth": None}
