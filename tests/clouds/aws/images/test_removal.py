"""Disabling, restoring and deregistering on a simulated EC2."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.clouds.ports.image_removal import DisablesVersions
from slipway.bot.clouds.ports.image_versions import VersionAbsentError
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.ami_families import AWAY, FAMILY, HOME, Stage, Stages, everywhere, number
from tests.support.clock import DAY, NOW

OLD, NEW = "20261101.0", "20261108.0"
WRITES = (
    "CreateTags",
    "DeleteTags",
    "EnableImageDeprecation",
    "DisableImageDeprecation",
    "DisableImage",
    "EnableImage",
    "DeregisterImage",
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def stage(stages: Stages, **old: Any) -> Stage:
    """A family whose older version is to go; nothing follows what is latest."""
    return await stages.make([*everywhere(OLD, **old), *everywhere(NEW, public=True)], besides=False)


async def test_a_disabled_version_is_deprecated_launches_nowhere_and_says_since_when(stages: Stages) -> None:
    here = await stage(stages, public=True)
    assert isinstance(here.images, DisablesVersions)
    await here.images.disable_version(FAMILY, number(OLD))
    found = await here.images.version(FAMILY, number(OLD))
    assert found.state is VersionState.DISABLED
    assert found.excluded
    assert found.disabled_since == NOW
    amis = await here.amis()
    assert {amis[OLD, region]["state"] for region in (HOME, AWAY)} == {"disabled"}
    assert amis[OLD, HOME]["tags"] == {"slipway:disabled": f"{NOW:%Y-%m-%dT%H:%M:%SZ} deprecated"}
    assert amis[OLD, HOME]["deprecated_at"] is not None


async def test_nothing_of_another_version_changes(stages: Stages) -> None:
    here = await stage(stages)
    before = (await here.amis())[NEW, HOME]
    await here.images.disable_version(FAMILY, number(OLD))
    await here.images.delete_version(FAMILY, number(OLD))
    assert (await here.amis())[NEW, HOME] == before


async def test_a_restored_version_is_as_a_candidate_was(stages: Stages) -> None:
    here = await stage(stages)
    before = (await here.amis())[OLD, AWAY]
    await here.images.disable_version(FAMILY, number(OLD))
    await here.images.restore_version(FAMILY, number(OLD))
    assert (await here.amis())[OLD, AWAY] == before
    await here.images.restore_version(FAMILY, number(OLD))
    assert (await here.images.version(FAMILY, number(OLD))).state is VersionState.SUCCEEDED


async def test_a_time_of_deprecation_that_was_there_stays(stages: Stages) -> None:
    here = await stage(stages, deprecated_at=NOW + 90 * DAY)
    await here.images.disable_version(FAMILY, number(OLD))
    await here.images.restore_version(FAMILY, number(OLD))
    assert (await here.amis())[OLD, HOME]["deprecated_at"].startswith("2027-02-18")


async def test_a_deleted_version_is_gone_with_its_snapshots(stages: Stages) -> None:
    here = await stage(stages)
    snapshots = {each["snapshot"] for (which, _), each in (await here.amis()).items() if which == OLD}
    await here.images.disable_version(FAMILY, number(OLD))
    await here.images.delete_version(FAMILY, number(OLD))
    with pytest.raises(VersionAbsentError):
        await here.images.version(FAMILY, number(OLD))
    assert not snapshots & set((await here.aws.state())["snapshots"])
    await here.images.delete_version(FAMILY, number(OLD))


async def test_a_protected_version_is_not_deleted_and_says_so(stages: Stages) -> None:
    here = await stage(stages, protected=True)
    with pytest.raises(CloudError) as caught:
        await here.images.delete_version(FAMILY, number(OLD))
    assert caught.value.kind is CloudErrorKind.CONFIGURATION
    assert "or a protection of the image, forbids it (OperationNotPermitted)" in caught.value.sentence
    assert len(await here.amis()) == 4


async def test_whoever_asks_can_stop_it_before_each_write(stages: Stages) -> None:
    here = await stage(stages)

    def never(_found: ImageVersion) -> None:
        raise CloudError(CloudErrorKind.CONFLICT, cloud="aws", sentence="Stop.")

    for change in (here.images.disable_version, here.images.delete_version):
        with pytest.raises(CloudError, match=r"Stop\."):
            await change(FAMILY, number(OLD), guard=never)
    assert here.labels(WRITES) == []


@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.ERROR_AFTER])
async def test_cut_off_at_any_request_and_begun_again_it_ends_the_same(
    stages: Stages, kind: FaultKind
) -> None:
    """Disabled, restored, disabled and deleted, each cut off one request later than before until it is done."""
    here = await stage(stages)
    before = await here.amis()

    async def carry(change: Any) -> None:
        await here.cut_off_until_done(lambda: change(FAMILY, number(OLD)), kind, within=100)

    await carry(here.images.disable_version)
    disabled = await here.amis()
    assert {disabled[OLD, region]["state"] for region in (HOME, AWAY)} == {"disabled"}
    await carry(here.images.restore_version)
    assert await here.amis() == before
    await carry(here.images.disable_version)
    await carry(here.images.delete_version)
    assert set(await here.amis()) == {(NEW, HOME), (NEW, AWAY)}


async def test_a_lost_answer_to_a_deregistration_is_no_failure_where_the_image_is_gone(
    stages: Stages,
) -> None:
    here = await stage(stages)
    here.aws.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="DeregisterImage", times=None))
    await here.images.delete_version(FAMILY, number(OLD))
    assert set(await here.amis()) == {(NEW, HOME), (NEW, AWAY)}
