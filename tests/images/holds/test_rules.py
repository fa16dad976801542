"""What is held, for how long, and that nothing held is ever chosen."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.deleting import DeleteVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.cleaning_up.retention import Rule
from slipway.bot.subjects.images.holds.model import WHOLE_DEFINITION, PlacedHold
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Cleanup, Pin, Promote
from slipway.bot.subjects.images.steps import DeleteVersion, FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import is_promoted
from tests.images.builders import POLICY, MemoryGallery, candidates, promoted, version
from tests.images.holds.made import Held, placed
from tests.support.azure import ARM, X64
from tests.support.clock import DAY, NOW, POLL_AT_ONCE
from tests.support.clouds import galleries


async def promote(gallery: MemoryGallery, request: Promote, *holds: PlacedHold) -> Draft[Promote]:
    return await PromotePlanner(Catalogue(galleries(gallery)), holds=Held(holds)).plan(request, NOW)


async def cleanup(gallery: MemoryGallery, request: Cleanup, *holds: PlacedHold) -> Draft[Cleanup]:
    return await CleanupPlanner(Catalogue(galleries(gallery)), POLICY, Held(holds)).plan(request, NOW)


def titles(draft: Draft[Promote] | Draft[Cleanup]) -> list[str]:
    return [step.title for step in draft.steps]


def usual() -> MemoryGallery:
    return MemoryGallery(promoted("43.1.0"), version("43.2.0"), version("43.3.0"))


@pytest.mark.parametrize(
    ("hold", "held"),
    [
        (placed("43.3.0"), True),
        (placed(), True),
        (placed(definition=X64.upper()), True),
        (placed("43.2.0"), False),
        (placed("43.3.0", definition=ARM), False),
        (placed("43.3.0", cloud="azure.staging"), False),
        (placed("43.3.0", until=NOW), False),
        (placed("43.3.0", until=NOW + timedelta(seconds=1)), True),
    ],
)
def test_a_hold_is_on_one_version_or_all_of_a_definition_in_one_cloud_until_its_moment(
    hold: PlacedHold, held: bool
) -> None:
    pin = Pin(definition=X64, version="43.3.0")
    assert bool(Held([hold]).known.why_held(pin, NOW)) is held


def test_of_several_holds_the_one_on_everything_and_the_longest_is_told() -> None:
    pin = Pin(definition=X64, version="43.3.0")
    short, long = placed(until=NOW + DAY), placed(person="bob", until=NOW + 2 * DAY, reason="a freeze")
    on_version = placed("43.3.0", person="carol")
    holds = Held([on_version, short, long]).known
    assert holds.on(pin, NOW) == (long, short, on_version)
    assert holds.why_held(pin, NOW) == "is held by Bob until 2026-11-22 12:00 UTC (a freeze)"
    assert holds.on(pin, NOW + DAY) == (long, on_version)


async def test_what_is_held_is_passed_over_and_told() -> None:
    draft = await promote(usual(), Promote(definition=X64), placed("43.3.0"))
    assert titles(draft) == [f"promote 43.2.0 of {X64}"]
    why = "43.3.0 is held by Alice (it is looked at)"
    assert draft.warnings == (f"Newer in {X64}, and passed over: {why}.",)
    idle = await promote(usual(), Promote(definition=X64), placed("43.3.0"), placed("43.2.0", person="bob"))
    assert idle.summary.endswith(
        f"no candidate fit to be promoted: {why} and 43.2.0 is held by Bob (it is looked at)."
    )
    frozen = await promote(usual(), Promote(definition=X64), placed())
    assert frozen.summary == f"Nothing to promote: {X64} is held by Alice (it is looked at)."


async def test_what_is_held_is_not_promoted_by_its_name_nor_by_a_plan_of_before() -> None:
    gallery = usual()
    agreed = (await promote(gallery, Promote(definition=X64))).request
    for request in (agreed, Promote(definition=X64, version="43.3.0")):
        with pytest.raises(UserError, match=r"43\.3\.0 of .* is held by Alice .*; it is not promoted"):
            await promote(gallery, request, placed("43.3.0"))


async def test_what_is_held_is_kept_though_due_and_a_plan_of_before_is_stale() -> None:
    gallery = MemoryGallery(promoted("43.0.1"), *candidates(9))
    agreed = await cleanup(gallery, Cleanup())
    assert titles(agreed) == [f"delete 43.1.0 of {X64}", f"delete 43.2.0 of {X64}"]
    left = await cleanup(gallery, agreed.request, placed("43.1.0"))
    assert titles(left) == [f"delete 43.2.0 of {X64}"]
    assert f"Kept, though due (older candidates): 43.1.0 of {X64}: somebody holds it." in left.warnings
    assert (await cleanup(gallery, Cleanup(), placed())).steps == ()


def held_by(*holds: PlacedHold) -> tuple[MemoryGallery, Held]:
    return usual(), Held(holds)


async def test_a_hold_that_comes_after_the_plan_stops_the_write() -> None:
    gallery, holds = held_by(placed("43.3.0"))
    setter = SetExcludedExecutor(galleries(gallery), POLL_AT_ONCE, holds=holds, clock=lambda: NOW)
    step = SetExcluded(definition=X64, version="43.3.0", excluded=False, why=FlagReason.NAMED)
    remover = DeleteVersionExecutor(
        galleries(gallery), RemovalChecks(galleries(gallery), POLICY, lambda: NOW, holds), POLL_AT_ONCE
    )
    removal = DeleteVersion(definition=X64, version="43.3.0", rule=Rule.CANDIDATES, promoted=False)
    for executor, wanted in ((setter, step), (remover, removal)):
        for attempt in (executor.observe, executor.act):
            with pytest.raises(CloudError, match=r"43\.3\.0 of .* is held by Alice") as caught:
                await attempt(wanted, "token")  # type: ignore[arg-type]
            assert caught.value.kind is CloudErrorKind.CONFLICT
    assert not gallery.held[X64][version("43.3.0").number].promoted


async def test_what_is_held_can_be_taken_back_from_latest() -> None:
    gallery, holds = held_by(placed())
    setter = SetExcludedExecutor(galleries(gallery), POLL_AT_ONCE, holds=holds, clock=lambda: NOW)
    step = SetExcluded(definition=X64, version="43.1.0", excluded=True, why=FlagReason.ROLLED_BACK)
    assert await setter.observe(step, "token") is None
    await setter.act(step, "token")
    assert not gallery.held[X64][version("43.1.0").number].promoted


@st.composite
def held_galleries(draw: st.DrawFn) -> tuple[list[ImageVersion], list[PlacedHold]]:
    """Versions of two definitions, and holds on some of them."""
    versions = []
    for definition in (X64, ARM):
        numbers = draw(st.lists(st.integers(1, 30), min_size=1, max_size=14, unique=True))
        for number in numbers:
            ends = draw(st.sampled_from([None, None, NOW - DAY, NOW + DAY]))
            make = draw(st.sampled_from([version, version, promoted]))
            versions.append(make(f"43.{number}.0", definition=definition, ends=ends))
    subjects = st.sampled_from([*[str(each.number) for each in versions], WHOLE_DEFINITION])
    times: list[datetime | None] = [None, NOW - DAY, NOW + DAY]
    holds = st.builds(
        lambda on, definition, until, person: placed(on, definition=definition, until=until, person=person),
        subjects,
        st.sampled_from([X64, ARM]),
        st.sampled_from(times),
        st.sampled_from(["alice", "bob"]),
    )
    return versions, draw(st.lists(holds, max_size=6))


@given(held_galleries())
def test_nothing_held_is_ever_chosen(case: tuple[list[ImageVersion], list[PlacedHold]]) -> None:
    versions, holds = case
    known = Held(holds).known

    async def check() -> None:
        promotions = await promote(MemoryGallery(*versions), Promote(definition="*"), *holds)
        removals = await cleanup(MemoryGallery(*versions), Cleanup(), *holds)
        by_target = {
            Pin(definition=each.definition, version=str(each.number)).target: each for each in versions
        }
        for step in promotions.steps:
            assert isinstance(step, SetExcluded)
            assert is_promoted(by_target[step.target]) or not known.why_held(step.pin, NOW)
        for step in removals.steps:
            assert isinstance(step, DeleteVersion)
            assert not known.why_held(step.pin, NOW)
        free = await cleanup(MemoryGallery(*versions), Cleanup())
        held_back = {step.title for step in free.steps} - {step.title for step in removals.steps}
        assert {step.title for step in removals.steps} <= {step.title for step in free.steps}
        assert all(known.why_held(step.pin, NOW) for step in free.steps if step.title in held_back)  # type: ignore[attr-defined]

    asyncio.run(check())
