"""Having a simulated Azure refuse to delete a version, by its safety profile or a lock, and lifting that again."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.ports.image_protection import ProtectionSeen, ProtectsVersions
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion
from slipway.bot.clouds.simulated.azure.conditions import Conditions, Lock, LockLevel
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.azure import LATEST, LATEST_NUMBER, X64, AzureHarness, azure_harness
from tests.support.clock import DAY, NOW

BY = ("end-of-life", "lock")
OURS = ProtectionSeen(on=True, ours=True)


def seed(**more: Any) -> Seed:
    """One definition with one version that has an end of life, unless told otherwise."""
    given: dict[str, Any] = {"end_of_life": NOW + 300 * DAY, "tags": {"owner": "fedora-cloud"}, **more}
    version = SeedVersion(
        name=LATEST, published_at=NOW - 9 * DAY, excluded=False, regions=(SeedRegion("eastus"),), **given
    )
    return Seed((SeedDefinition(X64, "x64", (version,)),))


def harness(by: str, held: Seed | None = None, **how: Any) -> AbstractAsyncContextManager[AzureHarness]:
    return azure_harness(held or seed(), more={"protection": by}, polls=0, **how)


async def seen(here: AzureHarness) -> ProtectionSeen:
    (found,) = await here.gallery.protections([await here.gallery.version(X64, LATEST_NUMBER)])
    return found


async def protect(here: AzureHarness, **more: Any) -> tuple[str, ...]:
    return await here.gallery.protect_version(X64, LATEST_NUMBER, **more)


async def lift(here: AzureHarness) -> tuple[str, ...]:
    return await here.gallery.lift_protection(X64, LATEST_NUMBER)


def writes(here: AzureHarness) -> list[tuple[str, int | None]]:
    return [(each.method, each.status) for each in here.azure.requests if each.method != "GET"]


@pytest.mark.parametrize(
    ("by", "code"),
    [("end-of-life", "DeleteGalleryImageVersionBlockedBeforeEndOfLife"), ("lock", "ScopeLocked")],
)
async def test_what_is_protected_azure_refuses_to_delete_until_it_is_lifted(by: str, code: str) -> None:
    async with harness(by) as here:
        assert isinstance(here.gallery, ProtectsVersions)
        before = await here.gallery.version(X64, LATEST_NUMBER)
        assert await seen(here) == ProtectionSeen()
        assert await protect(here) == ()
        assert await seen(here) == OURS
        with pytest.raises(CloudError) as caught:
            await here.gallery.delete_version(X64, LATEST_NUMBER)
        assert (caught.value.kind, caught.value.code) == (CloudErrorKind.CONFLICT, code)
        assert await lift(here) == ()
        assert await seen(here) == ProtectionSeen()
        assert await here.gallery.version(X64, LATEST_NUMBER) == before
        await here.gallery.delete_version(X64, LATEST_NUMBER)
        assert not here.has(LATEST_NUMBER)


@pytest.mark.parametrize("by", BY)
async def test_it_is_written_once_and_lifted_once(by: str) -> None:
    async with harness(by) as here:
        await protect(here)
        await protect(here)
        await lift(here)
        await lift(here)
        assert len(writes(here)) == 2


async def test_the_lock_names_the_version_alone_and_forbids_deleting_alone() -> None:
    async with harness("lock") as here:
        await protect(here)
        (lock,) = await here.gallery.locks()
        assert (lock.name, lock.definition, lock.version) == ("slipway-slipway", X64.casefold(), LATEST)
        assert (lock.ours, lock.read_only) == (True, False)
        await here.gallery.set_promoted(X64, LATEST_NUMBER, promoted=False)


async def test_the_note_of_a_block_is_no_tag_that_people_see() -> None:
    async with harness("end-of-life") as here:
        await protect(here)
        found = await here.gallery.version(X64, LATEST_NUMBER)
        assert (found.tags, found.kept_by_us) == ({"owner": "fedora-cloud"}, True)
        (listed,) = await here.gallery.versions(X64)
        assert (listed.tags, listed.kept_by_us) == ({"owner": "fedora-cloud"}, True)


@pytest.mark.parametrize("by", BY)
async def test_what_others_protect_is_protected_already_and_never_lifted(by: str) -> None:
    """By a lock on the gallery, and by a block that bears no note of this Slipway's."""
    async with harness(by) as here:
        here.azure.state.conditions = Conditions(locks=(Lock(scope=here.azure.seed.gallery_id),))
        assert await seen(here) == ProtectionSeen(on=True, others=True)
        await protect(here)
        await lift(here)
        assert await seen(here) == ProtectionSeen(on=True, others=True)
        here.azure.state.conditions = Conditions()
        record = here.azure.state.version(X64, LATEST)
        record.document["properties"]["safetyProfile"]["blockDeletionBeforeEndOfLife"] = True
        record.document["tags"]["slipway:protected"] = "another-slipway"
        await protect(here)
        await lift(here)
        assert await seen(here) == ProtectionSeen(on=True, others=True)
        assert writes(here) == []


