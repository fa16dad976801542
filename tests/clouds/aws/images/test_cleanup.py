"""Clean-ups where AWS has the definition: disabled first, deleted in a later run, and brought back in between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.deleting import DeleteVersionExecutor
from slipway.bot.subjects.images.cleaning_up.disabling import DisableVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.cleaning_up.retention import Rule
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.requests import Cleanup
from slipway.bot.subjects.images.steps import DeleteVersion, DisableVersion, LiftProtection
from tests.support.ami_families import FAMILY, Stage, Stages, ami, everywhere, number
from tests.support.clock import DAY, NOW, POLL_AT_ONCE

POLICY = RetentionSettings(keep_candidates=1)
POLICY_BY_THE_HOUR = RetentionSettings(keep_candidates=1, keep_disabled=timedelta(hours=1))
OLD, MIDDLE, NEW = "20261101.0", "20261105.0", "20261108.0"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def stage(stages: Stages) -> Stage:
    """One version that is latest, and three candidates, of which the two older ones are due."""
    return await stages.make(
        [
            *everywhere("20261020.0", public=True),
            *everywhere(OLD),
            ami(MIDDLE),
            *everywhere(NEW),
        ],
        besides=False,
    )


def clouds(here: Stage) -> Clouds:
    return Clouds([Adapter("aws", {IMAGE_VERSIONS: here.images})])


async def plan(here: Stage, later: timedelta = timedelta()) -> Draft[Cleanup]:
    return await CleanupPlanner(Catalogue(clouds(here)), POLICY).plan(Cleanup(), NOW + later)


async def run(here: Stage, draft: Draft[Cleanup], later: timedelta = timedelta()) -> None:
    disable = DisableVersionExecutor(
        clouds(here), RemovalChecks(clouds(here), POLICY, lambda: NOW + later), POLL_AT_ONCE
    )
    delete = DeleteVersionExecutor(
        clouds(here), RemovalChecks(clouds(here), POLICY, lambda: NOW + later), POLL_AT_ONCE
    )
    for step in draft.steps:
        if isinstance(step, DisableVersion):
            assert await disable.observe(step, "t") is None
            await disable.act(step, "t")
            assert (await disable.verify(step, "t")).summary.startswith(f"{step.named} is disabled.")
            again = await disable.observe(step, "t")
        else:
            assert isinstance(step, DeleteVersion)
            assert await delete.observe(step, "t") is None
            await delete.act(step, "t")
            await delete.verify(step, "t")
            again = await delete.observe(step, "t")
        assert again is not None
        assert again.already


async def test_what_is_due_is_disabled_and_goes_for_good_a_week_later(stages: Stages) -> None:
    here = await stage(stages)
    draft = await plan(here)
    assert [(type(step), step.version) for step in draft.steps if isinstance(step, DisableVersion)] == [
        (DisableVersion, f"43.{OLD}"),
        (DisableVersion, f"43.{MIDDLE}"),
    ]
    assert draft.summary == (
        f"2 versions of {FAMILY} disabled. For 7d `restore DEFINITION/VERSION` brings one back."
    )
    await run(here, draft)
    assert not (await plan(here, 6 * DAY)).steps
    late = await plan(here, 8 * DAY)
    assert {(type(step), step.rule) for step in late.steps if isinstance(step, DeleteVersion)} == {
        (DeleteVersion, Rule.DISABLED)
    }
    assert late.summary == f"2 versions of {FAMILY} deleted."
    assert dict(late.evidence)["Disabled before"] == "2"
    await run(here, late, 8 * DAY)
    assert {which for which, _ in await here.amis()} == {"20261020.0", NEW}
    assert not (await plan(here, 9 * DAY)).steps


async def test_what_was_brought_back_before_its_deletion_is_not_deleted(stages: Stages) -> None:
    here = await stage(stages)
    await run(here, await plan(here))
    late = await plan(here, 8 * DAY)
    await here.images.restore_version(FAMILY, number(OLD))
    delete = DeleteVersionExecutor(
        clouds(here), RemovalChecks(clouds(here), POLICY, lambda: NOW + 8 * DAY), POLL_AT_ONCE
    )
    step = next(each for each in late.steps if isinstance(each, DeleteVersion) and OLD in each.version)
    with pytest.raises(CloudError) as caught:
        await delete.observe(step, "t")
    assert caught.value.kind is CloudErrorKind.CONFLICT
    assert caught.value.sentence.endswith("is Succeeded, not Disabled; it was not deleted.")


async def test_what_was_promoted_meanwhile_is_not_disabled(stages: Stages) -> None:
    here = await stage(stages)
    draft = await plan(here)
    await here.promote(OLD)
    executor = DisableVersionExecutor(
        clouds(here), RemovalChecks(clouds(here), POLICY, lambda: NOW), POLL_AT_ONCE
    )
    (step,) = [each for each in draft.steps if isinstance(each, DisableVersion) and OLD in each.version]
    with pytest.raises(CloudError, match="has been promoted since it was chosen; it was not disabled"):
        await executor.observe(step, "t")
    with pytest.raises(CloudError, match="has been promoted since"):
        await executor.act(step, "t")


async def test_what_was_protected_after_it_was_disabled_is_only_lifted_and_goes_after_the_cool_down(
    stages: Stages,
) -> None:
    here = await stage(stages)
    await run(here, await plan(here))
    await here.images.protect_version(FAMILY, number(OLD))
    await here.images.protect_version(FAMILY, number(MIDDLE))
    draft = await plan(here, 8 * DAY)
    assert [type(step) for step in draft.steps] == [LiftProtection, LiftProtection]
    assert draft.summary == (
        f"2 versions of {FAMILY} not protected any more, for a later clean-up to delete."
    )
    for each in (OLD, MIDDLE):
        await here.images.lift_protection(FAMILY, number(each))
    until = [lock.until for lock in await here.images.locks() if lock.definition == FAMILY]
    assert len(until) == 3
    assert all(each is not None and NOW + DAY <= each < NOW + 1.1 * DAY for each in until)
    cooling = await CleanupPlanner(Catalogue(clouds(here)), POLICY_BY_THE_HOUR).plan(Cleanup(), NOW + DAY / 2)
    assert cooling.steps == ()
    assert "its protection is lifted, and its cloud keeps it until 2026-11-21 12:" in cooling.summary
    assert {type(step) for step in (await plan(here, 8 * DAY)).steps} == {DeleteVersion}


async def test_what_somebody_else_disabled_is_left_alone(stages: Stages) -> None:
    here = await stages.make(
        [*everywhere("20261020.0", public=True), *everywhere(OLD, state="disabled"), *everywhere(NEW)],
        besides=False,
    )
    assert not (await plan(here, 99 * DAY)).steps


async def test_what_the_familys_own_parameter_names_is_not_taken_away(stages: Stages) -> None:
    here = await stages.make([*everywhere(OLD, public=True), *everywhere(NEW)])
    await here.promote(NEW)
    with pytest.raises(CloudError) as caught:
        await here.images.disable_version(FAMILY, number(NEW))
    assert caught.value.kind is CloudErrorKind.CONFLICT
    assert f"the parameter {here.parameter_name}" in caught.value.sentence
    await here.images.disable_version(FAMILY, number(OLD))
