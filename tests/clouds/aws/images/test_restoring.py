"""What a clean-up disabled on AWS comes back as a candidate, and says until when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.model import VersionState
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, VersionAbsentError
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft
from slipway.bot.operations.model import Operation
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.disabling import DisableVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.contents.comparing import Contents
from slipway.bot.subjects.images.contents.settings import ContentsSettings
from slipway.bot.subjects.images.requests import Cleanup
from slipway.bot.subjects.images.restoring.executor import RestoreVersionExecutor
from slipway.bot.subjects.images.restoring.kept import KeptReader
from slipway.bot.subjects.images.restoring.planner import RestorePlanner
from slipway.bot.subjects.images.restoring.requests import Away, Restore
from slipway.bot.subjects.images.restoring.steps import RestoreVersion
from slipway.bot.subjects.images.steps import DisableVersion
from tests.support.ami_families import (
    FAMILY,
    Stage,
    Stages,
    aws_images,
    everywhere,
    number,
    simulated_amis,
)
from tests.support.clock import DAY, NOW, POLL_AT_ONCE

POLICY = RetentionSettings(keep_candidates=1)
OLD, NEW, LATEST = "20261101.0", "20261108.0", "20261020.0"

pytestmark = pytest.mark.asyncio(loop_scope="module")


class NoOperations:
    """Remembers nothing."""

    async def about(self, target: str, limit: int) -> Sequence[Operation]:
        return ()


async def stage(stages: Stages) -> Stage:
    """One that is latest, one that is due, and one candidate; disabled, and deleted a week later."""
    return await stages.make(
        [*everywhere(LATEST, public=True), *everywhere(OLD), *everywhere(NEW)], besides=False
    )


def clouds(here: Stage) -> Clouds:
    return Clouds([Adapter("aws", {IMAGE_VERSIONS: here.images})])


async def disable(here: Stage) -> str:
    """Clean up; what the step's end says."""
    draft = await CleanupPlanner(Catalogue(clouds(here)), POLICY).plan(Cleanup(), NOW)
    (step,) = draft.steps
    assert isinstance(step, DisableVersion)
    executor = DisableVersionExecutor(
        clouds(here), RemovalChecks(clouds(here), POLICY, lambda: NOW), POLL_AT_ONCE
    )
    await executor.act(step, "t")
    return (await executor.verify(step, "t")).summary


async def plan(here: Stage, which: str = OLD, request: Restore | None = None) -> Draft[Restore]:
    catalogue = Catalogue(clouds(here))
    kept = KeptReader(clouds(here), POLICY.keep_disabled, lambda: NOW)
    planner = RestorePlanner(catalogue, kept, NoOperations(), Contents(ContentsSettings()), POLICY)
    return await planner.plan(request or Restore(definition=FAMILY, version=f"43.{which}"), NOW)


async def test_a_disabled_version_comes_back_as_a_candidate_and_what_became_of_it_is_on_the_card(
    stages: Stages,
) -> None:
    here = await stage(stages)
    said = await disable(here)
    until = f"{NOW + POLICY.keep_disabled:%Y-%m-%d %H:%M} UTC"
    assert said.endswith(f"is disabled. `restore {FAMILY}/43.{OLD}` brings it back until {until}.")
    draft = await plan(here)
    (step,) = draft.steps
    assert isinstance(step, RestoreVersion)
    assert (step.away, step.until) == (Away.DISABLED, NOW + POLICY.keep_disabled)
    rows = dict(draft.evidence)
    assert rows["Now"] == (
        f"was disabled on {NOW:%Y-%m-%d}, and can be restored; a clean-up may delete it from "
        f"{NOW + 7 * DAY:%Y-%m-%d} on"
    )
    assert rows["Latest"] == f"stays 43.{LATEST}"
    assert not draft.needs_approval
    assert any("not among the newest candidates" in each for each in draft.warnings)
    executor = RestoreVersionExecutor(clouds(here), POLL_AT_ONCE)
    assert await executor.observe(step, "t") is None
    await executor.act(step, "t")
    assert (await executor.verify(step, "t")).summary == f"{step.named} is a candidate again."
    again = await executor.observe(step, "t")
    assert again is not None
    assert again.already
    found = await here.images.version(FAMILY, number(OLD))
    assert not found.launch_regions
    with pytest.raises(UserError, match="is there, in state Succeeded: there is nothing to restore"):
        await plan(here)


async def test_what_was_deleted_meanwhile_is_a_conflict_and_nothing_else_comes_back(stages: Stages) -> None:
    here = await stage(stages)
    await disable(here)
    draft = await plan(here)
    (step,) = draft.steps
    assert isinstance(step, RestoreVersion)
    await here.images.delete_version(FAMILY, number(OLD))
    executor = RestoreVersionExecutor(clouds(here), POLL_AT_ONCE)
    for call in (executor.observe, executor.act):
        with pytest.raises(CloudError) as caught:
            await call(step, "t")
        assert caught.value.kind is CloudErrorKind.CONFLICT
    again = await plan(here, request=draft.request)
    assert again.observed != draft.observed
    assert "gone for good" in again.observed.values()