async def test_what_is_configured_otherwise_by_now_is_lifted_all_the_same() -> None:
    for before, now in (BY, BY[::-1]):
        async with harness(before) as here:
            await protect(here)
            async with azure_again(here, now) as other:
                await other.gallery.lift_protection(X64, LATEST_NUMBER)
                await other.gallery.delete_version(X64, LATEST_NUMBER)


def azure_again(here: AzureHarness, by: str) -> AbstractAsyncContextManager[AzureHarness]:
    """Another adapter for the same simulator."""
    from contextlib import asynccontextmanager

    from slipway.bot.clouds.azure.images.gallery import AzureGallery
    from tests.support.azure import QUICK, azure_settings
    from tests.support.clouds import cloud_context

    @asynccontextmanager
    async def made() -> Any:
        gallery = AzureGallery(
            azure_settings(here.azure, protection=by), cloud_context("azure"), timing=QUICK
        )
        try:
            yield AzureHarness(here.azure, gallery)
        finally:
            await gallery.close()

    return made()


@pytest.mark.parametrize("ends", [None, NOW - DAY])
async def test_without_an_end_of_life_to_come_there_is_nothing_to_block(ends: Any) -> None:
    async with harness("end-of-life", seed(end_of_life=ends)) as here:
        assert "and Azure blocks deletion only before one" in (await seen(here)).obstacle
        with pytest.raises(CloudError, match="end of life, and Azure blocks deletion only before one"):
            await protect(here)
    async with harness("lock", seed(end_of_life=ends)) as here:
        assert (await seen(here)).obstacle == ""
        await protect(here)
        assert await seen(here) == OURS


async def test_without_the_right_to_locks_the_refusal_names_it() -> None:
    async with harness("lock", conditions=Conditions(lock_rights=False)) as here:
        with pytest.raises(CloudError) as caught:
            await protect(here)
        assert caught.value.kind is CloudErrorKind.REFUSED
        assert "Microsoft.Authorization/locks/write" in f"{caught.value.sentence} {caught.value.reason}"


@pytest.mark.parametrize("by", BY)
async def test_whoever_asks_can_stop_it_before_it_is_written(by: str) -> None:
    def never(_found: ImageVersion) -> None:
        raise CloudError(CloudErrorKind.CONFLICT, cloud="azure", sentence="Stop.")

    async with harness(by) as here:
        with pytest.raises(CloudError, match=r"Stop\."):
            await protect(here, guard=never)
        assert writes(here) == []


@pytest.mark.parametrize("by", BY)
async def test_a_lost_answer_is_no_failure_where_its_effect_shows(by: str) -> None:
    async with harness(by) as here:
        here.azure.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="PUT"))
        await protect(here)
        assert await seen(here) == OURS


async def test_a_lock_that_forbids_every_change_is_in_the_way_of_a_block() -> None:
    """It protects the version by itself, so nothing is written."""
    async with harness("end-of-life") as here:
        here.azure.state.conditions = Conditions(
            locks=(Lock(scope=here.azure.seed.gallery_id, level=LockLevel.READ_ONLY),)
        )
        await protect(here)
        assert writes(here) == []
