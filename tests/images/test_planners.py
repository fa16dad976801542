"""What promoting, rolling back and cleaning up would do, and when a plan stops being true."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from slipway.bot.clouds.model import Lock, TargetRegion, VersionState
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Cleanup, Pin, Promote, Rollback
from slipway.bot.subjects.images.rolling_back.planner import RollbackPlanner
from tests.images.builders import POLICY, MemoryGallery, candidates, promoted, version
from tests.support.azure import ARM, RAWHIDE, X64
from tests.support.clock import DAY, NOW
from tests.support.clouds import galleries


async def promote(gallery: MemoryGallery, request: Promote, now: datetime = NOW) -> Draft[Promote]:
    return await PromotePlanner(Catalogue(galleries(gallery))).plan(request, now)


async def rollback(gallery: MemoryGallery, request: Rollback) -> Draft[Rollback]:
    return await RollbackPlanner(Catalogue(galleries(gallery))).plan(request, NOW)


async def cleanup(gallery: MemoryGallery, request: Cleanup, now: datetime = NOW) -> Draft[Cleanup]:
    return await CleanupPlanner(Catalogue(galleries(gallery)), POLICY).plan(request, now)


def titles(draft: Draft[Any]) -> list[str]:
    return [step.title for step in draft.steps]


def substance(draft: Draft[Any]) -> tuple[Any, ...]:
    """What makes a plan stale when it differs."""
    return draft.request, draft.steps, draft.observed, bool(draft.needs_approval)


def usual(*more: Any) -> MemoryGallery:
    return MemoryGallery(promoted("43.1.0"), promoted("43.2.0"), version("43.3.0"), *more)


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        (Lock("frozen", read_only=True), True),
        (Lock("frozen", X64.upper(), read_only=True), True),
        (Lock("frozen", ARM, read_only=True), False),
        (Lock("frozen"), False),
    ],
)
async def test_a_lock_that_forbids_every_change_is_told_before_a_promotion_or_rollback_fails_by_it(
    lock: Lock, told: bool
) -> None:
    gallery = usual()
    gallery.held_by_locks = (lock,)
    drafts: list[tuple[Draft[Any], str]] = [
        (await promote(gallery, Promote(definition=X64)), "43.3.0"),
        (await rollback(gallery, Rollback(definition=X64)), "43.2.0"),
    ]
    for draft, number in drafts:
        sentence = f"The lock “frozen” in its cloud forbids to change {number} of {X64}: this fails"
        assert any(each.startswith(sentence) for each in draft.warnings) is told


class TestPromote:
    async def test_the_newest_candidate_becomes_latest(self) -> None:
        draft = await promote(usual(version("43.4.0", ends=NOW + DAY)), Promote(definition=X64))
        assert titles(draft) == [f"promote 43.4.0 of {X64}"]
        assert draft.steps[0].reason == "it is the newest candidate"
        assert draft.summary == f"43.4.0 is latest of {X64}."
        assert dict(draft.evidence) == {
            "Latest": "43.2.0 → 43.4.0",
            "Published": "-",
            "End of life": "2026-11-21",
        }
        assert draft.warnings == ()
        assert not draft.independent

    async def test_newer_versions_that_are_passed_over_are_named_with_the_reason(self) -> None:
        under_way = version("43.5.0", state=VersionState.CREATING)
        older = version("43.2.1", state=VersionState.FAILED)
        draft = await promote(
            usual(under_way, version("43.4.0", ends=NOW - DAY), older), Promote(definition=X64)
        )
        assert titles(draft) == [f"promote 43.3.0 of {X64}"]
        (warning,) = draft.warnings
        assert warning == (
            f"Newer in {X64}, and passed over: 43.5.0 is Creating, not Succeeded and 43.4.0 reached its end of life "
            "on 2026-11-19."
        )
        named = await promote(usual(under_way), Promote(definition=X64, version="43.3.0"))
        assert named.warnings == ()

    async def test_a_first_version_comes_after_none(self) -> None:
        draft = await promote(MemoryGallery(version("43.1.0")), Promote(definition=X64))
        assert dict(draft.evidence)["Latest"] == "none → 43.1.0"

    async def test_a_plan_holds_when_a_newer_candidate_arrives(self) -> None:
        gallery = usual()
        first = await promote(gallery, Promote(definition=X64))
        gallery.put(version("43.4.0"))
        again = await promote(gallery, first.request)
        assert substance(again) == substance(first)
        assert again.summary == first.summary

    @pytest.mark.parametrize(
        "changes",
        [
            {"regions": (TargetRegion("eastus"),)},
            {"regions": (TargetRegion("eastus"), TargetRegion("westus", 1, False))},
            {"end_of_life": NOW + DAY},
        ],
    )
    async def test_a_plan_is_stale_when_the_version_changed(self, changes: Mapping[str, Any]) -> None:
        gallery = usual()
        first = await promote(gallery, Promote(definition=X64))
        gallery.change(X64, "43.3.0", **changes)
        assert substance(await promote(gallery, first.request)) != substance(first)

    async def test_a_plan_is_stale_when_latest_moved(self) -> None:
        gallery = usual(version("43.4.0"))
        first = await promote(gallery, Promote(definition=X64, version="43.3.0"))
        gallery.change(X64, "43.4.0", excluded=False)
        again = await promote(gallery, first.request)
        assert (first.observed[f"latest of {X64}"], again.observed[f"latest of {X64}"]) == (
            "43.2.0",
            "43.4.0",
        )

    async def test_a_pinned_plan_has_no_step_left_once_it_is_promoted(self) -> None:
        gallery = usual()
        first = await promote(gallery, Promote(definition=X64))
        gallery.change(X64, "43.3.0", excluded=False)
        assert (await promote(gallery, first.request)).steps == ()

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"state": VersionState.FAILED}, "is Failed, not Succeeded; it cannot be promoted"),
            ({"state": VersionState.CREATING}, "is Creating, not Succeeded"),
            ({"end_of_life": NOW - DAY}, "reached its end of life on 2026-11-19"),
        ],
    )
    async def test_an_unfit_version_is_not_promoted_and_says_why(
        self, changes: Mapping[str, Any], sentence: str
    ) -> None:
        gallery = usual()
        pinned = (await promote(gallery, Promote(definition=X64))).request
        gallery.change(X64, "43.3.0", **changes)
        for request in (pinned, Promote(definition=X64, version="43.3.0")):
            with pytest.raises(UserError, match=sentence):
                await promote(gallery, request)
        idle = await promote(gallery, Promote(definition=X64))
        assert idle.steps == ()
        assert "no candidate fit to be promoted: 43.3.0 " in idle.summary

    async def test_an_older_version_is_promoted_with_a_warning(self) -> None:
        gallery = MemoryGallery(promoted("43.5.0"), version("43.4.0"))
        draft = await promote(gallery, Promote(definition=X64, version="43.4.0"))
        assert len(draft.steps) == 1
        assert draft.warnings == (f"43.4.0 is older than the latest of {X64}, which stays 43.5.0.",)
        assert draft.summary == f"43.4.0 of {X64} is promoted, and its latest stays as it is."
        assert dict(draft.evidence)["Latest"] == "stays 43.5.0"

    async def test_without_a_version_an_older_candidate_is_not_taken(self) -> None:
        draft = await promote(MemoryGallery(promoted("43.5.0"), version("43.4.0")), Promote(definition=X64))
        assert draft.steps == ()
        assert draft.summary == (f"Nothing to promote: {X64} has no candidate newer than its latest, 43.5.0.")

    async def test_a_promoted_version_needs_nothing_but_a_partly_promoted_one_does(self) -> None:
        gallery = usual(version("43.4.0", excluded=False, regions={"eastus": None, "westus": True}))
        done = await promote(gallery, Promote(definition=X64, version="43.2.0"))
        assert (done.steps, done.summary) == ((), f"Nothing to promote: 43.2.0 of {X64} is promoted already.")
        partly = await promote(gallery, Promote(definition=X64, version="43.4.0"))
        assert dict(partly.evidence)["Latest in westus"] == "43.2.0 → 43.4.0"

    async def test_regions_without_the_version_are_named(self) -> None:
        gallery = MemoryGallery(promoted("43.1.0"), version("43.2.0", regions=("eastus",)))
        draft = await promote(gallery, Promote(definition=X64))
        assert dict(draft.evidence)["Latest in eastus"] == "43.1.0 → 43.2.0"
        assert draft.warnings == (f"43.2.0 of {X64} is not in westus; latest stays there.",)

    async def test_a_pattern_promotes_in_each_definition_that_has_something(self) -> None:
        gallery = usual(version("43.7.0", definition=ARM), promoted("43.1.0", definition=RAWHIDE))
        draft = await promote(gallery, Promote(definition="Fedora-*"))
        assert titles(draft) == [f"promote 43.7.0 of {ARM}", f"promote 43.3.0 of {X64}"]
        assert draft.independent
        gallery.put(version("43.8.0", definition=RAWHIDE))
        assert substance(await promote(gallery, draft.request)) == substance(draft)

    async def test_a_pattern_without_anything_to_promote_says_so(self) -> None:
        gallery = MemoryGallery(promoted("43.1.0"), empty=[ARM])
        draft = await promote(gallery, Promote(definition="Fedora-Cloud-43-*"))
        assert draft.steps == ()
        assert draft.summary == "Nothing to promote: None of 2 definitions has a candidate to promote."

    async def test_an_unknown_version_names_the_nearest(self) -> None:
        with pytest.raises(UserError) as caught:
            await promote(usual(), Promote(definition=X64, version="43.3.1"))
        assert "43.3.0" in caught.value.nearest

    async def test_a_version_that_was_rolled_back_is_passed_over(self) -> None:
        gallery = MemoryGallery(promoted("43.1.0"), version("43.2.0"), version("43.3.0"))
        back = (Pin(definition=X64, version="43.3.0"),)
        draft = await promote(gallery, Promote(definition=X64, avoid=back))
        assert titles(draft) == [f"promote 43.2.0 of {X64}"]
        assert any("43.3.0" in warning and "rolled back" in warning for warning in draft.warnings)

    async def test_with_nothing_but_a_rolled_back_version_the_reason_is_given(self) -> None:
        gallery = MemoryGallery(promoted("43.1.0"), version("43.3.0"))
        back = (Pin(definition=X64, version="43.3.0"),)
        draft = await promote(gallery, Promote(definition=X64, avoid=back))
        assert draft.steps == ()
        assert "43.3.0 was rolled back" in draft.summary

    async def test_a_rolled_back_version_is_promoted_when_it_is_named(self) -> None:
        gallery = MemoryGallery(promoted("43.1.0"), version("43.3.0"))
        back = (Pin(definition=X64, version="43.3.0"),)
        draft = await promote(gallery, Promote(definition=X64, version="43.3.0", avoid=back))
        assert titles(draft) == [f"promote 43.3.0 of {X64}"]


class TestRollback:
    async def test_the_latest_is_taken_back(self) -> None:
        draft = await rollback(usual(), Rollback(definition=X64))
        assert titles(draft) == [f"take 43.2.0 of {X64} back from latest"]
        assert draft.summary == f"43.1.0 is latest of {X64} again."
        assert draft.evidence == (("Latest", "43.2.0 → 43.1.0"),)
        assert draft.steps[0].reason == "it is latest, and its rollback was asked for"

    async def test_where_regions_differ_it_is_told_which_is_latest_again_in_which(self) -> None:
        here = promoted("43.1.1", regions=("eastus",))
        draft = await rollback(usual(here), Rollback(definition=X64))
        assert draft.summary == f"Latest of {X64} are again 43.1.1 in eastus and 43.1.0 in westus."

    async def test_planned_again_it_is_the_same_whatever_is_uploaded(self) -> None:
        gallery = usual()
        first = await rollback(gallery, Rollback(definition=X64.lower()))
        gallery.put(version("43.9.0"))
        assert substance(await rollback(gallery, first.request)) == substance(first)

    async def test_a_version_promoted_since_makes_it_moot(self) -> None:
        gallery = usual()
        first = await rollback(gallery, Rollback(definition=X64))
        gallery.change(X64, "43.3.0", excluded=False)
        with pytest.raises(UserError, match=r"43\.2\.0 is not the latest .* any more; 43\.3\.0 is"):
            await rollback(gallery, first.request)

    async def test_a_changed_successor_makes_it_stale(self) -> None:
        gallery = usual()
        first = await rollback(gallery, Rollback(definition=X64))
        gallery.change(X64, "43.1.0", end_of_life=NOW + DAY)
        assert substance(await rollback(gallery, first.request)) != substance(first)

    async def test_nothing_to_roll_back_to_is_a_mistake(self) -> None:
        with pytest.raises(UserError, match=r"no promoted version before 43\.1\.0"):
            await rollback(MemoryGallery(promoted("43.1.0")), Rollback(definition=X64))
        with pytest.raises(UserError, match="has no latest"):
            await rollback(MemoryGallery(version("43.1.0")), Rollback(definition=X64))

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"state": VersionState.FAILED}, "but it is Failed, not Succeeded"),
            ({"end_of_life": NOW - DAY}, "but it reached its end of life on 2026-11-19"),
        ],
    )
    async def test_an_unfit_successor_is_a_mistake(self, changes: Mapping[str, Any], sentence: str) -> None:
        gallery = usual()
        gallery.change(X64, "43.1.0", **changes)
        with pytest.raises(UserError, match=sentence):
            await rollback(gallery, Rollback(definition=X64))

    async def test_a_failed_latest_can_be_taken_back(self) -> None:
        gallery = usual()
        gallery.change(X64, "43.2.0", state=VersionState.FAILED)
        assert len((await rollback(gallery, Rollback(definition=X64))).steps) == 1

    async def test_regions_that_never_launched_it_keep_what_they_have(self) -> None:
        gallery = MemoryGallery(
            promoted("43.3.0", regions=("eastus",)),
            promoted("43.2.0", regions=("eastus", "westus")),
            promoted("43.1.0", regions=("eastus", "westus")),
        )
        draft = await rollback(gallery, Rollback(definition=X64))
        assert titles(draft) == [f"take 43.3.0 of {X64} back from latest"]
        assert draft.evidence == (("Latest in eastus", "43.3.0 → 43.2.0"),)
        assert "Nothing changes in westus, where 43.3.0 is not latest." in draft.warnings

    async def test_a_region_that_would_be_left_bare_forbids_it(self) -> None:
        gallery = MemoryGallery(promoted("43.2.0"), promoted("43.1.0", regions=("eastus",)))
        with pytest.raises(
            UserError, match="to roll back to in westus: nothing would launch there"
        ) as caught:
            await rollback(gallery, Rollback(definition=X64))
        assert caught.value.hint == f"revoke {X64}/43.2.0 it has to go at once"


class TestCleanup:
    async def test_each_step_carries_its_rule(self) -> None:
        gallery = MemoryGallery(
            *candidates(9),
            promoted("42.1.0", ends=NOW - DAY),
            promoted("42.2.0"),
            *candidates(8, definition=RAWHIDE),
        )
        draft = await cleanup(gallery, Cleanup())
        assert {step.title: step.reason for step in draft.steps} == {
            f"delete 42.1.0 of {X64}": "it reached its end of life on 2026-11-19",
            f"delete 43.1.0 of {X64}": "it is a candidate, and not among the newest 7",
            f"delete 43.2.0 of {X64}": "it is a candidate, and not among the newest 7",
            f"delete 43.1.0 of {RAWHIDE}": "it is a candidate, and not among the newest 7",
        }
        assert draft.independent
        assert draft.needs_approval == ""
        assert draft.summary == f"4 versions of {X64} and {RAWHIDE} deleted."
        assert dict(draft.evidence) == {"Past end of life": "1", "Older candidates": "3", "Kept": "15"}

    async def test_one_listing_a_definition_and_no_call_a_version(self) -> None:
        gallery = MemoryGallery(*candidates(30), *candidates(30, definition=ARM))
        await cleanup(gallery, Cleanup())
        assert sorted(gallery.listed) == [ARM, X64]

    async def test_only_what_was_asked_for_is_looked_at(self) -> None:
        gallery = MemoryGallery(*candidates(9), *candidates(9, definition=ARM))
        draft = await cleanup(gallery, Cleanup(definition="*-x64"))
        assert len(draft.steps) == 2
        assert gallery.listed == [X64]

    async def test_nothing_to_do_is_said(self) -> None:
        draft = await cleanup(MemoryGallery(*candidates(7)), Cleanup())
        assert draft.steps == ()
        assert draft.summary == f"Nothing to clean up: retention keeps all 7 versions of {X64}."

    async def test_a_failed_listing_deletes_nothing_anywhere(self) -> None:
        gallery = MemoryGallery(*candidates(9), *candidates(9, definition=ARM))
        gallery.failing[ARM] = CloudError(CloudErrorKind.REFUSED, cloud="azure", sentence="not allowed")
        with pytest.raises(CloudError, match="not allowed"):
            await cleanup(gallery, Cleanup())

    async def test_an_empty_listing_deletes_nothing(self) -> None:
        draft = await cleanup(MemoryGallery(empty=[ARM]), Cleanup())
        assert draft.steps == ()
        assert draft.summary == f"Nothing to clean up: {ARM} lists no versions at all."
        agreed = (await cleanup(MemoryGallery(*candidates(9, definition=ARM)), Cleanup())).request
        with pytest.raises(CloudError, match=f"{ARM} lists no versions at all") as caught:
            await cleanup(MemoryGallery(empty=[ARM]), agreed)
        assert caught.value.kind is CloudErrorKind.UNEXPECTED_ANSWER

    async def test_a_definition_without_versions_is_left_alone_and_named(self) -> None:
        draft = await cleanup(MemoryGallery(*candidates(9), empty=[ARM]), Cleanup())
        assert len(draft.steps) == 2
        assert f"{ARM} lists no versions, and is left alone." in draft.warnings

    async def test_more_than_the_share_of_one_definition_needs_an_approval(self) -> None:
        half = MemoryGallery(*candidates(14))
        assert (await cleanup(half, Cleanup())).needs_approval == ""
        more = MemoryGallery(*candidates(15), *candidates(7, definition=ARM))
        assert (
            await cleanup(more, Cleanup())
        ).needs_approval == f"More than 50% would go of {X64} (8 of 15)."

    async def test_uploads_and_time_neither_change_a_plan_nor_its_need_of_approval(self) -> None:
        gallery = MemoryGallery(*candidates(15), version("43.99.0", ends=NOW + DAY))
        first = await cleanup(gallery, Cleanup())
        for each in candidates(9, first=100):
            gallery.put(each)
        again = await cleanup(gallery, first.request, NOW + 2 * DAY)
        assert substance(again) == substance(first)
        assert first.needs_approval

    async def test_a_chosen_version_that_is_promoted_or_protected_since_makes_it_stale(self) -> None:
        for changes in ({"excluded": False}, {"tags": {"delete": "never"}}):
            gallery = MemoryGallery(*candidates(9))
            first = await cleanup(gallery, Cleanup())
            gallery.change(X64, "43.1.0", **changes)
            assert titles(await cleanup(gallery, first.request)) == [f"delete 43.2.0 of {X64}"]

    async def test_an_ended_version_that_became_latest_since_makes_it_stale(self) -> None:
        gallery = usual(promoted("42.1.0", ends=NOW - DAY))
        first = await cleanup(gallery, Cleanup())
        gallery.change(X64, "43.1.0", excluded=True)
        gallery.change(X64, "43.2.0", excluded=True)
        again = await cleanup(gallery, first.request)
        assert again.steps == first.steps
        assert again.observed != first.observed
        assert again.warnings == (f"{X64} is left without a latest: launching it by default will fail.",)
