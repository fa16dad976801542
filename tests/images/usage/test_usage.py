"""Nothing in use is removed: in the rules, in plans, and right before each removal."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import ImageVersion, VersionNumber
from slipway.bot.clouds.ports.image_usage import ImageUse
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.deleting import DeleteVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.cleaning_up.retention import KeepReason, Rule, retention
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.requests import Cleanup
from slipway.bot.subjects.images.steps import DeleteVersion
from slipway.bot.subjects.images.usage.model import Usage
from slipway.bot.subjects.images.usage.reading import UsageReader
from slipway.bot.subjects.images.versions import is_promoted, newest_latest
from tests.images.builders import POLICY, MemoryGallery, candidates, promoted, version
from tests.images.test_retention import galleries as any_versions
from tests.support.azure import X64
from tests.support.clock import DAY, NOW, POLL_AT_ONCE
from tests.support.clouds import galleries

policies = st.builds(RetentionSettings, keep_candidates=st.integers(1, 9), keep_rolling=st.integers(1, 9))


def use(number: str | None, by: str = "scale set web of shop") -> ImageUse:
    return ImageUse(X64.upper(), None if number is None else VersionNumber.parse(number), by)


@st.composite
def used_versions(draw: st.DrawFn) -> tuple[list[ImageVersion], list[ImageUse]]:
    held = draw(any_versions())
    numbers = draw(st.lists(st.sampled_from([None, *(each.number for each in held)]), max_size=6))
    return held, [
        ImageUse(held[0].definition, number, f"machine {place}") for place, number in enumerate(numbers)
    ]


class UsedGallery(MemoryGallery):
    """Tells what uses its versions, and counts how often it is asked."""

    def __init__(self, *versions: ImageVersion) -> None:
        super().__init__(*versions)
        self.uses: Sequence[ImageUse] | CloudError = ()
        self.asked: list[datetime] = []

    async def usage(self, launched_since: datetime) -> Sequence[ImageUse]:
        self.asked.append(launched_since)
        if isinstance(self.uses, CloudError):
            raise self.uses
        return self.uses


async def plan(gallery: MemoryGallery, request: Cleanup | None = None) -> Draft[Cleanup]:
    planner = CleanupPlanner(Catalogue(galleries(gallery)), POLICY)
    return await planner.plan(request or Cleanup(), NOW)


def going(draft: Draft[Cleanup]) -> list[str]:
    return [step.version for step in draft.steps if isinstance(step, DeleteVersion)]


@given(used_versions(), policies)
def test_nothing_in_use_is_ever_chosen_and_all_else_is_as_before(
    given_: tuple[list[ImageVersion], list[ImageUse]], policy: RetentionSettings
) -> None:
    held, uses = given_
    usage = Usage.of(uses)
    in_use = usage.among(held)
    before = retention(held, NOW, policy)
    after = retention(held, NOW, policy, usage=usage)
    assert [each for each in before.deletions if not in_use(each.version)] == list(after.deletions)
    spared = [each for each in after.kept if each.why is KeepReason.IN_USE]
    assert all(each.words == f"in use by {in_use(each.version)}" for each in spared)
    assert len(spared) == len(before.deletions) - len(after.deletions)
    numbers = [each.version.number for each in after.kept]
    assert numbers == sorted(numbers, reverse=True)


@given(used_versions(), policies, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_and_a_second_time_gives_nothing(
    given_: tuple[list[ImageVersion], list[ImageUse]], policy: RetentionSettings, chance: random.Random
) -> None:
    held, uses = given_
    first = retention(held, NOW, policy, usage=Usage.of(uses))
    chance.shuffle(uses)
    assert retention(chance.sample(held, len(held)), NOW, policy, usage=Usage.of(uses)) == first
    left = [each.version for each in first.kept]
    if left:
        assert retention(left, NOW, policy, usage=Usage.of(uses)).deletions == ()


@given(any_versions(), policies)
def test_the_newest_promoted_that_is_followed_stays_even_past_its_end(
    held: list[ImageVersion], policy: RetentionSettings
) -> None:
    usage = Usage.of([ImageUse(held[0].definition, None, "scale set web")])
    gone = retention(held, NOW, policy, usage=usage).deletions
    top = newest_latest([each for each in held if is_promoted(each)])
    assert top is None or all(each.version is not top for each in gone)


async def test_a_plan_says_what_keeps_a_version_that_is_due() -> None:
    gallery = UsedGallery(*candidates(10))
    gallery.uses = [use("43.2.0"), use("43.2.0", "machine vm-1 of shop"), use("43.9.0")]
    draft = await plan(gallery)
    assert going(draft) == ["43.1.0", "43.3.0"]
    why = "in use by machine vm-1 of shop and scale set web of shop"
    assert draft.warnings == (f"Kept, though due (older candidates): 43.2.0 of {X64}: {why}.",)


async def test_one_reading_serves_a_whole_plan_and_none_is_made_where_nothing_is_due() -> None:
    crowd, few = UsedGallery(*candidates(300)), UsedGallery(*candidates(3))
    assert len(going(await plan(crowd))) == 293
    assert len(crowd.asked) == 1
    await plan(few)
    assert few.asked == []


async def test_where_it_cannot_be_read_what_is_in_use_everything_is_kept() -> None:
    gallery = UsedGallery(*candidates(9))
    gallery.uses = CloudError(
        CloudErrorKind.REFUSED, cloud="azure", sentence="Azure refuses to list scale sets."
    )
    draft = await plan(gallery)
    assert draft.steps == ()
    assert "everything is kept: Azure refuses to list scale sets." in draft.summary
    assert "43.2.0" in draft.summary


async def test_an_ended_latest_stays_while_something_follows_what_is_latest() -> None:
    gallery = UsedGallery(promoted("43.9.0", ends=NOW - DAY), version("43.8.0", ends=NOW - DAY))
    gallery.uses = [use(None)]
    assert going(await plan(gallery)) == ["43.8.0"]


class TestRightBefore:
    """What came into use after the plan."""

    step = DeleteVersion(
        definition=X64, version="43.1.0", rule=Rule.CANDIDATES, promoted=False, limit=7, cloud="azure"
    )

    def executor(self, gallery: UsedGallery, now: list[datetime]) -> DeleteVersionExecutor:
        clouds = galleries(gallery)
        clock = lambda: now[0]  # noqa: E731
        usage = UsageReader(clouds, timedelta(days=30), clock)
        return DeleteVersionExecutor(clouds, RemovalChecks(clouds, POLICY, clock, usage=usage), POLL_AT_ONCE)

    async def refused(self, gallery: UsedGallery) -> str:
        with pytest.raises(CloudError) as caught:
            await self.executor(gallery, [NOW]).act(self.step, "t")
        assert caught.value.kind is CloudErrorKind.CONFLICT
        assert len(await gallery.versions(X64)) == 9
        return caught.value.sentence

    async def test_it_is_not_deleted(self) -> None:
        gallery = UsedGallery(*candidates(9))
        assert going(await plan(gallery)) == ["43.1.0", "43.2.0"]
        gallery.uses = [use("43.1.0")]
        said = await self.refused(gallery)
        assert said == f"43.1.0 of {X64} is in use by scale set web of shop; it was not deleted."

    async def test_nor_where_that_cannot_be_read_any_more(self) -> None:
        gallery = UsedGallery(*candidates(9))
        gallery.uses = CloudError(CloudErrorKind.REFUSED, cloud="azure", sentence="Azure said no.")
        said = await self.refused(gallery)
        assert said == f"What is in use cannot be read, so 43.1.0 of {X64} was not deleted: Azure said no."

    async def test_hundreds_share_a_reading_for_15_seconds(self) -> None:
        gallery = UsedGallery(*candidates(300))
        now = [NOW]
        executor = self.executor(gallery, now)
        for number in range(1, 200):
            await executor.act(self.step.model_copy(update={"version": f"43.{number}.0"}), "t")
        assert gallery.asked == [NOW - timedelta(days=30)]
        now[0] += timedelta(seconds=15)
        gallery.uses = [use("43.200.0")]
        with pytest.raises(CloudError, match="is in use by"):
            await executor.act(self.step.model_copy(update={"version": "43.200.0"}), "t")
        assert len(gallery.asked) == 2
