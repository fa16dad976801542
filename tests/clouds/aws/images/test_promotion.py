"""Promoting and taking back on a simulated EC2: what becomes of AMIs, parameter, template and deprecation."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.simulated.aws.seed import SeedAmi
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.ami_families import (
    AWAY,
    FAMILY,
    HOME,
    REGIONS,
    Stage,
    Stages,
    ami,
    client,
    everywhere,
    number,
)
from tests.support.clock import NOW

OLD, NEW, OLDER = "20261101.0", "20261108.0", "20261025.0"

WRITES = (
    "ModifyImageAttribute",
    "PutParameter",
    "CreateLaunchTemplateVersion",
    "ModifyLaunchTemplate",
    "CreateTags",
    "DeleteTags",
    "EnableImageDeprecation",
    "DisableImageDeprecation",
)


pytestmark = pytest.mark.asyncio(loop_scope="module")


def seeded(*more: SeedAmi) -> list[SeedAmi]:
    """Two versions that are promoted, a newer candidate, and whatever else is wanted."""
    old = everywhere(OLD, public=True, tags={"owner": "fedora-cloud"})
    return [*everywhere(OLDER, public=True), *old, *everywhere(NEW), *more]


def writes(here: Stage) -> list[str]:
    return here.labels(WRITES)


async def end_of(here: Stage) -> dict[str, Any]:
    """All that a promotion may change."""
    return {
        "amis": {
            key: (each["state"], each["permissions"], each["deprecated_at"], each["tags"])
            for key, each in (await here.amis()).items()
        },
        "parameters": {region: await here.parameter(region) for region in REGIONS},
        "template": [
            (each["VersionNumber"], each["DefaultVersion"], each["LaunchTemplateData"])
            for each in await here.template()
        ],
    }


async def test_a_promotion_makes_it_public_in_all_regions_and_brings_all_that_follows_latest(
    stages: Stages,
) -> None:
    here = await stages.make(seeded())
    assert await here.promote(NEW) == ()
    assert {(NEW, HOME), (NEW, AWAY)} <= await here.public()
    assert [await here.parameter(region) for region in REGIONS] == [
        await here.id(NEW, each) for each in REGIONS
    ]
    assert await here.default_image() == await here.id(NEW)
    versions = await here.template()
    assert [each["VersionNumber"] for each in versions] == [1, 2, 3]
    assert versions[-1]["LaunchTemplateData"]["InstanceType"] == "t3.small", "as the default one was"
    assert versions[-1]["VersionDescription"].startswith(f"{FAMILY} 43.{NEW}: ami-")
    amis = await here.amis()
    assert amis[OLD, HOME]["deprecated_at"].startswith("2026-12-20T")
    assert amis[OLD, HOME]["tags"]["slipway:deprecation-before"] == "none"
    assert amis[OLDER, HOME]["deprecated_at"] is None, "it was not what was latest"


async def test_what_was_latest_is_promoted_still(stages: Stages) -> None:
    here = await stages.make(seeded())
    await here.promote(NEW)
    assert {(OLD, HOME), (OLD, AWAY)} <= await here.public()
    found = await here.images.version(FAMILY, number(OLD))
    assert found.end_of_life is not None
    assert found.end_of_life > NOW


async def test_nothing_else_of_any_image_changes(stages: Stages) -> None:
    here = await stages.make(seeded(), besides=False)
    before = await here.amis()
    await here.promote(NEW)
    after = await here.amis()
    for key, each in before.items():
        wanted = {"permissions": [{"Group": "all"}], "deprecated_at": after[key]["deprecated_at"]}
        assert after[key] == (each | wanted if key[0] == NEW else each)


async def test_taking_it_back_brings_everything_back_to_what_is_latest_then(stages: Stages) -> None:
    here = await stages.make(seeded())
    await here.promote(NEW)
    await here.promote(NEW, promoted=False)
    assert (NEW, HOME) not in await here.public()
    assert await here.parameter() == await here.id(OLD)
    assert await here.parameter(AWAY) == await here.id(OLD, AWAY)
    assert await here.default_image() == await here.id(OLD)
    old = (await here.amis())[OLD, HOME]
    assert old["deprecated_at"] is None
    assert old["tags"] == {"owner": "fedora-cloud"}


async def test_a_time_of_deprecation_that_was_there_comes_back_with_a_rollback(stages: Stages) -> None:
    later = everywhere("20261105.0", public=True, deprecated_at=NOW + timedelta(days=300))
    here = await stages.make(seeded(*later))
    await here.promote(NEW)
    assert (await here.amis())["20261105.0", AWAY]["deprecated_at"].startswith("2026-12-20T")
    await here.promote(NEW, promoted=False)
    again = (await here.amis())["20261105.0", AWAY]
    assert again["deprecated_at"].startswith("2027-09-16T12:00")
    assert "slipway:deprecation-before" not in again["tags"]


async def test_an_earlier_time_of_deprecation_is_left_as_it_is(stages: Stages) -> None:
    soon = everywhere("20261105.0", public=True, deprecated_at=NOW + timedelta(days=3))
    here = await stages.make(seeded(*soon))
    before = (await here.amis())["20261105.0", HOME]
    await here.promote(NEW)
    assert (await here.amis())["20261105.0", HOME] == before


async def test_a_version_older_than_latest_moves_nothing_to_itself(stages: Stages) -> None:
    here = await stages.make(seeded(*everywhere("20261020.0")))
    await here.promote("20261020.0")
    assert ("20261020.0", AWAY) in await here.public()
    assert await here.default_image() == await here.id(OLD)
    assert await here.parameter() == await here.id(OLD)


async def test_a_version_that_is_in_one_region_is_promoted_there_alone(stages: Stages) -> None:
    here = await stages.make(seeded(ami("20261109.0", AWAY)))
    await here.promote("20261109.0")
    assert ("20261109.0", AWAY) in await here.public()
    assert await here.parameter(AWAY) == await here.id("20261109.0", AWAY)
    assert await here.parameter() is None
    assert await here.default_image() == await here.id(OLD)


async def test_what_is_so_already_is_not_written_again(stages: Stages) -> None:
    here = await stages.make(seeded())
    await here.promote(NEW)
    here.aws.requests.clear()
    assert await here.promote(NEW) == ()
    assert writes(here) == []


async def test_whoever_asks_is_shown_the_version_before_each_write_and_can_stop_it(stages: Stages) -> None:
    here = await stages.make(seeded())
    shown: list[ImageVersion] = []

    def guard(found: ImageVersion) -> None:
        shown.append(found)
        if len(found.launch_regions) == 1:
            raise CloudError(CloudErrorKind.CONFLICT, cloud="aws", sentence="Stop.")

    with pytest.raises(CloudError, match=r"Stop\."):
        await here.promote(NEW, guard=guard)
    assert [len(each.launch_regions) for each in shown] == [0, 1]
    assert writes(here) == ["ModifyImageAttribute"]
    shown.clear()
    await here.promote(NEW, guard=shown.append)
    assert len(shown) == len(writes(here)) - 1


async def test_a_parameter_that_holds_a_secret_is_not_written(stages: Stages) -> None:
    here = await stages.make(seeded())
    ssm = client(here.aws.url, HOME, "ssm")
    await asyncio.to_thread(ssm.put_parameter, Name=here.parameter_name, Value="x", Type="SecureString")
    with pytest.raises(CloudError) as caught:
        await here.promote(NEW)
    assert "is a SecureString, and no String" in caught.value.sentence
    assert caught.value.kind is CloudErrorKind.CONFIGURATION


async def test_what_still_points_to_the_only_version_that_was_taken_back_is_told(stages: Stages) -> None:
    here = await stages.make(everywhere(NEW, public=True))
    await here.promote(NEW)
    with pytest.raises(CloudError) as caught:
        await here.promote(NEW, promoted=False)
    assert "is taken back, but the parameter" in caught.value.sentence
    assert caught.value.kind is CloudErrorKind.CONFLICT


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("OperationNotPermitted", "a setting of the account in this region, or a protection of the image"),
        ("AuthFailure", "the image is another account's"),
        ("UnauthorizedOperation", "lacks the permission"),
        ("InvalidAMIID.Unavailable", "it is disabled or deregistered"),
        ("InvalidParameterValue", "does not take the request as it is"),
    ],
)
async def test_a_refusal_is_told_as_one_about_images(stages: Stages, code: str, said: str) -> None:
    here = await stages.make(seeded(), besides=False)
    here.aws.faults.add(Fault(kind=FaultKind.REFUSE, match="ModifyImageAttribute", code=code))
    with pytest.raises(CloudError) as caught:
        await here.promote(NEW)
    assert said in caught.value.sentence
    assert "machine" not in caught.value.sentence
    assert "template" not in caught.value.sentence
    assert "instances" not in caught.value.remedy.command


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.LOST_ANSWER])
async def test_a_write_whose_answer_is_lost_is_looked_for_and_not_made_twice(
    stages: Stages, kind: FaultKind
) -> None:
    here = await stages.make(seeded())
    for label in WRITES:
        here.aws.faults.add(Fault(kind=kind, match=label))
    await here.promote(NEW)
    assert len(await here.template()) == 3
    assert writes(here).count("CreateLaunchTemplateVersion") == 1
    assert await here.default_image() == await here.id(NEW)


@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.ERROR_AFTER])
@pytest.mark.parametrize("promoted", [True, False])
async def test_cut_off_at_any_request_and_begun_again_it_ends_the_same(
    stages: Stages, promoted: bool, kind: FaultKind
) -> None:
    """Each time it is cut off one request later than before and begun again, until it was never cut off."""
    which = NEW if promoted else OLD
    here = await stages.make(seeded())
    await here.promote(which, promoted=promoted)
    wanted = _without_ids(await end_of(here))
    here = await stages.make(seeded())
    assert (
        await here.cut_off_until_done(lambda: here.promote(which, promoted=promoted), kind, within=200) > 10
    )
    assert _without_ids(await end_of(here)) == wanted
    assert len([each for each in writes(here) if each == "CreateLaunchTemplateVersion"]) <= 2


def _without_ids(end: dict[str, Any]) -> str:
    """The same of two families, whose AMIs have other ids."""
    text = repr(end)
    for place, each in enumerate(dict.fromkeys(re.findall(r"ami-\w+", text))):
        text = text.replace(each, f"ami #{place}")
    return text
