"""Protecting what is latest from deregistration, and lifting that, on a simulated EC2."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from slipway.bot.clouds.model import ImageVersion, Lock
from slipway.bot.clouds.ports.image_protection import ProtectionSeen, ProtectsVersions
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.ami_families import (
    AWAY,
    FAMILY,
    HOME,
    Stage,
    Stages,
    ami,
    client,
    everywhere,
    number,
)

OLD, NEW = "20261101.0", "20261108.0"
WRITES = (
    "CreateTags",
    "DeleteTags",
    "EnableImageDeregistrationProtection",
    "DisableImageDeregistrationProtection",
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def stage(stages: Stages) -> Stage:
    return await stages.make([*everywhere(OLD), *everywhere(NEW, public=True)], besides=False)


async def seen(here: Stage, which: str = NEW) -> ProtectionSeen:
    (found,) = await here.images.protections([await here.images.version(FAMILY, number(which))])
    return found


async def locks(here: Stage) -> list[Lock]:
    return [each for each in await here.images.locks() if each.definition == FAMILY]


async def test_what_is_protected_nobody_deregisters_in_any_region(stages: Stages) -> None:
    here = await stage(stages)
    assert isinstance(here.images, ProtectsVersions)
    assert await seen(here) == ProtectionSeen()
    await here.images.protect_version(FAMILY, number(NEW))
    assert await seen(here) == ProtectionSeen(on=True, ours=True)
    amis = await here.amis()
    assert {amis[NEW, region]["tags"]["slipway:protected"] for region in (HOME, AWAY)} == {"slipway"}
    assert "slipway:protected" not in (await here.images.version(FAMILY, number(NEW))).tags
    for region in (HOME, AWAY):
        image = await here.id(NEW, region)
        with pytest.raises(ClientError, match="OperationNotPermitted"):
            await asyncio.to_thread(client(here.aws.url, region).deregister_image, ImageId=image)
    with pytest.raises(CloudError, match="a protection of the image"):
        await here.images.delete_version(FAMILY, number(NEW))
    assert {each.ours for each in await locks(here)} == {True}
    assert {each.cooldown for each in await locks(here)} == {timedelta(hours=24)}


async def test_nothing_is_written_where_it_is_protected_already(stages: Stages) -> None:
    here = await stage(stages)
    await here.images.protect_version(FAMILY, number(NEW))
    here.aws.requests.clear()
    await here.images.protect_version(FAMILY, number(NEW))
    assert here.labels(WRITES) == []


async def test_after_it_is_lifted_ec2_keeps_it_for_a_day_and_says_until_when(stages: Stages) -> None:
    here = await stage(stages)
    await here.images.protect_version(FAMILY, number(NEW))
    await here.images.lift_protection(FAMILY, number(NEW))
    assert await seen(here) == ProtectionSeen()
    assert all("slipway:protected" not in each["tags"] for each in (await here.amis()).values())
    found = await locks(here)
    assert len(found) == 2
    assert all(each.until is not None for each in found)
    with pytest.raises(CloudError, match="OperationNotPermitted"):
        await here.images.delete_version(FAMILY, number(NEW))


async def test_without_a_cool_down_it_can_be_deleted_once_it_is_lifted(stages: Stages) -> None:
    here = await stage(stages)
    here.images = stages.without_cooldown(here)
    assert here.images.protection_title == "EC2's deregistration protection"
    await here.images.protect_version(FAMILY, number(NEW))
    assert {each.cooldown for each in await locks(here)} == {timedelta()}
    await here.images.lift_protection(FAMILY, number(NEW))
    assert await locks(here) == []
    await here.images.delete_version(FAMILY, number(NEW))
    assert {which for which, _ in await here.amis()} == {OLD}


async def test_what_somebody_else_protects_is_left_as_it_is(stages: Stages) -> None:
    here = await stages.make(
        [ami(NEW, HOME, public=True, protected=True), ami(NEW, AWAY, public=True)], besides=False
    )
    assert await seen(here) == ProtectionSeen(others=True)
    await here.images.protect_version(FAMILY, number(NEW))
    assert await seen(here) == ProtectionSeen(on=True, ours=True, others=True)
    await here.images.lift_protection(FAMILY, number(NEW))
    assert await seen(here) == ProtectionSeen(others=True)
    (theirs, ours) = sorted(await locks(here), key=lambda lock: lock.until is not None)
    assert (theirs.ours, theirs.until) == (False, None)
    assert f"in {AWAY}" in ours.name


async def test_whoever_asks_can_stop_it_before_each_write(stages: Stages) -> None:
    here = await stage(stages)

    def never(_found: ImageVersion) -> None:
        raise CloudError(CloudErrorKind.CONFLICT, cloud="aws", sentence="Stop.")

    with pytest.raises(CloudError, match=r"Stop\."):
        await here.images.protect_version(FAMILY, number(NEW), guard=never)
    assert here.labels(WRITES) == []


@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.ERROR_AFTER])
async def test_cut_off_at_any_request_and_begun_again_it_ends_the_same(
    stages: Stages, kind: FaultKind
) -> None:
    here = await stage(stages)

    async def carry(change: Any) -> None:
        await here.cut_off_until_done(lambda: change(FAMILY, number(NEW)), kind, within=60)

    await carry(here.images.protect_version)
    assert await seen(here) == ProtectionSeen(on=True, ours=True)
    await carry(here.images.lift_protection)
    assert await seen(here) == ProtectionSeen()