async def test_another_number_is_offered_those_that_can_come_back(stages: Stages) -> None:
    here = await stage(stages)
    await disable(here)
    with pytest.raises(UserError) as caught:
        await plan(here, "20261102.0")
    assert caught.value.nearest == (f"43.{OLD}",)


async def test_what_a_rule_keeps_after_its_deregistration_comes_back_with_its_snapshots() -> None:
    """It was disabled before, as by a clean-up."""
    async with (
        simulated_amis([*everywhere(OLD), *everywhere(NEW)], bin_days=14) as aws,
        aws_images(aws.url) as images,
    ):
        await images.disable_version(FAMILY, number(OLD))
        await images.delete_version(FAMILY, number(OLD))
        gone = await aws.state()
        assert len(gone["amis"]) == len(gone["snapshots"]) == 2
        (kept,) = await images.deleted_versions(FAMILY)
        assert (kept.number, kept.kept_until - kept.deleted_at) == (number(OLD), 14 * DAY)
        await images.undelete_version(FAMILY, number(OLD))
        back = await images.version(FAMILY, number(OLD))
        assert (back.state, back.launch_regions) == (VersionState.SUCCEEDED, frozenset())
        assert back.disabled_since is None
        assert len((await aws.state())["snapshots"]) == 4
        assert await images.deleted_versions(FAMILY) == ()
        with pytest.raises(VersionAbsentError):
            await images.undelete_version(FAMILY, number("20260101.0"))


async def test_a_restoring_that_is_cut_off_anywhere_is_finished_by_the_next() -> None:
    async with (
        simulated_amis(everywhere(OLD, public=True), bin_days=14) as aws,
        aws_images(aws.url) as images,
    ):
        await images.delete_version(FAMILY, number(OLD))
        cut = 0
        while True:
            aws.faults.add(Fault(kind=FaultKind.LOST_ANSWER, after=cut, times=None))
            try:
                await images.undelete_version(FAMILY, number(OLD))
                break
            except CloudError:
                cut += 1
                assert cut < 40
            finally:
                aws.faults.clear()
        back = await images.version(FAMILY, number(OLD))
        assert (len(back.regions), back.launch_regions) == (2, frozenset())
        assert len((await aws.state())["snapshots"]) == 2


async def test_what_came_back_in_one_region_alone_is_not_back_and_can_be_asked_for() -> None:
    """Somebody restored it by hand there; or a run was cut off between two regions."""
    async with (
        simulated_amis([*everywhere(OLD), *everywhere(LATEST, public=True)], bin_days=14) as aws,
        aws_images(aws.url) as images,
    ):
        there = Clouds([Adapter("aws", {IMAGE_VERSIONS: images})])
        for deleted in (OLD, LATEST):
            await images.delete_version(FAMILY, number(deleted))
        cut = Fault(kind=FaultKind.REFUSE, match="RestoreImageFromRecycleBin", after=1, times=None)
        for deleted in (OLD, LATEST):
            aws.faults.add(cut)
            with pytest.raises(CloudError, match="lacks the permission"):
                await images.undelete_version(FAMILY, number(deleted))
            aws.faults.clear()
        half = await images.version(FAMILY, number(OLD))
        assert len(half.regions) == 1
        reader = KeptReader(there, POLICY.keep_disabled, lambda: NOW)
        catalogue = Catalogue(there)
        (definition,) = await catalogue.definitions()
        kept = await reader.of(definition, await catalogue.versions(definition))
        # What is latest in the one region stays so: to restore it would take it out of latest there.
        assert [str(each.number) for each in kept.versions] == [f"43.{OLD}"]
        (region,) = kept.versions[0].regions
        assert f"was deleted in {region} on " in kept.versions[0].words
        planner = RestorePlanner(catalogue, reader, NoOperations(), Contents(ContentsSettings()), POLICY)
        (step,) = (await planner.plan(Restore(definition=FAMILY, version=f"43.{OLD}"), NOW)).steps
        assert isinstance(step, RestoreVersion)
        executor = RestoreVersionExecutor(there, POLL_AT_ONCE)
        assert await executor.observe(step, "t") is None
        await executor.act(step, "t")
        await executor.verify(step, "t")
        assert len((await images.version(FAMILY, number(OLD))).regions) == 2
        again = await executor.observe(step, "t")
        assert again is not None
        assert again.already


async def test_without_the_right_to_the_bin_nothing_else_suffers_and_whoever_asks_is_told() -> None:
    async with simulated_amis(everywhere(OLD)) as aws, aws_images(aws.url) as images:
        aws.faults.add(Fault(kind=FaultKind.REFUSE, match="ListImagesInRecycleBin", times=None))
        there = Clouds([Adapter("aws", {IMAGE_VERSIONS: images})])
        catalogue = Catalogue(there)
        (definition,) = await catalogue.definitions()
        kept = await KeptReader(there, POLICY.keep_disabled, lambda: NOW).of(definition, ())
        assert kept.optional
        assert "lacks the permission" in kept.problem
