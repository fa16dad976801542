"""Families listed from a simulated EC2 with unmodified boto3."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from slipway.bot.clouds.aws.images.gallery import AwsImages
from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.model import VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, VersionAbsentError
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Promote
from slipway.bot.subjects.images.steps import SetExcluded
from tests.support.ami_families import (
    AWAY,
    FAMILY,
    HOME,
    ami,
    aws_images,
    everywhere,
    family,
    number,
    simulated_amis,
)
from tests.support.aws import aws_settings
from tests.support.clock import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = (
    *everywhere("20261101.0", public=True),
    *everywhere("20261108.0"),
    ami("20261108.1", HOME, tags={"owner": "fedora-cloud"}),
    ami("20261109.0", HOME, state="disabled"),
    ami("20261110.0", AWAY, protected=True),
    ami("20261111.0", family="Something-else-{date}.{respin}"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_amis(SEED) as simulated:
        yield simulated


@pytest_asyncio.fixture(loop_scope="module")
async def images(aws: SimulatedAws) -> AsyncIterator[AwsImages]:
    aws.faults.clear()
    aws.requests.clear()
    async with aws_images(aws.url, page_size=5) as adapter:
        yield adapter


async def test_definitions_are_the_families_and_cost_no_call(aws: SimulatedAws, images: AwsImages) -> None:
    (found,) = await images.definitions()
    assert (found.name, found.cloud) == (FAMILY, "aws")
    assert aws.requests == []


async def test_versions_are_the_images_of_one_name_in_the_regions(images: AwsImages) -> None:
    found = {str(each.number): each for each in await images.versions(FAMILY)}
    assert sorted(found) == [
        "43.20261101.0",
        "43.20261108.0",
        "43.20261108.1",
        "43.20261109.0",
        "43.20261110.0",
    ]
    assert found["43.20261101.0"].launch_regions == {HOME, AWAY}
    assert found["43.20261108.0"].excluded
    assert [each.name for each in found["43.20261108.1"].regions] == [HOME]
    assert found["43.20261108.1"].tags == {"owner": "fedora-cloud"}
    assert found["43.20261109.0"].state is VersionState.DISABLED


async def test_a_family_is_listed_by_its_owner_and_pattern_in_each_region(
    aws: SimulatedAws, images: AwsImages
) -> None:
    await images.versions(FAMILY.lower())
    asked = list(aws.forms)[-len(aws.requests) :]
    assert {each["Owner.1"] for each in asked} == {"self"}
    assert {each["Filter.1.Value.1"] for each in asked} == {"Fedora-Cloud-Base-AmazonEC2.x86_64-43-*.*"}
    assert all(each["IncludeDeprecated"] == each["IncludeDisabled"] == "true" for each in asked)


async def test_a_plan_over_several_families_lists_them_once_together(aws: SimulatedAws) -> None:
    families = {
        FAMILY: family(parameter="/fedora/latest"),
        "other": family(name="Something-else-{date}.{respin}", parameter="/other/latest"),
    }
    adapter = AwsImages(aws_settings(aws.url), CloudContext("aws", "slipway", {}, families=families))
    catalogue = Catalogue(Clouds([Adapter("aws", {IMAGE_VERSIONS: adapter})]))
    try:
        found = await catalogue.listed("*")
        assert {ref.name: len(versions) for ref, versions in found.items()} == {FAMILY: 5, "other": 1}
        for seen in (catalogue.observing()[0], catalogue.observing()[0]):
            aws.requests.clear()
            draft = await PromotePlanner(seen).plan(Promote(definition="*"), NOW)
            assert {step.definition for step in draft.steps if isinstance(step, SetExcluded)} == {
                FAMILY,
                "other",
            }
            calls = Counter(each.label for each in aws.requests)
            assert calls["DescribeImages"] == 2, "one a region for versions, previews and locks of both"
            assert calls["GetParameters"] == 2, "one a region for the parameters of both"
    finally:
        await adapter.close()


async def test_all_pages_are_read(aws: SimulatedAws) -> None:
    async with aws_images(aws.url, page_size=2) as adapter:
        aws.requests.clear()
        assert len(await adapter.versions(FAMILY)) == 5
    assert len(aws.requests) > 2


@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.THROTTLE, FaultKind.REFUSE, FaultKind.GARBAGE])
async def test_a_region_or_page_that_fails_fails_the_listing(
    aws: SimulatedAws, images: AwsImages, kind: FaultKind
) -> None:
    aws.faults.add(Fault(kind=kind, match="DescribeImages", after=1))
    with pytest.raises(CloudError) as caught:
        await images.versions(FAMILY)
    assert f"list the versions of {FAMILY}" in caught.value.sentence


async def test_one_version_is_shown_by_one_call_a_region(aws: SimulatedAws, images: AwsImages) -> None:
    found = await images.version(FAMILY, number("20261108.0"))
    assert [each.name for each in found.regions] == [AWAY, HOME]
    assert len(aws.requests) == 2


@pytest.mark.parametrize("wanted", [number("20261231.0"), VersionNumber(44, 20261101, 0)])
async def test_a_version_that_is_in_no_region_is_absent(images: AwsImages, wanted: VersionNumber) -> None:
    with pytest.raises(VersionAbsentError) as caught:
        await images.version(FAMILY, wanted)
    assert f"show {wanted} of {FAMILY}" in caught.value.sentence


async def test_absence_is_not_believed_where_a_region_cannot_be_asked(
    aws: SimulatedAws, images: AwsImages
) -> None:
    aws.faults.add(Fault(kind=FaultKind.ERROR, match="DescribeImages", after=1))
    with pytest.raises(CloudError) as caught:
        await images.version(FAMILY, number("20261231.0"))
    assert not isinstance(caught.value, VersionAbsentError)


async def test_a_family_that_is_not_configured_is_not_found(images: AwsImages) -> None:
    with pytest.raises(CloudError) as caught:
        await images.versions("Fedora-Cloud-99-x64")
    assert caught.value.kind is CloudErrorKind.NOT_FOUND
    assert "no family of that name" in caught.value.sentence


async def test_protection_from_deregistration_is_a_lock_of_the_version(images: AwsImages) -> None:
    (lock,) = await images.locks()
    assert lock.holds(FAMILY, number("20261110.0"))
    assert not lock.holds(FAMILY, number("20261101.0"))
    assert f"in {AWAY}" in lock.name


async def test_several_families_of_an_owner_are_listed_together(aws: SimulatedAws) -> None:
    both = {FAMILY: family(), "Something-else": family(name="Something-else-{date}.{respin}")}
    async with aws_images(aws.url, both) as adapter:
        aws.requests.clear()
        assert len(await adapter.versions("something-else")) == 1
        aws.requests.clear()
        await adapter.locks()
    assert len(aws.requests) == 2


async def test_an_image_is_the_version_of_its_name_if_it_is_that_very_ami(
    aws: SimulatedAws, images: AwsImages
) -> None:
    seeded = SEED[0]
    ours = MachineImage(
        id=seeded.id,
        name=seeded.name,
        architecture=seeded.architecture,
        state="available",
        owner=seeded.owner,
        region=HOME,
        cloud="aws",
        launchable=True,
    )
    assert await images.version_of_image(ours) == (FAMILY, VersionNumber(43, 20261101, 0))
    assert await images.version_of_image(replace(ours, id="ami-0f00f00f00f00f00f")) is None
    aws.requests.clear()
    assert await images.version_of_image(replace(ours, name="Something else")) is None
    assert aws.requests == []
