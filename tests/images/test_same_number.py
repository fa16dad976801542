"""Another version with the number of a former one: what was found out of that one, and agreed to, does not count."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, Outcome
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.uptime import SET_BACK
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.deleting import DeleteVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.evidence.standing import standing
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Cleanup, Promote
from slipway.bot.subjects.images.steps import DeleteVersion, FlagReason, SetExcluded
from tests.images.builders import POLICY, MemoryGallery, promoted, version
from tests.images.evidence.facts import BOOT, PASSED, TESTS, VERDICT, evidence
from tests.images.rules.test_planning import BOOTED, Known, planner
from tests.support.azure import CANDIDATE, X64
from tests.support.clock import DAY, NOW, POLL_AT_ONCE
from tests.support.clouds import galleries

WANTED = Promote(definition=X64, version=CANDIDATE)


def uploaded(*, days_ago: float) -> MemoryGallery:
    return MemoryGallery(promoted("43.1.0"), version(CANDIDATE, published=NOW - days_ago * DAY))


class TestEvidence:
    def test_that_a_former_version_came_up_says_nothing_of_one_that_came_after_it(self) -> None:
        found = standing([evidence(BOOT, PASSED, number=1), evidence(VERDICT, PASSED, number=2)])
        assert found.since(NOW - DAY) == found == found.since(None)
        later = found.since(NOW + DAY)
        assert [later.outcome(kind) for kind in (BOOT, VERDICT)] == [None, None]

    def test_clocks_may_differ_a_little(self) -> None:
        found = standing([evidence(BOOT, PASSED, number=1)])
        assert found.since(NOW + SET_BACK).outcome(BOOT) is PASSED
        assert found.since(NOW + SET_BACK + timedelta(seconds=1)).outcome(BOOT) is None

    def test_tests_of_its_compose_may_be_older_than_its_upload(self) -> None:
        assert standing([evidence(TESTS, PASSED, number=1)]).since(NOW + DAY).outcome(TESTS) is PASSED

    @given(
        drawn=st.lists(st.tuples(st.sampled_from(EvidenceKind), st.sampled_from(Outcome)), max_size=6),
        days=st.integers(-3, 3),
    )
    def test_what_speaks_against_a_number_stays_and_nothing_is_added(
        self, drawn: list[tuple[EvidenceKind, Outcome]], days: int
    ) -> None:
        held = [evidence(kind, outcome, number=place) for place, (kind, outcome) in enumerate(drawn, start=1)]
        found = standing(held)
        since = found.since(NOW + days * DAY)
        assert since.failed == found.failed
        assert since.bad == found.bad
        assert set(since.counting) <= set(found.counting)

    async def test_a_promotion_that_asks_for_a_boot_test_asks_for_one_of_this_version(self) -> None:
        boot = evidence(BOOT, PASSED, number=1)
        draft = await planner(uploaded(days_ago=1), Known(boot)).plan(WANTED, NOW)
        assert len(draft.steps) == 1
        with pytest.raises(UserError, match="has no boot test"):
            await planner(uploaded(days_ago=-1), Known(boot)).plan(WANTED, NOW)

    async def test_nor_do_other_architectures_count_by_former_versions_of_theirs(self) -> None:
        both = BOOTED.model_copy(update={"architectures": ("x64", "Arm64")})
        arm = X64.replace("x64", "Arm64")
        known: list[Evidence] = [
            evidence(BOOT, PASSED, number=1),
            evidence(BOOT, PASSED, number=2, definition=arm),
        ]
        gallery = uploaded(days_ago=1)
        gallery.put(version(CANDIDATE, definition=arm, published=NOW - DAY))
        assert (await planner(gallery, Known(*known), both).plan(WANTED, NOW)).steps
        gallery.put(version(CANDIDATE, definition=arm, published=NOW + DAY))
        with pytest.raises(UserError, match="which lacks evidence: boot"):
            await planner(gallery, Known(*known), both).plan(WANTED, NOW)


@pytest.mark.parametrize(
    "why", [FlagReason.NEWEST_CANDIDATE, FlagReason.NEWEST_NOT_ROLLED_BACK, FlagReason.DUE]
)
async def test_what_was_chosen_as_the_newest_is_not_promoted_behind_a_newer_one(why: FlagReason) -> None:
    gallery = uploaded(days_ago=1)
    step = SetExcluded(definition=X64, version=CANDIDATE, excluded=False, why=why)
    executor = SetExcludedExecutor(galleries(gallery), POLL_AT_ONCE)
    assert await executor.observe(step, "token") is None
    gallery.put(promoted("99.1.0"))
    with pytest.raises(CloudError, match=r"not the newest any more: 99\.1\.0 was promoted meanwhile"):
        await executor.observe(step, "token")


class TestAgreement:
    async def agreed(self, gallery: MemoryGallery) -> SetExcluded:
        draft = await PromotePlanner(Catalogue(galleries(gallery))).plan(WANTED, NOW)
        again = await PromotePlanner(Catalogue(galleries(gallery))).plan(draft.request, NOW)
        assert again.steps == draft.steps
        (step,) = draft.steps
        assert isinstance(step, SetExcluded)
        return step

    async def test_another_image_under_the_number_that_was_agreed_to_is_not_promoted(self) -> None:
        gallery = uploaded(days_ago=1)
        step = await self.agreed(gallery)
        gallery.change(X64, CANDIDATE, published_at=NOW + timedelta(hours=1))
        executor = SetExcludedExecutor(galleries(gallery), POLL_AT_ONCE)
        with pytest.raises(CloudError) as caught:
            await executor.observe(step, "token")
        assert "is another image than the one that was agreed to" in caught.value.sentence
        with pytest.raises(CloudError, match="it was not promoted"):  # also where it came in the last moment
            await executor.act(step, "token")
        assert (await gallery.versions(X64)).versions[-1].excluded

    async def test_the_very_one_is(self) -> None:
        gallery = uploaded(days_ago=1)
        step = await self.agreed(gallery)
        executor = SetExcludedExecutor(galleries(gallery), POLL_AT_ONCE)
        assert await executor.observe(step, "token") is None
        await executor.act(step, "token")
        assert not (await executor.verify(step, "token")).already

    async def test_another_image_under_the_number_that_was_to_go_is_not_removed(self) -> None:
        gallery = MemoryGallery(*(version(f"43.{each}.0", published=NOW - DAY) for each in (1, 2)))
        clouds, policy = galleries(gallery), POLICY.model_copy(update={"keep_candidates": 1})
        planner = CleanupPlanner(Catalogue(clouds), policy)
        draft = await planner.plan(Cleanup(), NOW)
        (step,) = draft.steps
        assert isinstance(step, DeleteVersion)
        executor = DeleteVersionExecutor(clouds, RemovalChecks(clouds, policy, lambda: NOW), POLL_AT_ONCE)
        assert await executor.observe(step, "token") is None
        gallery.change(X64, "43.1.0", published_at=NOW)
        assert (await planner.plan(draft.request, NOW)).steps == draft.steps
        for attempt in (executor.observe, executor.act):
            with pytest.raises(CloudError, match=r"another image than .* 2026-11-20 .*; it was not deleted"):
                await attempt(step, "token")
        former = step.model_copy(update={"published": None})
        assert await executor.observe(former, "token") is None

    async def test_what_was_agreed_to_before_that_was_noted_is_done_as_it_was_meant(self) -> None:
        gallery = uploaded(days_ago=1)
        step = (await self.agreed(gallery)).model_copy(update={"published": None})
        gallery.change(X64, CANDIDATE, published_at=NOW)
        assert await SetExcludedExecutor(galleries(gallery), POLL_AT_ONCE).observe(step, "token") is None
