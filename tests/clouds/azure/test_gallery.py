"""The unmodified Azure SDK against a real server: what the adapter reads and what it changes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from slipway.bot.clouds.model import VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import ImageVersions
from slipway.bot.clouds.simulated.azure import Conditions, SeedRegion
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import many
from slipway.bot.core.errors import CloudError, CloudErrorKind, ResponsibleParty
from tests.support.azure import CANDIDATE_NUMBER, LATEST_NUMBER, X64, azure_harness, one_version_seed
from tests.support.clock import NOW


async def test_definitions_come_from_all_pages_sorted_by_name() -> None:
    async with azure_harness(page_size=2) as here:
        gallery: ImageVersions = here.gallery
        found = await gallery.definitions()
        assert [definition.name for definition in found] == sorted(
            definition.name for definition in here.azure.seed.definitions
        )
        assert {d.architecture for d in found} == {"x64", "Arm64"}
        assert here.requests("GET") == 4


async def test_versions_come_from_all_pages_at_one_call_a_page() -> None:
    async with azure_harness(page_size=5) as here:
        found = await here.gallery.versions(X64)
        assert len(found) == 14
        assert here.requests("GET") == 3


@pytest.mark.parametrize("page_size", [1, 14, 15])
async def test_paging_loses_nothing_at_the_edges(page_size: int) -> None:
    async with azure_harness(page_size=page_size) as here:
        assert len(await here.gallery.versions(X64)) == 14


async def test_a_version_is_read_with_everything_that_rules_look_at() -> None:
    seed = one_version_seed(
        end_of_life=datetime(2027, 5, 1, tzinfo=UTC),
        tags={"owner": "fedora-cloud"},
        regions=(SeedRegion("East US", None, 3), SeedRegion("westeurope", False, 1)),
    )
    seed = type(seed)(seed.definitions, location="East US")
    async with azure_harness(seed) as here:
        found = await here.gallery.version(X64, CANDIDATE_NUMBER)
    assert found.number == CANDIDATE_NUMBER
    assert found.excluded
    assert found.state is VersionState.SUCCEEDED
    assert found.published_at == NOW - timedelta(days=2)
    assert found.end_of_life == datetime(2027, 5, 1, tzinfo=UTC)
    assert found.tags == {"owner": "fedora-cloud"}
    assert [(r.name, r.replicas, r.excluded) for r in found.regions] == [
        ("eastus", 3, None),
        ("westeurope", 1, False),
    ]
    assert found.launch_regions == {"westeurope"}


async def test_null_flag_and_null_end_of_life_mean_promoted_and_endless() -> None:
    async with azure_harness(one_version_seed(excluded=None)) as here:
        found = await here.gallery.version(X64, CANDIDATE_NUMBER)
        assert found.excluded is False
        assert found.end_of_life is None


async def test_a_state_that_azure_may_add_later_is_unknown_by_its_own_word_and_nothing_is_written() -> None:
    async with azure_harness(one_version_seed(state="Hiber\nnating")) as here:
        found = await here.gallery.version(X64, CANDIDATE_NUMBER)
        with pytest.raises(CloudError, match="the version is “Hiber\ufffdnating” right now") as caught:
            await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        assert here.azure.writes == []
    assert (found.state, found.state_title) == (VersionState.UNKNOWN, "Hiber\ufffdnating")
    assert caught.value.kind is CloudErrorKind.CONFLICT


@pytest.mark.parametrize(
    ("definition", "number"),
    [
        (X64, VersionNumber(1, 2, 3)),
        ("Fedora-Cloud-99-x64", CANDIDATE_NUMBER),
        ("..", CANDIDATE_NUMBER),
        ("a/b?c", CANDIDATE_NUMBER),
    ],
)
async def test_what_is_not_there_is_not_found(definition: str, number: VersionNumber) -> None:
    async with azure_harness() as here:
        with pytest.raises(CloudError) as caught:
            await here.gallery.version(definition, number)
    assert caught.value.kind is CloudErrorKind.NOT_FOUND


async def test_versions_of_an_unknown_definition_are_an_error_not_an_empty_list() -> None:
    async with azure_harness() as here:
        with pytest.raises(CloudError, match=r"list the versions of Nope.*ResourceNotFound") as caught:
            await here.gallery.versions("Nope")
    assert caught.value.kind is CloudErrorKind.NOT_FOUND


@pytest.mark.parametrize("name", ["43.2026", "43.20261118.00", "latest"])
async def test_a_version_of_an_odd_name_is_named_and_spoils_nothing(name: str) -> None:
    async with azure_harness(one_version_seed(name)) as here:
        found = await here.gallery.versions(X64)
    assert list(found) == []
    assert [str(each) for each in found.unreadable] == [f"{name} is no version"]


async def test_promoting_makes_the_candidate_latest_and_touches_nothing_else() -> None:
    async with azure_harness(polls=3) as here:
        record = here.azure.state.version(X64, str(CANDIDATE_NUMBER))
        before = record.document["properties"]
        await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        assert here.azure.latest(X64, "westeurope") == str(CANDIDATE_NUMBER)
        after = here.azure.state.version(X64, str(CANDIDATE_NUMBER)).document["properties"]
        assert after["provisioningState"] == "Succeeded"
        assert after["publishingProfile"] == {**before["publishingProfile"], "excludeFromLatest": False}
        assert (
            after["storageProfile"]["osDiskImage"]["source"]
            == before["storageProfile"]["osDiskImage"]["source"]
        )
        assert record.document["tags"] == {"owner": "fedora-cloud", "release": "43"}


async def test_a_region_with_a_flag_of_its_own_follows_and_one_without_stays_without() -> None:
    regions = (SeedRegion("eastus", True), SeedRegion("westeurope", None), SeedRegion("southeastasia", False))
    async with azure_harness(one_version_seed(regions=regions)) as here:
        await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        shown = here.azure.snapshot()["definitions"][X64]["versions"][str(CANDIDATE_NUMBER)]
        assert shown["excluded"] is False
        assert shown["regions"] == {"eastus": False, "westeurope": None, "southeastasia": False}
        assert here.azure.latest(X64, "eastus") == str(CANDIDATE_NUMBER)


async def test_a_promoted_version_whose_region_is_kept_out_still_gets_its_write() -> None:
    regions = (SeedRegion("eastus", True), SeedRegion("westeurope"))
    async with azure_harness(one_version_seed(excluded=False, regions=regions)) as here:
        await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        assert here.azure.latest(X64, "eastus") == str(CANDIDATE_NUMBER)


async def test_what_is_so_already_is_not_written_again() -> None:
    async with azure_harness() as here:
        await here.gallery.set_promoted(X64, LATEST_NUMBER, promoted=True)
        assert here.azure.writes == []


@pytest.mark.parametrize("location_only", [False, True])
async def test_deleting_waits_until_the_version_is_gone(location_only: bool) -> None:
    async with azure_harness(polls=2, location_only=location_only) as here:
        await here.gallery.delete_version(X64, CANDIDATE_NUMBER)
        assert not here.has(CANDIDATE_NUMBER)
        await here.gallery.delete_version(X64, CANDIDATE_NUMBER)
        assert here.requests("DELETE") == 2


async def test_deleting_what_another_delete_is_taking_away_waits_for_that_one() -> None:
    async with azure_harness(polls=2) as here:
        await asyncio.gather(*(here.gallery.delete_version(X64, CANDIDATE_NUMBER) for _ in range(3)))
        assert not here.has(CANDIDATE_NUMBER)


async def test_a_version_protected_until_its_end_of_life_is_a_conflict_with_azures_code() -> None:
    seed = one_version_seed(end_of_life=NOW + timedelta(days=9), block_deletion_before_end_of_life=True)
    async with azure_harness(seed) as here:
        with pytest.raises(CloudError, match="DeleteGalleryImageVersionBlockedBeforeEndOfLife") as caught:
            await here.gallery.delete_version(X64, CANDIDATE_NUMBER)
        assert caught.value.kind is CloudErrorKind.CONFLICT
        assert here.has(CANDIDATE_NUMBER)


@pytest.mark.parametrize("setting", ["subscription_id", "resource_group", "gallery"])
async def test_a_place_that_azure_does_not_know_is_for_whoever_runs_slipway_and_nothing_in_it_is_absent(
    setting: str,
) -> None:
    async with azure_harness(more={setting: "elsewhere"}) as here:
        for call in (
            here.gallery.definitions(),
            here.gallery.version(X64, CANDIDATE_NUMBER),
            here.gallery.delete_version(X64, CANDIDATE_NUMBER),
        ):
            with pytest.raises(CloudError, match="configured does not exist there") as caught:
                await call
            assert caught.value.responsible is ResponsibleParty.ADMIN
        assert here.has(CANDIDATE_NUMBER)


async def test_a_change_in_between_is_a_conflict_and_is_not_overwritten() -> None:
    async with azure_harness(conditions=Conditions(entity_tags=True)) as here:
        held = here.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="PUT *"))
        writing = asyncio.create_task(here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True))
        await held.reached.wait()
        here.azure.state.version(X64, str(CANDIDATE_NUMBER)).etag = '"somebody-else"'
        held.release()
        with pytest.raises(CloudError, match="PreconditionFailed") as caught:
            await writing
        assert caught.value.kind is CloudErrorKind.CONFLICT
        assert here.excluded(CANDIDATE_NUMBER) is True


async def test_a_version_in_the_middle_of_something_else_is_a_conflict() -> None:
    async with azure_harness(one_version_seed(state="Creating")) as here:
        with pytest.raises(CloudError, match="creating right now") as caught:
            await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        assert caught.value.kind is CloudErrorKind.CONFLICT
        assert here.azure.writes == []


async def test_after_a_crash_in_the_middle_of_a_write_the_next_try_waits_and_writes_no_more() -> None:
    async with azure_harness(polls=5) as here:
        held = here.azure.faults.add(Fault(kind=FaultKind.HOLD_AFTER, match="PUT *"))
        dying = asyncio.create_task(here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True))
        await held.reached.wait()
        dying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dying
        await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        assert here.azure.state.version(X64, str(CANDIDATE_NUMBER)).state == "Succeeded"
        assert here.requests("PUT") == 1


async def test_a_version_that_a_write_left_failed_is_written_again() -> None:
    async with azure_harness(one_version_seed(excluded=False, state="Failed")) as here:
        await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        assert here.requests("PUT") == 1
        assert (await here.gallery.version(X64, CANDIDATE_NUMBER)).state is VersionState.SUCCEEDED


async def test_no_more_listings_run_at_a_time_than_the_settings_allow() -> None:
    async with azure_harness(many(12, 2, NOW), more={"parallel_listings": 3}) as here:
        first_two = here.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, times=2))
        third = here.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, times=None))
        names = [definition.name for definition in here.azure.seed.definitions]
        listing = asyncio.gather(*(here.gallery.versions(name) for name in names))
        await third.reached.wait()
        for _ in range(200):  # give a fourth one every chance to come
            await asyncio.sleep(0)
        assert len(here.azure.requests) == 3
        first_two.release()
        third.release()
        assert [len(found) for found in await listing] == [2] * 12
        assert here.gallery.parallel_listings == 3


def test_the_sdk_is_not_imported_before_the_first_call() -> None:
    loaded = "any(name.startswith('azure.') for name in sys.modules)"
    code = f"import sys, slipway.bot.clouds.azure.images.gallery; sys.exit({loaded})"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
