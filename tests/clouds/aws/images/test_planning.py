"""Planning and carrying out promotions where AWS has the definition, alone or beside another cloud."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.simulated.aws.seed import SeedAmi
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Promote, Rollback
from slipway.bot.subjects.images.rolling_back.planner import RollbackPlanner
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import unfit
from tests.images.builders import MemoryGallery, promoted, version
from tests.support.ami_families import (
    AWAY,
    FAMILY,
    HOME,
    Stage,
    Stages,
    ami,
    client,
    everywhere,
)
from tests.support.clock import DAY, NOW, POLL_AT_ONCE

OLD, NEW = "20261101.0", "20261108.0"

pytestmark = pytest.mark.asyncio(loop_scope="module")


def seeded() -> list[SeedAmi]:
    return [*everywhere(OLD, public=True), *everywhere(NEW)]


def clouds(here: Stage, *others: MemoryGallery) -> Clouds:
    adapters = [Adapter("aws", {IMAGE_VERSIONS: here.images})]
    return Clouds([*adapters, *(Adapter(each.cloud, {IMAGE_VERSIONS: each}) for each in others)])


def azure() -> MemoryGallery:
    """The same definition in Azure, with a candidate of its own."""
    return MemoryGallery(
        promoted("43.20261101.0", definition=FAMILY), version("43.20261109.0", definition=FAMILY)
    )


async def plan(found: Clouds, request: Promote | None = None) -> Draft[Promote]:
    return await PromotePlanner(Catalogue(found)).plan(request or Promote(definition=FAMILY), NOW)


async def run(found: Clouds, draft: Draft[Promote] | Draft[Rollback]) -> None:
    executor = SetExcludedExecutor(found, POLL_AT_ONCE, clock=lambda: NOW)
    for step in draft.steps:
        assert isinstance(step, SetExcluded)
        assert await executor.observe(step, "t") is None
        await executor.act(step, "t")
        await executor.verify(step, "t")
        done = await executor.observe(step, "t")
        assert done is not None
        assert done.already


async def stopped_at(
    here: Stage, found: Clouds, call: str, words: str
) -> tuple[SetExcludedExecutor, SetExcluded]:
    """A promotion whose calls of this name were refused: what carried it out, and its step."""
    here.aws.faults.add(Fault(kind=FaultKind.REFUSE, match=call, times=None))
    executor = SetExcludedExecutor(found, POLL_AT_ONCE, clock=lambda: NOW)
    (step,) = (await plan(found)).steps
    assert isinstance(step, SetExcluded)
    with pytest.raises(Exception, match=words):
        await executor.act(step, "t")
    here.aws.faults.clear()
    return executor, step


async def block(here: Stage, region: str, *, blocked: bool = True) -> None:
    ec2 = client(here.aws.url, region)
    if blocked:
        await asyncio.to_thread(
            ec2.enable_image_block_public_access, ImageBlockPublicAccessState="block-new-sharing"
        )
    else:
        await asyncio.to_thread(ec2.disable_image_block_public_access)


async def test_a_card_says_what_a_promotion_changes_besides(stages: Stages) -> None:
    here = await stages.make(seeded())
    draft = await plan(clouds(here))
    rows = dict(draft.evidence)
    assert rows["Latest"] == "43.20261101.0 → 43.20261108.0"
    assert rows[f"Parameter {here.parameter_name}"] == (
        f"none → {await here.id(NEW, AWAY)} in {AWAY}; none → {await here.id(NEW)} in {HOME}"
    )
    assert rows[f"Default image of template {here.key}"].endswith(f" → {await here.id(NEW)} in {HOME}")
    assert rows[f"Deprecation of 43.{OLD}"] == f"never → in 30d in {AWAY} and {HOME}"
    facts = draft.observed[f"besides {FAMILY}"]
    assert isinstance(facts, dict)
    assert facts[f"Parameter {here.parameter_name} in {HOME}"] == f"none → {await here.id(NEW)}"


async def test_a_card_says_in_which_region_of_the_family_nothing_launches_all_the_same(
    stages: Stages,
) -> None:
    here = await stages.make([ami(OLD, public=True), ami(NEW), ami("20261001.0", AWAY)])
    draft = await plan(clouds(here))
    told = f"43.{NEW} of {FAMILY} has no image in {AWAY}, where the family is wanted: nothing launches there."
    assert told in draft.warnings
    here = await stages.make([*everywhere(OLD, public=True), ami(NEW)])
    draft = await plan(clouds(here))
    assert f"43.{NEW} of {FAMILY} is not in {AWAY}; latest stays there." in draft.warnings
    assert told not in draft.warnings


async def test_what_was_promised_is_done_and_planning_again_finds_nothing(stages: Stages) -> None:
    here = await stages.make(seeded())
    found = clouds(here)
    await run(found, await plan(found))
    assert await here.default_image() == await here.id(NEW)
    again = await plan(found)
    assert not again.steps
    assert again.summary.startswith("Nothing to promote: Fedora-Cloud-43-x64 has no candidate newer")
    named = await plan(found, Promote(definition=FAMILY, version=f"43.{NEW}"))
    assert not named.steps


async def test_a_rollback_says_and_does_the_same_backwards(stages: Stages) -> None:
    here = await stages.make(seeded())
    found = clouds(here)
    await run(found, await plan(found))
    draft = await RollbackPlanner(Catalogue(found)).plan(Rollback(definition=FAMILY), NOW)
    rows = dict(draft.evidence)
    moved = f"{await here.id(NEW, AWAY)} → {await here.id(OLD, AWAY)} in {AWAY}"
    assert moved in rows[f"Parameter {here.parameter_name}"]
    assert rows[f"Deprecation of 43.{OLD}"] == f"2026-12-20 → never in {AWAY} and {HOME}"
    assert len(rows) == 4, "nothing else is deprecated by a rollback"
    await run(found, draft)
    assert await here.parameter(AWAY) == await here.id(OLD, AWAY)


async def test_a_rollback_is_possible_also_when_the_predecessor_was_deprecated_since(stages: Stages) -> None:
    here = await stages.make(seeded())
    found = clouds(here)
    await run(found, await plan(found))
    late = NOW + 40 * DAY
    (predecessor,) = [each for each in await here.images.versions(FAMILY) if OLD in str(each.number)]
    assert unfit(predecessor, late) == "reached its end of life on 2026-12-20"
    draft = await RollbackPlanner(Catalogue(found)).plan(Rollback(definition=FAMILY), late)
    assert dict(draft.evidence)[f"Deprecation of 43.{OLD}"] == f"2026-12-20 → never in {AWAY} and {HOME}"
    await run(found, draft)
    assert await here.parameter(AWAY) == await here.id(OLD, AWAY)
    assert (await here.amis())[OLD, HOME]["deprecated_at"] is None


async def test_a_promotion_that_stopped_before_its_predecessor_was_deprecated_is_finished_by_the_next(
    stages: Stages,
) -> None:
    here = await stages.make(seeded())
    found = clouds(here)
    await stopped_at(here, found, "EnableImageDeprecation", r"deprecate ami-")
    draft = await plan(found)
    (again,) = draft.steps
    assert isinstance(again, SetExcluded)
    assert again.why is FlagReason.LAGGING
    await run(found, draft)
    assert (await here.amis())[OLD, HOME]["deprecated_at"].startswith("2026-12-20T")
    assert not (await plan(found)).steps


async def test_a_time_of_deprecation_that_somebody_chose_since_is_no_promotion_left_undone(
    stages: Stages,
) -> None:
    here = await stages.make(seeded())
    found = clouds(here)
    await run(found, await plan(found))
    for region in (HOME, AWAY):
        image = await here.id(OLD, region)
        ec2 = client(here.aws.url, region)
        await asyncio.to_thread(ec2.enable_image_deprecation, ImageId=image, DeprecateAt=NOW + 200 * DAY)
    assert not (await plan(found)).steps


async def test_a_promotion_that_stopped_before_all_had_come_after_it_is_finished_by_the_next(
    stages: Stages,
) -> None:
    here = await stages.make(seeded())
    found = clouds(here)
    executor, step = await stopped_at(here, found, "PutParameter", r"write ami-.* into the parameter")
    assert await executor.observe(step, "t") is None, "public everywhere, and not all has come after it"
    draft = await plan(found)
    (again,) = draft.steps
    assert isinstance(again, SetExcluded)
    assert again.why is FlagReason.LAGGING
    await run(found, draft)
    assert await here.parameter() == await here.id(NEW)


async def test_an_account_that_blocks_public_images_is_found_before_anybody_agrees(stages: Stages) -> None:
    here = await stages.make(seeded())
    await block(here, AWAY)
    try:
        with pytest.raises(UserError) as caught:
            await plan(clouds(here))
    finally:
        await block(here, AWAY, blocked=False)
    assert caught.value.sentence == (
        f"The AWS account blocks public images in {AWAY} (block public access for AMIs), so 43.{NEW} of {FAMILY} "
        "cannot be promoted there."
    )
    assert here.labels(["ModifyImageAttribute"]) == []


async def test_what_was_planned_before_the_block_is_refused_when_planned_again(stages: Stages) -> None:
    here = await stages.make(seeded())
    draft = await plan(clouds(here))
    await block(here, HOME)
    try:
        with pytest.raises(UserError, match="blocks public images"):
            await plan(clouds(here), draft.request)
    finally:
        await block(here, HOME, blocked=False)


async def test_whether_there_is_a_block_may_be_unknown_and_is_told_then(stages: Stages) -> None:
    here = await stages.make(seeded())
    here.aws.faults.add(Fault(kind=FaultKind.REFUSE, match="GetImageBlockPublicAccessState", times=None))
    draft = await plan(clouds(here))
    assert len(draft.steps) == 1
    assert any(f"blocks public images in {HOME} is not known" in each for each in draft.warnings)


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        ({"encrypted": True}, "has an encrypted disk, and such an image cannot be public"),
        ({"state": "disabled"}, "is Disabled, not Succeeded"),
    ],
)
async def test_an_image_that_cannot_be_public_is_refused_when_planned(
    stages: Stages, seed: dict[str, Any], said: str
) -> None:
    amis = [*everywhere(OLD, public=True), ami(NEW, **seed)]
    here = await stages.make(amis)
    with pytest.raises(UserError, match=said):
        await plan(clouds(here), Promote(definition=FAMILY, version=f"43.{NEW}"))


async def test_a_template_that_is_not_there_is_told_when_planned(stages: Stages) -> None:
    here = await stages.make(seeded(), template="gone")
    with pytest.raises(UserError, match=f"The launch template gone in {HOME} does not exist there"):
        await plan(clouds(here))


async def test_one_name_in_two_clouds_is_planned_in_both(stages: Stages) -> None:
    here = await stages.make(seeded())
    gallery = azure()
    found = clouds(here, gallery)
    draft = await plan(found)
    assert {(step.cloud, step.version) for step in draft.steps if isinstance(step, SetExcluded)} == {
        ("aws", f"43.{NEW}"),
        ("azure", "43.20261109.0"),
    }
    assert draft.independent
    await run(found, draft)
    assert not (await plan(found)).steps


async def test_a_cloud_that_cannot_is_said_and_the_other_one_is_planned(stages: Stages) -> None:
    here = await stages.make(seeded())
    await block(here, HOME)
    try:
        draft = await plan(clouds(here, azure()))
    finally:
        await block(here, HOME, blocked=False)
    (step,) = draft.steps
    assert isinstance(step, SetExcluded)
    assert step.cloud == "azure"
    assert any("The AWS account blocks public images" in each for each in draft.warnings)
