"""Changing a gallery: the real adapter and SDK against the simulated Azure, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import Executor, StepDone, StepT
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.deleting import DeleteVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.cleaning_up.retention import Rule
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Cleanup, Promote, Rollback
from slipway.bot.subjects.images.rolling_back.planner import RollbackPlanner
from slipway.bot.subjects.images.steps import DeleteVersion, FlagReason, SetExcluded
from tests.images.builders import POLICY
from tests.support.azure import RAWHIDE, X64, AzureHarness, azure_harness
from tests.support.clock import DAY, NOW, POLL_AT_ONCE

TOKEN = "op-test-1"
REGIONS = (SeedRegion("eastus"), SeedRegion("westeurope"))


def seed() -> Seed:
    versions = (
        SeedVersion("43.1.0", NOW - 9 * DAY, False, REGIONS),
        SeedVersion("43.2.0", NOW - 8 * DAY, None, (SeedRegion("eastus", False), SeedRegion("westeurope"))),
        SeedVersion("43.3.0", NOW - 7 * DAY, True, (SeedRegion("eastus", True), SeedRegion("westeurope"))),
        SeedVersion("43.0.1", NOW - 99 * DAY, False, REGIONS, NOW - DAY),
    )
    nightly = tuple(
        SeedVersion(f"44.{day}.0", NOW - (20 - day) * DAY, day != 1, REGIONS) for day in range(1, 11)
    )
    return Seed((SeedDefinition(X64, "x64", versions), SeedDefinition(RAWHIDE, "x64", nightly)))


@pytest_asyncio.fixture
async def azure() -> AsyncIterator[AzureHarness]:
    async with azure_harness(seed()) as harness:
        yield harness


def flag(version: str, *, excluded: bool = False) -> SetExcluded:
    why = FlagReason.ROLLED_BACK if excluded else FlagReason.NAMED
    return SetExcluded(definition=X64, version=version, excluded=excluded, why=why)


def deletion(version: str, rule: Rule, *, definition: str = X64, promoted: bool = False) -> DeleteVersion:
    return DeleteVersion(definition=definition, version=version, rule=rule, promoted=promoted, limit=7)


def setter(azure: AzureHarness) -> SetExcludedExecutor:
    return SetExcludedExecutor(azure.clouds, POLL_AT_ONCE)


def deleter(azure: AzureHarness, now: datetime = NOW) -> DeleteVersionExecutor:
    return DeleteVersionExecutor(azure.clouds, RemovalChecks(azure.clouds, POLICY, lambda: now), POLL_AT_ONCE)


def crowd(azure: AzureHarness) -> None:
    """Seven newer candidates, so that 43.3.0 is due to go."""
    held = azure.azure.state.versions[X64.casefold()]
    for number in range(11, 18):
        newer = deepcopy(held["43.3.0"])
        newer.document["name"] = f"43.{number}.0"
        held[f"43.{number}.0"] = newer


async def carry_out(executor: Executor[StepT], step: StepT) -> StepDone:
    done = await executor.observe(step, TOKEN)
    if done is None:
        await executor.act(step, TOKEN)
        done = await executor.verify(step, TOKEN)
    return done


async def refused(executor: Executor[StepT], step: StepT) -> CloudError:
    with pytest.raises(CloudError) as caught:
        await carry_out(executor, step)
    return caught.value


def writes(azure: AzureHarness) -> int:
    return len(azure.azure.writes)


def properties(azure: AzureHarness, version: str, definition: str = X64) -> dict[str, Any]:
    found: dict[str, Any] = azure.azure.state.version(definition, version).document["properties"]
    return found


def retag(azure: AzureHarness, version: str, **tags: str) -> None:
    azure.azure.state.version(X64, version).document["tags"] = tags


async def test_promoting_opens_every_region_and_is_done_once(azure: AzureHarness) -> None:
    done = await carry_out(setter(azure), flag("43.3.0"))
    assert (done.already, done.summary) == (
        False,
        f"43.3.0 of {X64} is promoted. Latest is 43.3.0 in eastus and westeurope.",
    )
    assert [azure.azure.latest(X64, each.name) for each in REGIONS] == ["43.3.0", "43.3.0"]
    before = writes(azure)
    again = await carry_out(setter(azure), flag("43.3.0"))
    told = f"43.3.0 of {X64} was promoted already. Latest is 43.3.0 in eastus and westeurope."
    assert (again.already, again.summary) == (True, told)
    assert writes(azure) == before


async def test_taking_back_closes_regions_that_were_opened_on_their_own(azure: AzureHarness) -> None:
    await carry_out(setter(azure), flag("43.2.0", excluded=True))
    assert [azure.azure.latest(X64, each.name) for each in REGIONS] == ["43.1.0", "43.1.0"]


async def test_a_vanished_version_is_a_conflict_and_nothing_is_written(azure: AzureHarness) -> None:
    error = await refused(setter(azure), flag("43.9.0"))
    assert error.kind is CloudErrorKind.CONFLICT
    assert "is not there any more" in error.sentence
    assert writes(azure) == 0


@pytest.mark.parametrize("state", ["Failed", "Creating", "Deleting", "Updating"])
async def test_a_version_in_no_state_for_it_is_not_promoted(azure: AzureHarness, state: str) -> None:
    properties(azure, "43.3.0")["provisioningState"] = state
    error = await refused(setter(azure), flag("43.3.0"))
    assert error.kind is CloudErrorKind.CONFLICT
    assert f"is {state}, not Succeeded" in error.sentence
    assert writes(azure) == 0


async def test_a_failed_version_can_be_taken_back(azure: AzureHarness) -> None:
    properties(azure, "43.2.0")["provisioningState"] = "Failed"
    assert not (await carry_out(setter(azure), flag("43.2.0", excluded=True))).already
    assert azure.azure.latest(X64, "eastus") == "43.1.0"


async def test_dying_while_azure_works_is_picked_up_by_the_next_try(azure: AzureHarness) -> None:
    azure.azure.state.patch(
        X64,
        "43.3.0",
        {
            "properties": {
                "publishingProfile": {
                    "excludeFromLatest": False,
                    "targetRegions": [
                        {"name": each.name, "storageAccountType": "Standard_ZRS"} for each in REGIONS
                    ],
                }
            }
        },
    )
    done = await carry_out(setter(azure), flag("43.3.0"))
    assert done.summary.startswith("43.3.0")
    assert writes(azure) == 0
    assert azure.azure.latest(X64, "westeurope") == "43.3.0"


async def test_a_change_that_cannot_be_seen_is_never_called_done(azure: AzureHarness) -> None:
    azure.azure.faults.add(Fault(kind=FaultKind.NOT_DONE, match="PUT *", times=None))
    error = await refused(setter(azure), flag("43.3.0"))
    assert error.kind is CloudErrorKind.UNVERIFIED
    assert "does not show as promoted" in error.sentence


async def test_a_deletion_is_done_once(azure: AzureHarness) -> None:
    crowd(azure)
    step = deletion("43.3.0", Rule.CANDIDATES)
    done = await carry_out(deleter(azure), step)
    assert (done.already, done.facts["rule"]) == (False, "candidates")
    assert "43.3.0" not in azure.azure.snapshot()["definitions"][X64]["versions"]
    again = await carry_out(deleter(azure), step)
    assert (again.already, writes(azure)) == (True, 1)


async def test_a_deletion_under_way_is_waited_for(azure: AzureHarness) -> None:
    azure.azure.state.delete(X64, "43.3.0")
    assert not (await carry_out(deleter(azure), deletion("43.3.0", Rule.CANDIDATES))).already
    assert "43.3.0" not in azure.azure.snapshot()["definitions"][X64]["versions"]


async def test_a_candidate_that_was_promoted_since_is_not_deleted(azure: AzureHarness) -> None:
    await carry_out(setter(azure), flag("43.3.0"))
    before = writes(azure)
    error = await refused(deleter(azure), deletion("43.3.0", Rule.CANDIDATES))
    assert error.kind is CloudErrorKind.CONFLICT
    assert "has been promoted since" in error.sentence
    assert writes(azure) == before


@pytest.mark.parametrize("tags", [{"delete": "never"}, {"owner": "fedora-coreos"}])
async def test_a_version_that_is_protected_since_is_not_deleted(
    azure: AzureHarness, tags: dict[str, str]
) -> None:
    retag(azure, "43.3.0", **tags)
    error = await refused(deleter(azure), deletion("43.3.0", Rule.CANDIDATES))
    assert error.kind is CloudErrorKind.CONFLICT
    assert "is protected now" in error.sentence
    assert writes(azure) == 0


async def test_a_life_that_was_made_longer_is_not_ended(azure: AzureHarness) -> None:
    step = deletion("43.0.1", Rule.END_OF_LIFE, promoted=True)
    error = await refused(deleter(azure, now=NOW - 2 * DAY), step)
    assert error.kind is CloudErrorKind.CONFLICT
    assert "the date was changed" in error.sentence
    assert (await carry_out(deleter(azure), step)).summary == f"43.0.1 of {X64} is deleted."


async def test_a_failed_version_is_not_deleted(azure: AzureHarness) -> None:
    properties(azure, "43.3.0")["provisioningState"] = "Failed"
    error = await refused(deleter(azure), deletion("43.3.0", Rule.CANDIDATES))
    assert "is Failed, not Succeeded" in error.sentence
    assert writes(azure) == 0


async def test_an_old_rolling_version_that_became_latest_since_is_not_deleted(azure: AzureHarness) -> None:
    error = await refused(deleter(azure), deletion("44.1.0", Rule.ROLLING, definition=RAWHIDE, promoted=True))
    assert error.kind is CloudErrorKind.CONFLICT
    assert "has become latest since" in error.sentence


async def test_a_deletion_that_took_nothing_away_is_never_called_done(azure: AzureHarness) -> None:
    crowd(azure)
    azure.azure.faults.add(Fault(kind=FaultKind.NOT_DONE, match="DELETE *", times=None))
    error = await refused(deleter(azure), deletion("43.3.0", Rule.CANDIDATES))
    assert error.kind is CloudErrorKind.UNVERIFIED
    assert "is still there" in error.sentence


async def test_a_clouds_refusal_is_passed_on(azure: AzureHarness) -> None:
    azure.azure.faults.add(Fault(kind=FaultKind.REFUSE, times=None))
    for error in (
        await refused(setter(azure), flag("43.3.0")),
        await refused(deleter(azure), deletion("43.3.0", Rule.CANDIDATES)),
    ):
        assert error.kind is CloudErrorKind.REFUSED


async def test_promote_roll_back_and_clean_up_leave_the_gallery_as_planned(azure: AzureHarness) -> None:
    catalogue = Catalogue(azure.clouds)
    promotion = await PromotePlanner(catalogue).plan(Promote(definition=X64), NOW)
    assert promotion.evidence[0] == ("Latest", "43.2.0 → 43.3.0")
    rolled = Rollback(definition=X64)
    for step in promotion.steps:
        assert isinstance(step, SetExcluded)
        await carry_out(setter(azure), step)
    for step in (await RollbackPlanner(catalogue).plan(rolled, NOW)).steps:
        assert isinstance(step, SetExcluded)
        await carry_out(setter(azure), step)
    assert azure.azure.latest(X64, "westeurope") == "43.2.0"
    plan = await CleanupPlanner(catalogue, POLICY).plan(Cleanup(), NOW)
    for step in plan.steps:
        assert isinstance(step, DeleteVersion)
        await carry_out(deleter(azure), step)
    left = azure.azure.snapshot()["definitions"]
    assert sorted(left[X64]["versions"]) == ["43.1.0", "43.2.0", "43.3.0"]
    assert sorted(left[RAWHIDE]["versions"]) == sorted(["44.1.0", *(f"44.{day}.0" for day in range(4, 11))])
    assert (await CleanupPlanner(catalogue, POLICY).plan(Cleanup(), NOW)).steps == ()
