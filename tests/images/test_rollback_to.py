"""`!rollback --to VERSION`: all that is newer goes, step by step, or nothing does."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import (
    ImageVersion,
    TargetRegion,
    UnreadableVersion,
    VersionNumber,
    VersionState,
)
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.requests import Rollback
from slipway.bot.subjects.images.rolling_back.planner import RollbackPlanner
from slipway.bot.subjects.images.steps import SetExcluded
from slipway.bot.subjects.images.versions import latest_by_region
from tests.images.builders import MemoryGallery, promoted, version
from tests.support.azure import X64
from tests.support.clock import DAY, NOW
from tests.support.clouds import galleries

REGIONS = ("eastus", "westus", "northeurope")


async def back_to(gallery: MemoryGallery, number: str) -> Draft[Rollback]:
    return await RollbackPlanner(Catalogue(galleries(gallery))).plan(Rollback(definition=X64, to=number), NOW)


def excluded(draft: Draft[Rollback]) -> list[str]:
    """What is taken back, in the order of the steps."""
    assert all(isinstance(step, SetExcluded) and step.excluded for step in draft.steps)
    return [step.version for step in draft.steps if isinstance(step, SetExcluded)]


def several() -> MemoryGallery:
    """Four promoted versions, and a candidate that is newer than all."""
    return MemoryGallery(*(promoted(f"43.{each}.0") for each in range(1, 5)), version("43.5.0"))


async def test_all_that_is_newer_is_taken_back_oldest_first_so_that_latest_moves_once() -> None:
    gallery = several()
    draft = await back_to(gallery, "43.2.0")
    assert excluded(draft) == ["43.3.0", "43.4.0"]
    assert draft.summary == f"43.2.0 is latest of {X64} again."
    assert draft.evidence == (("Latest", "43.4.0 → 43.2.0"),)
    assert {step.reason for step in draft.steps} == {"it is newer than the version that is to be latest"}
    assert not draft.independent
    planner = RollbackPlanner(Catalogue(galleries(gallery)))
    again = await planner.plan(draft.request, NOW)
    assert (again.request, again.steps, again.observed) == (draft.request, draft.steps, draft.observed)
    gallery.change(X64, "43.3.0", excluded=True)
    assert excluded(await planner.plan(draft.request, NOW)) == ["43.4.0"]
    gallery.change(X64, "43.4.0", excluded=True)
    assert (await planner.plan(draft.request, NOW)).steps == ()


async def test_what_was_promoted_since_is_a_new_step_and_so_nobody_agreed_to_it() -> None:
    gallery = several()
    draft = await back_to(gallery, "43.3.0")
    gallery.change(X64, "43.5.0", excluded=False)
    again = await RollbackPlanner(Catalogue(galleries(gallery))).plan(draft.request, NOW)
    assert excluded(again) == ["43.4.0", "43.5.0"]


async def test_a_version_that_is_latest_already_needs_nothing() -> None:
    draft = await back_to(several(), "43.4.0")
    assert draft.steps == ()
    assert draft.summary == f"Nothing to roll back: no version of {X64} newer than 43.4.0 is promoted."


@pytest.mark.parametrize(
    ("changes", "to", "sentence"),
    [
        (
            {},
            "43.5.0",
            r"43\.5\.0 of .* is not promoted, so taking back what is newer would not make it latest",
        ),
        ({}, "43.9.0", r"has no version 43\.9\.0"),
        (
            {"43.2.0": {"state": VersionState.FAILED}},
            "43.2.0",
            r"43\.2\.0 would be latest .* but it is Failed",
        ),
        (
            {"43.2.0": {"end_of_life": NOW - DAY}},
            "43.2.0",
            r"43\.2\.0 would be latest .* but it reached its end",
        ),
        ({"43.3.0": {"state": VersionState.UPDATING}}, "43.2.0", r"43\.3\.0 of .* is Updating right now"),
        (
            {"43.2.0": {"regions": (TargetRegion("eastus"), TargetRegion("westus", 1, True))}},
            "43.2.0",
            "is not promoted everywhere",
        ),
    ],
)
async def test_what_would_not_leave_that_version_latest_is_refused(
    changes: dict[str, dict[str, object]], to: str, sentence: str
) -> None:
    gallery = several()
    for number, each in changes.items():
        gallery.change(X64, number, **each)
    with pytest.raises(UserError, match=sentence):
        await back_to(gallery, to)


async def test_something_newer_that_cannot_be_read_is_a_reason_against_it() -> None:
    gallery = several()
    gallery.unreadable[X64] = (UnreadableVersion("43.9.0", "has no state"),)
    with pytest.raises(
        UserError, match=r"43\.9\.0 has no state in .*: whether 43\.2\.0 would be latest is not known"
    ):
        await back_to(gallery, "43.2.0")
    gallery.unreadable[X64] = (UnreadableVersion("43.0.1", "has no state"),)
    assert excluded(await back_to(gallery, "43.2.0")) == ["43.3.0", "43.4.0"]


@st.composite
def held_versions(draw: st.DrawFn) -> list[ImageVersion]:
    """Versions with flags of every kind, in any regions."""
    numbers = draw(st.lists(st.integers(1, 12), min_size=1, max_size=7, unique=True))
    found = []
    for number in numbers:
        regions = draw(st.lists(st.sampled_from(REGIONS), min_size=1, unique=True))
        flags = {region: draw(st.sampled_from([None, None, None, True, False])) for region in regions}
        state = draw(
            st.sampled_from([*[VersionState.SUCCEEDED] * 6, VersionState.FAILED, VersionState.UPDATING])
        )
        found.append(version(f"43.{number}.0", excluded=draw(st.booleans()), regions=flags, state=state))
    return found


@given(held_versions(), st.integers(1, 12))
def test_it_leaves_exactly_that_version_latest_wherever_it_is_or_is_refused(
    held: list[ImageVersion], wanted: int
) -> None:
    gallery, number = MemoryGallery(*held), VersionNumber(43, wanted, 0)

    async def try_it() -> None:
        try:
            draft = await back_to(gallery, str(number))
        except UserError:
            return
        before = latest_by_region(held)
        for taken in excluded(draft):
            assert VersionNumber.parse(taken) > number
            await gallery.set_promoted(X64, VersionNumber.parse(taken), promoted=False)
            moved = latest_by_region(gallery.held[X64].values())
            assert moved.keys() == before.keys()  # no region loses what it launches, at no moment
        after = latest_by_region(gallery.held[X64].values())
        for region in (each.name for each in gallery.held[X64][number].regions):
            assert after[region].number == number
        assert all(each.number <= number for each in after.values())
        older = [each for each in held if each.number <= number]
        assert all(gallery.held[X64][each.number] == each for each in older)

    asyncio.run(try_it())
