"""Copies in regions: the real adapter and SDK against the simulated Azure, by its clock."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.model import ImageVersion, Replication, ReplicationState, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import WantedRegion
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion
from slipway.bot.clouds.simulated.azure.replication import Copying
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.azure import X64, AzureHarness, azure_harness
from tests.support.clock import DAY, NOW, FakeClock

NUMBER = VersionNumber(43, 2, 0)
HOURS = Copying(takes={"southeastasia": timedelta(hours=4), "westeurope": timedelta(hours=2)})
WANTED = (WantedRegion("eastus"), WantedRegion("southeastasia", 2), WantedRegion("westeurope"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest_asyncio.fixture
async def azure(clock: FakeClock) -> AsyncIterator[AzureHarness]:
    here = (SeedRegion("eastus"),)
    versions = (
        SeedVersion(
            "43.1.0", NOW - 3 * DAY, False, (*here, SeedRegion("southeastasia"), SeedRegion("westeurope"))
        ),
        SeedVersion("43.2.0", NOW - DAY, True, here, NOW + 90 * DAY, tags={"delete": "never"}),
    )
    async with azure_harness(Seed((SeedDefinition(X64, "x64", versions),)), clock=clock) as harness:
        yield harness


def copying(azure: AzureHarness, how: Copying) -> None:
    azure.azure.conditions = azure.azure.conditions.model_copy(update={"copying": how})


async def read(azure: AzureHarness) -> ImageVersion:
    return await azure.gallery.version(X64, NUMBER)


async def begun(azure: AzureHarness) -> None:
    """Copies are begun, and the write itself has ended."""
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    while (await read(azure)).state is VersionState.UPDATING:
        pass


def copies(version: ImageVersion) -> dict[str, Replication | None]:
    return {region.name: region.replication for region in version.regions}


async def test_a_copy_of_hours_is_seen_by_region_and_latest_is_there_only_when_it_is(
    azure: AzureHarness, clock: FakeClock
) -> None:
    copying(azure, HOURS)
    await begun(azure)
    clock.now += timedelta(minutes=96)
    seen = await read(azure)
    assert seen.state is VersionState.SUCCEEDED  # which says nothing of its regions
    assert copies(seen) == {
        "eastus": Replication(ReplicationState.COMPLETED, 100),
        "southeastasia": Replication(ReplicationState.REPLICATING, 40),
        "westeurope": Replication(ReplicationState.REPLICATING, 80),
    }
    assert [region.replicas for region in seen.regions] == [1, 2, 1]
    await azure.gallery.set_promoted(X64, NUMBER, promoted=True)
    assert (await read(azure)).latest_regions == {"eastus"}
    assert [azure.azure.latest(X64, name) for name in copies(seen)] == ["43.2.0", "43.1.0", "43.1.0"]
    clock.now += timedelta(hours=3)
    assert (await read(azure)).latest_regions == set(copies(seen))


async def test_one_region_fails_alone_and_is_made_again_by_asking_again(
    azure: AzureHarness, clock: FakeClock
) -> None:
    copying(azure, HOURS.model_copy(update={"fails": {"southeastasia": 1}, "details": "No capacity."}))
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    clock.now += timedelta(hours=5)
    failed = (await read(azure)).regions[1]
    assert failed.replication == Replication(ReplicationState.FAILED, 0, "No capacity.")
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    clock.now += timedelta(hours=5)
    assert all(region.present for region in (await read(azure)).regions)


async def test_asking_again_while_it_goes_on_writes_nothing(azure: AzureHarness) -> None:
    copying(azure, HOURS.model_copy(update={"ends_updates": True}))
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    assert (await read(azure)).state is VersionState.UPDATING
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    assert len(azure.azure.writes) == 1


async def test_an_update_that_fails_with_a_region_is_made_again(
    azure: AzureHarness, clock: FakeClock
) -> None:
    copying(azure, HOURS.model_copy(update={"ends_updates": True, "fails": {"westeurope": 1}}))
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    clock.now += timedelta(hours=5)
    assert (await read(azure)).state is VersionState.FAILED
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    clock.now += timedelta(hours=5)
    seen = await read(azure)
    assert seen.state is VersionState.SUCCEEDED
    assert all(region.present for region in seen.regions)


async def test_a_version_that_failed_with_a_region_is_well_again_without_it(
    azure: AzureHarness, clock: FakeClock
) -> None:
    copying(azure, HOURS.model_copy(update={"ends_updates": True, "fails": {"westeurope": 9}}))
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    clock.now += timedelta(hours=5)
    assert (await read(azure)).state is VersionState.FAILED
    told = await azure.gallery.end_replication(X64, NUMBER, ["westeurope"])
    seen = await read(azure)
    assert told == ()
    assert seen.state is VersionState.SUCCEEDED
    assert set(copies(seen)) == {"eastus", "southeastasia"}
    assert seen.excluded
    assert await azure.gallery.end_replication(X64, NUMBER, ["westeurope"]) == ()
    assert len(azure.azure.writes) == 2


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.ERROR_AFTER, FaultKind.THROTTLE])
async def test_whatever_becomes_of_the_answer_copies_are_begun_once(
    azure: AzureHarness, kind: FaultKind
) -> None:
    copying(azure, HOURS.model_copy(update={"ends_updates": True}))
    azure.azure.faults.add(Fault(kind=kind, match="PUT *"))
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    assert set(copies(await read(azure))) == {"eastus", "southeastasia", "westeurope"}
    assert len(azure.azure.state.operations) == 1


async def test_more_regions_change_nothing_else_of_a_version(azure: AzureHarness) -> None:
    before = document(azure)
    await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    after = document(azure)
    regions = after["properties"]["publishingProfile"].pop("targetRegions")
    before["properties"]["publishingProfile"].pop("targetRegions")
    after["properties"]["provisioningState"] = before["properties"]["provisioningState"]
    assert after == before
    assert {region["storageAccountType"] for region in regions} == {"Standard_ZRS"}


async def test_regions_are_opened_one_by_one_by_flags_of_their_own(azure: AzureHarness) -> None:
    await begun(azure)
    await azure.gallery.set_promoted_in(X64, NUMBER, ["westeurope"], promoted=True)
    assert (await read(azure)).launch_regions == {"westeurope"}
    assert azure.azure.latest(X64, "eastus") == "43.1.0"
    await azure.gallery.set_promoted(X64, NUMBER, promoted=True)
    assert (await read(azure)).launch_regions == {"eastus", "southeastasia", "westeurope"}
    await azure.gallery.set_promoted_in(X64, NUMBER, ["eastus"], promoted=False)
    assert (await read(azure)).launch_regions == {"southeastasia", "westeurope"}


async def test_what_is_being_deleted_is_not_copied(azure: AzureHarness) -> None:
    azure.azure.state.version(X64, "43.2.0").state = "Deleting"
    with pytest.raises(CloudError) as caught:
        await azure.gallery.begin_replication(X64, NUMBER, WANTED)
    assert caught.value.kind is CloudErrorKind.CONFLICT
    assert not azure.azure.writes


def document(azure: AzureHarness) -> dict[str, Any]:
    return copy.deepcopy(azure.azure.state.version(X64, "43.2.0").document)
