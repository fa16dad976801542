"""Promoted, protected, taken back and cleaned up: on both simulated clouds, from the plan to the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion
from slipway.bot.clouds.simulated.azure.conditions import Conditions, Lock
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import Draft, Step
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.deleting import DeleteVersionExecutor
from slipway.bot.subjects.images.cleaning_up.disabling import DisableVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.protecting.executors import LiftProtectionExecutor, ProtectVersionExecutor
from slipway.bot.subjects.images.protecting.planner import ProtectingPlanner
from slipway.bot.subjects.images.requests import Cleanup, LatestChange, Promote, Rollback
from slipway.bot.subjects.images.rolling_back.planner import RollbackPlanner
from slipway.bot.subjects.images.rules.settings import PromotionSettings
from slipway.bot.subjects.images.steps import (
    DeleteVersion,
    DisableVersion,
    LiftProtection,
    ProtectVersion,
    SetExcluded,
)
from tests.support.ami_families import FAMILY, aws_images, everywhere, simulated_amis
from tests.support.azure import azure_harness
from tests.support.clock import DAY, NOW, POLL_AT_ONCE

POLICY = RetentionSettings(keep_candidates=1, rolling_pattern="-", owner="fedora-cloud")
TABLES = {"*": PromotionSettings(protect=True)}
OLD, MIDDLE, NEW = "43.20261101.0", "43.20261108.0", "43.20261115.0"


@dataclass
class Story:
    """One definition in one cloud, at a time that goes on."""

    clouds: Clouds
    cloud: str
    now: datetime = NOW

    @property
    def checks(self) -> RemovalChecks:
        return RemovalChecks(self.clouds, POLICY, lambda: self.now)

    async def plan(self, request: LatestChange) -> Draft[Any]:
        planners: Mapping[type[LatestChange], Any] = {Promote: PromotePlanner, Rollback: RollbackPlanner}
        make = planners[type(request)]
        planner: ProtectingPlanner[Any] = ProtectingPlanner(make, Catalogue(self.clouds), TABLES)
        return await planner.plan(request, self.now)

    async def cleanup(self) -> Draft[Cleanup]:
        return await CleanupPlanner(Catalogue(self.clouds), POLICY).plan(Cleanup(), self.now)

    async def run(self, draft: Draft[Any]) -> list[str]:
        """Carry all steps out; what each of them says."""
        said = []
        for step in draft.steps:
            executor = self._executor(step)
            done = await executor.observe(step, "t")
            if done is None:
                await executor.act(step, "t")
                done = await executor.verify(step, "t")
            again = await executor.observe(step, "t")
            assert again is not None
            assert again.already
            said.append(done.summary)
        return said

    def _executor(self, step: Step) -> Any:
        executors: Mapping[type[Step], Any] = {
            SetExcluded: lambda: SetExcludedExecutor(self.clouds, POLL_AT_ONCE, clock=lambda: self.now),
            ProtectVersion: lambda: ProtectVersionExecutor(self.clouds, POLL_AT_ONCE),
            LiftProtection: lambda: LiftProtectionExecutor(self.clouds, self.checks, POLL_AT_ONCE),
            DisableVersion: lambda: DisableVersionExecutor(self.clouds, self.checks, POLL_AT_ONCE),
            DeleteVersion: lambda: DeleteVersionExecutor(self.clouds, self.checks, POLL_AT_ONCE),
        }
        return executors[type(step)]()

    async def numbers(self) -> set[str]:
        listing = await self.clouds.get(IMAGE_VERSIONS, self.cloud).versions(FAMILY)
        return {str(each.number) for each in listing}


def _azure_version(name: str, days: int, *, excluded: bool) -> SeedVersion:
    return SeedVersion(
        name=name,
        published_at=NOW - days * DAY,
        excluded=excluded,
        regions=(SeedRegion("eastus"),),
        end_of_life=NOW + 300 * DAY,
        tags={"owner": "fedora-cloud"},
    )


@asynccontextmanager
async def on_azure(by: str, **how: Any) -> AsyncIterator[Story]:
    held = (
        _azure_version(OLD, 19, excluded=False),
        _azure_version(MIDDLE, 12, excluded=True),
        _azure_version(NEW, 5, excluded=True),
    )
    seed = Seed((SeedDefinition(FAMILY, "x64", held),))
    async with azure_harness(seed, more={"protection": by}, polls=0, **how) as here:
        yield Story(here.clouds, "azure")


@asynccontextmanager
async def on_aws(*, cooldown: bool = True) -> AsyncIterator[Story]:
    amis = [
        *everywhere(OLD.removeprefix("43."), public=True),
        *everywhere(MIDDLE.removeprefix("43.")),
        *everywhere(NEW.removeprefix("43.")),
    ]
    async with simulated_amis(amis) as aws, aws_images(aws.url, protection_cooldown=cooldown) as images:
        yield Story(Clouds([Adapter("aws", {IMAGE_VERSIONS: images})]), "aws")


@pytest.mark.parametrize("by", ["end-of-life", "lock"])
async def test_on_azure_a_clean_up_lifts_and_deletes_in_one_run(by: str) -> None:
    async with on_azure(by) as story:
        assert (await story.run(await story.plan(Promote(definition=FAMILY, version=MIDDLE))))[1:] == [
            f"{MIDDLE} of {FAMILY} is protected from deletion."
        ]
        await story.run(await story.plan(Rollback(definition=FAMILY)))
        draft = await story.cleanup()
        assert [step.title for step in draft.steps] == [
            f"lift the protection of {MIDDLE} of {FAMILY} from deletion",
            f"delete {MIDDLE} of {FAMILY}",
        ]
        assert dict(draft.evidence)["Protection lifted"] == "1"
        assert draft.summary == f"1 version of {FAMILY} deleted."
        delete = draft.steps[1]
        assert isinstance(delete, DeleteVersion)
        with pytest.raises(CloudError) as caught:  # before its protection is lifted
            await DeleteVersionExecutor(story.clouds, story.checks, POLL_AT_ONCE).act(delete, "t")
        assert caught.value.kind is CloudErrorKind.CONFLICT
        assert await story.run(draft) == [
            f"The protection of {MIDDLE} of {FAMILY} from deletion is lifted.",
            f"{MIDDLE} of {FAMILY} is deleted.",
        ]
        assert await story.numbers() == {OLD, NEW}


async def test_on_aws_it_is_disabled_at_once_and_deleted_when_its_cool_down_is_long_over() -> None:
    async with on_aws() as story:
        await story.run(await story.plan(Promote(definition=FAMILY, version=MIDDLE)))
        await story.run(await story.plan(Rollback(definition=FAMILY)))
        draft = await story.cleanup()
        assert [step.title for step in draft.steps] == [
            f"lift the protection of {MIDDLE} of {FAMILY} from deletion",
            f"disable {MIDDLE} of {FAMILY}",
        ]
        said = await story.run(draft)
        assert said[0] == (
            f"The protection of {MIDDLE} of {FAMILY} from deletion is lifted. EC2 keeps it for 1d more."
        )
        assert not (await story.cleanup()).steps


async def test_a_protection_that_a_rollback_left_on_is_never_lifted_by_anything_but_a_clean_up() -> None:
    async with on_aws() as story:
        await story.run(await story.plan(Promote(definition=FAMILY, version=MIDDLE)))
        back = await story.plan(Rollback(definition=FAMILY))
        assert not any(isinstance(step, LiftProtection) for step in back.steps)
        # What is latest again was promoted before anything was to be protected.
        assert [step.title for step in back.steps if isinstance(step, ProtectVersion)] == [
            f"protect {OLD} of {FAMILY} from deletion"
        ]


async def test_what_became_due_no_more_keeps_its_protection() -> None:
    async with on_azure("lock") as story:
        await story.run(await story.plan(Promote(definition=FAMILY, version=MIDDLE)))
        await story.run(await story.plan(Rollback(definition=FAMILY)))
        lift = (await story.cleanup()).steps[0]
        assert isinstance(lift, LiftProtection)
        await story.run(await story.plan(Promote(definition=FAMILY, version=MIDDLE)))
        executor = LiftProtectionExecutor(story.clouds, story.checks, POLL_AT_ONCE)
        with pytest.raises(
            CloudError, match="promoted since it was chosen; it was not taken out of its protection"
        ):
            await executor.observe(lift, "t")
        with pytest.raises(CloudError, match="promoted since it was chosen"):
            await executor.act(lift, "t")


async def test_what_is_not_promoted_after_all_is_not_protected() -> None:
    async with on_azure("lock") as story:
        draft = await story.plan(Promote(definition=FAMILY, version=MIDDLE))
        protect = draft.steps[1]
        assert isinstance(protect, ProtectVersion)
        with pytest.raises(CloudError, match="is not promoted, so it was not protected"):
            await ProtectVersionExecutor(story.clouds, POLL_AT_ONCE).observe(protect, "t")


async def test_what_somebody_else_locks_is_kept_and_shown() -> None:
    async with on_azure("lock") as story:
        gallery: Any = story.clouds.get(IMAGE_VERSIONS, "azure")
        await story.run(await story.plan(Promote(definition=FAMILY, version=MIDDLE)))
        await story.run(await story.plan(Rollback(definition=FAMILY)))
        assert [lock.ours for lock in await gallery.locks()] == [True, True]
    theirs = Conditions(locks=(Lock(scope=f"/subscriptions/{Seed(()).subscription_id}"),))
    async with on_azure("lock", conditions=theirs) as story:
        assert not (await story.plan(Promote(definition=FAMILY, version=MIDDLE))).steps[1:]
        draft = await story.cleanup()
        assert draft.steps == ()
        assert "a lock in its cloud forbids to delete it" in draft.summary
