"""Bringing a deleted version back on a simulated gallery with soft delete on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from slipway.bot.clouds.model import VersionState
from slipway.bot.clouds.ports.image_removal import KeepsDeletedVersions
from slipway.bot.clouds.ports.image_versions import VersionAbsentError
from slipway.bot.clouds.simulated.azure.conditions import Conditions, Lock, LockLevel
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.azure import (
    CANDIDATE_NUMBER,
    LATEST_NUMBER,
    X64,
    AzureHarness,
    azure_harness,
    publishing_profile,
)
from tests.support.clock import NOW, FakeClock

SOFT = Conditions(soft_delete=True)
WEEK = timedelta(days=7)


@asynccontextmanager
async def gallery(
    clock: FakeClock | None = None, conditions: Conditions = SOFT
) -> AsyncIterator[AzureHarness]:
    async with azure_harness(conditions=conditions, clock=clock or FakeClock()) as here:
        yield here


async def delete(here: AzureHarness, number: object = LATEST_NUMBER) -> None:
    await here.gallery.delete_version(X64, LATEST_NUMBER if number is LATEST_NUMBER else CANDIDATE_NUMBER)
    here.azure.requests.clear()


async def test_what_was_deleted_is_kept_for_a_week_and_no_longer() -> None:
    clock = FakeClock()
    async with gallery(clock) as here:
        assert isinstance(here.gallery, KeepsDeletedVersions)
        assert await here.gallery.deleted_versions(X64) == ()
        await delete(here)
        (kept,) = await here.gallery.deleted_versions(X64)
        assert (kept.number, kept.deleted_at, kept.kept_until) == (LATEST_NUMBER, NOW, NOW + WEEK)
        clock.advance(WEEK)
        assert await here.gallery.deleted_versions(X64) == ()
        with pytest.raises(VersionAbsentError, match="does not keep"):
            await here.gallery.undelete_version(X64, LATEST_NUMBER)


@pytest.mark.parametrize("soft_delete", [None, False])
async def test_a_gallery_without_soft_delete_keeps_nothing_and_is_asked_once(
    soft_delete: bool | None,
) -> None:
    async with gallery(conditions=Conditions(soft_delete=soft_delete)) as here:
        await delete(here)
        for _ in range(3):
            assert await here.gallery.deleted_kept_for() is None
            assert await here.gallery.deleted_versions(X64) == ()
        assert len(here.azure.requests) == 1


async def test_it_comes_back_as_a_candidate_though_it_was_latest() -> None:
    async with gallery() as here:
        before = await here.gallery.version(X64, LATEST_NUMBER)
        publishing_profile(here.azure, X64, str(LATEST_NUMBER))["targetRegions"][0]["excludeFromLatest"] = (
            False
        )
        await delete(here)
        await here.gallery.undelete_version(X64, LATEST_NUMBER)
        after = await here.gallery.version(X64, LATEST_NUMBER)
        assert (after.state, after.excluded, after.launch_regions) == (
            VersionState.SUCCEEDED,
            True,
            frozenset(),
        )
        assert (after.published_at, after.tags) == (before.published_at, before.tags)
        assert [entry.method for entry in here.azure.writes] == ["PUT", "PUT"]
        await here.gallery.undelete_version(X64, LATEST_NUMBER)
        assert len(here.azure.writes) == 2


async def test_a_candidate_comes_back_by_one_write() -> None:
    async with gallery() as here:
        await delete(here, CANDIDATE_NUMBER)
        await here.gallery.undelete_version(X64, CANDIDATE_NUMBER)
        assert len(here.azure.writes) == 1
        assert here.excluded(CANDIDATE_NUMBER)


@pytest.mark.parametrize(
    "kind",
    [FaultKind.ERROR, FaultKind.ERROR_AFTER, FaultKind.DROP, FaultKind.LOST_ANSWER, FaultKind.THROTTLE],
)
async def test_hurt_at_any_write_it_comes_back_once_all_the_same(kind: FaultKind) -> None:
    for after in (0, 1):
        async with gallery() as here:
            await delete(here)
            here.azure.faults.add(Fault(kind=kind, match="PUT *", after=after))
            await here.gallery.undelete_version(X64, LATEST_NUMBER)
            assert here.excluded(LATEST_NUMBER)
            (version,) = [each for each in await here.gallery.versions(X64) if each.number == LATEST_NUMBER]
            assert version.state is VersionState.SUCCEEDED


async def test_a_lock_that_forbids_it_is_told_in_its_own_words() -> None:
    async with gallery() as here:
        await delete(here)
        here.azure.conditions = Conditions(
            soft_delete=True, locks=(Lock(scope=here.azure.seed.gallery_id, level=LockLevel.READ_ONLY),)
        )
        with pytest.raises(CloudError) as caught:
            await here.gallery.undelete_version(X64, LATEST_NUMBER)
        assert caught.value.kind is not CloudErrorKind.THROTTLED
        assert "bring 43.20261111.0" in caught.value.sentence
        assert len(here.azure.writes) == 1


async def test_a_listing_that_cannot_be_read_is_an_error_and_no_empty_one() -> None:
    async with gallery() as here:
        await delete(here)
        entry = '{"name": "43.20261111.0", "location": "eastus", "properties": {"softDeletedTime": "soon"}}'
        body = f'{{"value": [{entry}]}}'
        here.azure.faults.add(Fault(kind=FaultKind.GARBAGE, match="*softDeleted*", body=body))
        with pytest.raises(CloudError) as caught:
            await here.gallery.deleted_versions(X64)
        assert caught.value.kind is CloudErrorKind.UNEXPECTED_ANSWER
        here.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="*softDeleted*"))
        with pytest.raises(CloudError) as caught:
            await here.gallery.deleted_versions(X64)
        assert caught.value.kind is CloudErrorKind.REFUSED
