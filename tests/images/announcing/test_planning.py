"""What is due is announced first, and goes in a later clean-up, if it is due still."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slipway.bot.clouds.model import ImageVersion, UnreadableVersion
from slipway.bot.subjects.images.announcing.model import LAPSES
from slipway.bot.subjects.images.announcing.steps import AnnounceRemoval
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.steps import DeleteVersion
from slipway.bot.subjects.images.versions import is_promoted
from tests.images.announcing.made import THREE_DAYS, MemoryAnnouncements, planned, titles
from tests.images.builders import MemoryGallery, candidates, promoted, version
from tests.images.test_retention import galleries as odd_galleries
from tests.support.azure import X64
from tests.support.clock import DAY, HOUR, MINUTE, NOW

ANNOUNCE = [f"announce that 43.1.0 of {X64} goes 3d later", f"announce that 43.2.0 of {X64} goes 3d later"]
DELETE = [f"delete 43.1.0 of {X64}", f"delete 43.2.0 of {X64}"]
FORGET = f"take back that 43.1.0 of {X64} goes"


async def announced_at_first(gallery: MemoryGallery) -> MemoryAnnouncements:
    """What a first clean-up announces."""
    announced = MemoryAnnouncements()
    announced.carry_out((await planned(gallery, announced)).steps, gallery, NOW)
    return announced


async def test_it_is_announced_at_first_which_nobody_has_to_agree_to() -> None:
    draft = await planned(MemoryGallery(*candidates(9)), MemoryAnnouncements())
    assert titles(draft) == ANNOUNCE
    assert draft.harmless
    assert draft.steps[0].reason == "it is a candidate, and not among the newest 7"
    assert draft.summary == (
        f"2 versions of {X64} announced: the first clean-up 3d later or more removes what is due still and held by "
        "nobody."
    )


async def test_it_goes_once_its_time_has_come_and_not_before() -> None:
    gallery = MemoryGallery(*candidates(9))
    announced = await announced_at_first(gallery)
    early = await planned(gallery, announced, NOW + THREE_DAYS - MINUTE)
    assert early.steps == ()
    assert early.summary == (
        f"Nothing to clean up now. Announced, and not gone before 2026-11-23 12:00 UTC: 43.1.0 of {X64} and "
        f"43.2.0 of {X64}."
    )
    late = await planned(gallery, announced, NOW + THREE_DAYS)
    assert titles(late) == DELETE
    assert not late.harmless
    assert late.steps[0].reason == "it is a candidate, and not among the newest 7; announced on 2026-11-20"


async def test_what_is_due_newly_is_announced_beside_what_goes_and_what_waits_is_shown() -> None:
    gallery = MemoryGallery(*candidates(9))
    announced = await announced_at_first(gallery)
    gallery.put(version("43.10.0"))
    announced.carry_out((await planned(gallery, announced, NOW + DAY)).steps, gallery, NOW + DAY)
    gallery.put(version("43.11.0"))
    draft = await planned(gallery, announced, NOW + THREE_DAYS)
    assert titles(draft) == [f"announce that 43.4.0 of {X64} goes 3d later", *DELETE]
    assert not draft.harmless
    assert dict(draft.evidence)["Announced, stays until 2026-11-24 12:00 UTC"] == f"43.3.0 of {X64}"
    assert draft.summary.startswith(f"2 versions of {X64} deleted; 1 version of {X64} announced: ")


async def test_what_stopped_being_due_is_forgotten_and_starts_anew() -> None:
    gallery = MemoryGallery(*candidates(9))
    announced = await announced_at_first(gallery)
    gallery.change(X64, "43.1.0", tags={"delete": "never"})
    draft = await planned(gallery, announced, NOW + DAY)
    assert titles(draft) == [FORGET]
    assert draft.harmless
    assert draft.steps[0].reason == "it is not due any more: tagged delete=never"
    announced.carry_out(draft.steps, gallery, NOW + DAY)
    gallery.change(X64, "43.1.0", tags={})
    assert titles(await planned(gallery, announced, NOW + THREE_DAYS)) == [ANNOUNCE[0], DELETE[1]]


async def test_what_is_only_not_known_for_a_while_forgets_nothing() -> None:
    gallery = MemoryGallery(*candidates(9))
    announced = await announced_at_first(gallery)
    gallery.unreadable[X64] = (UnreadableVersion("43.odd", "is odd"),)
    assert (await planned(gallery, announced, NOW + DAY)).steps == ()
    gallery.unreadable.clear()
    assert titles(await planned(gallery, announced, NOW + THREE_DAYS)) == DELETE


async def test_another_version_of_the_same_number_was_not_announced() -> None:
    gallery = MemoryGallery(*(replace(each, published_at=NOW - DAY) for each in candidates(9)))
    announced = await announced_at_first(gallery)
    gallery.change(X64, "43.1.0", published_at=NOW + DAY)
    assert titles(await planned(gallery, announced, NOW + THREE_DAYS)) == [ANNOUNCE[0], DELETE[1]]


async def test_nothing_goes_by_a_clock_that_was_ahead_or_by_what_nobody_remembers() -> None:
    gallery = MemoryGallery(*candidates(9))
    announced = await announced_at_first(gallery)
    assert titles(await planned(gallery, announced, NOW - HOUR)) == ANNOUNCE  # it was set back
    assert (await planned(gallery, announced, NOW - MINUTE)).steps == ()  # it was put right
    assert titles(await planned(gallery, announced, NOW + LAPSES)) == ANNOUNCE


async def test_a_time_that_is_configured_shorter_or_longer_breaks_no_promise() -> None:
    gallery = MemoryGallery(*candidates(9))
    announced = await announced_at_first(gallery)
    shorter, longer = RetentionSettings(announce=HOUR), RetentionSettings(announce=5 * DAY)
    assert (await planned(gallery, announced, NOW + DAY, policy=shorter)).steps == ()
    assert titles(await planned(gallery, announced, NOW + THREE_DAYS, policy=shorter)) == DELETE
    assert (await planned(gallery, announced, NOW + 4 * DAY, policy=longer)).steps == ()
    assert titles(await planned(gallery, announced, NOW + 5 * DAY, policy=longer)) == DELETE
    assert titles(await planned(gallery, announced, NOW + HOUR, policy=RetentionSettings())) == DELETE


async def test_time_alone_changes_no_plan_between_its_proposal_and_its_approval() -> None:
    gallery = MemoryGallery(*candidates(9))
    announced = await announced_at_first(gallery)
    gallery.put(version("43.10.0"))
    announced.carry_out((await planned(gallery, announced, NOW + HOUR)).steps, gallery, NOW + HOUR)
    for each in (version("43.11.0"), promoted("42.1.0", ends=NOW + THREE_DAYS + DAY), promoted("43.0.0")):
        gallery.put(each)
    first = await planned(gallery, announced, NOW + THREE_DAYS)
    assert len(first.steps) == 3
    # Meanwhile 43.3.0 may go, and 42.1.0 has ended.
    later = await planned(gallery, announced, NOW + THREE_DAYS + 2 * DAY, request=first.request)
    assert (later.request, later.steps, later.observed) == (first.request, first.steps, first.observed)
    back = await planned(gallery, announced, NOW + THREE_DAYS - HOUR, request=first.request)
    assert titles(back) == titles(first)[:1]


async def test_the_last_promoted_version_is_announced_as_such_and_goes_only_by_an_approval() -> None:
    gallery = MemoryGallery(*candidates(7), promoted("42.9.0", ends=NOW - DAY))
    announced = MemoryAnnouncements()
    first = await planned(gallery, announced)
    assert f"; attention, the last promoted version is among them: 42.9.0 of {X64}." in first.summary
    assert first.needs_approval == ""
    announced.carry_out(first.steps, gallery, NOW)
    last = await planned(gallery, announced, NOW + THREE_DAYS)
    assert last.needs_approval == f"Attention, the last promoted version goes: 42.9.0 of {X64}."
    gallery.put(promoted("42.1.0"))
    assert (await planned(gallery, announced, NOW + THREE_DAYS)).needs_approval == ""


async def test_without_announcing_none_is_asked_for() -> None:
    class Forbidden(MemoryAnnouncements):
        async def read(self) -> object:  # type: ignore[override]
            raise AssertionError

    draft = await planned(MemoryGallery(*candidates(9)), Forbidden(), policy=RetentionSettings())
    assert titles(draft) == DELETE


POLICIES = st.builds(
    RetentionSettings,
    keep_candidates=st.integers(1, 9),
    keep_rolling=st.integers(1, 9),
    announce=st.sampled_from([HOUR, THREE_DAYS]),
    max_share=st.sampled_from([0.1, 0.5, 1]),
)


@settings(max_examples=30)
@given(odd_galleries(), POLICIES, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_and_each_of_three_clean_ups_does_what_is_its_turn(
    held: list[ImageVersion], policy: RetentionSettings, chance: random.Random
) -> None:
    """The first announces all that is due, the second removes just that, and the third finds nothing."""
    shuffled = list(held)
    chance.shuffle(shuffled)
    gallery, other = MemoryGallery(*held), MemoryGallery(*shuffled)
    announced = MemoryAnnouncements()

    async def story() -> None:
        assert policy.announce is not None
        without = await planned(gallery, announced, policy=policy.model_copy(update={"announce": None}))
        first = await planned(gallery, announced, policy=policy)
        assert first == await planned(other, announced, policy=policy)
        assert all(isinstance(step, AnnounceRemoval) for step in first.steps)
        due = {step.target for step in without.steps if isinstance(step, DeleteVersion)}
        assert {step.target for step in first.steps if isinstance(step, AnnounceRemoval)} == due
        announced.carry_out(first.steps, gallery, NOW)
        assert (await planned(gallery, announced, policy=policy)).steps == ()

        # Ends of life may have passed since; what they bring is announced, and does not go.
        then = NOW + policy.announce
        second = await planned(gallery, announced, then, policy=policy)
        gone = {step.target for step in second.steps if isinstance(step, DeleteVersion)}
        assert gone <= due
        if due and not any(isinstance(step, AnnounceRemoval) for step in second.steps):
            assert gone == due
        announced.carry_out(second.steps, gallery, then)
        third = await planned(gallery, announced, then, policy=policy)
        assert not any(isinstance(step, DeleteVersion) for step in third.steps)

    asyncio.run(story())


@given(odd_galleries(), POLICIES)
@example([promoted("43.0.0", regions=()), promoted("43.1.0", ends=NOW - DAY)], RetentionSettings())
def test_whatever_goes_the_last_promoted_only_goes_by_an_approval(
    held: list[ImageVersion], policy: RetentionSettings
) -> None:
    at_once = policy.model_copy(update={"announce": None})
    draft = asyncio.run(planned(MemoryGallery(*held), MemoryAnnouncements(), policy=at_once))
    gone = {step.version for step in draft.steps if isinstance(step, DeleteVersion)}
    left = [each for each in held if str(each.number) not in gone]
    promoted_gone = [each for each in held if is_promoted(each) and str(each.number) in gone]
    if promoted_gone and not any(map(is_promoted, left)):
        assert "the last promoted version goes" in draft.needs_approval
    if len(gone) > policy.max_share * len(held):
        assert "would go of" in draft.needs_approval


@pytest.mark.parametrize("done", [1, 2, 3])
async def test_a_run_that_goes_on_after_a_crash_finds_its_plan_as_it_was(done: int) -> None:
    gallery = MemoryGallery(*candidates(9))
    announced = await announced_at_first(gallery)
    gallery.put(version("43.10.0"))
    agreed = await planned(gallery, announced, NOW + THREE_DAYS)
    announced.carry_out(agreed.steps[:done], gallery, NOW + THREE_DAYS)
    fresh = await planned(gallery, announced, NOW + THREE_DAYS + HOUR, request=agreed.request)
    left = [step.title for step in agreed.steps[done:]]
    assert titles(fresh) == left
