"""What uses a family's AMIs, by a simulated EC2: machines, launch templates, parameters."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from slipway.bot.clouds.aws.images.reading import read_ami
from slipway.bot.clouds.aws.images.usage import launched
from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.simulated.aws.answers import InstanceRefresh
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.disabling import DisableVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.requests import Cleanup
from slipway.bot.subjects.images.steps import DisableVersion
from tests.support.ami_families import (
    AWAY,
    FAMILY,
    HOME,
    Stage,
    Stages,
    add_group,
    client,
    everywhere,
    number,
)
from tests.support.clock import DAY, NOW, POLL_AT_ONCE

POLICY = RetentionSettings(keep_candidates=1)
OLD, MIDDLE, NEW = "20261101.0", "20261105.0", "20261108.0"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def stage(stages: Stages, **settings: Any) -> Stage:
    return await stages.make(
        [*everywhere(OLD), *everywhere(MIDDLE), *everywhere(NEW)], besides=False, **settings
    )


async def test_machines_templates_and_parameters_use_what_they_name(stages: Stages) -> None:
    here = await stage(stages, parameter="/usage/latest")
    ec2, ssm = client(here.aws.url, AWAY), client(here.aws.url, HOME, "ssm")
    old, middle, new = await here.id(OLD, AWAY), await here.id(MIDDLE), await here.id(NEW)
    made = await asyncio.to_thread(ec2.run_instances, ImageId=old, MinCount=1, MaxCount=1)
    machine = made["Instances"][0]["InstanceId"]
    for name, value in (("/usage/latest", new), ("/usage/other", middle)):
        await asyncio.to_thread(ssm.put_parameter, Name=name, Value=value, Type="String")
    templates = client(here.aws.url, HOME)
    for name, image in (("plain", middle), ("following", "resolve:ssm:/usage/other")):
        await asyncio.to_thread(
            templates.create_launch_template, LaunchTemplateName=name, LaunchTemplateData={"ImageId": image}
        )
    found = {(str(each.number), each.by) for each in await here.images.usage(NOW)}
    assert found == {
        (f"43.{OLD}", f"machine {machine} in {AWAY}"),
        (f"43.{MIDDLE}", f"launch template plain in {HOME}"),
        (f"43.{MIDDLE}", f"launch template following in {HOME}"),
        (f"43.{NEW}", f"parameter /usage/latest in {HOME}"),
    }


def template(name: str, version: str) -> dict[str, str]:
    return {"LaunchTemplateName": name, "Version": version}


async def add_template(ec2: Any, name: str, *images: str) -> None:
    """A template with a version for each image, the first of which stays the default one."""
    given = [{"ImageId": image, "InstanceType": "t3.small"} for image in images]
    await asyncio.to_thread(ec2.create_launch_template, LaunchTemplateName=name, LaunchTemplateData=given[0])
    for each in given[1:]:
        await asyncio.to_thread(
            ec2.create_launch_template_version, LaunchTemplateName=name, LaunchTemplateData=each
        )


async def test_whatever_launches_by_itself_uses_what_it_names(stages: Stages) -> None:
    here = await stage(stages, regions=(HOME,))
    old, middle, new = [await here.id(each) for each in (OLD, MIDDLE, NEW)]
    ec2, scaling = client(here.aws.url), client(here.aws.url, service="autoscaling")
    await add_template(ec2, "pinned", new, old, middle, new)
    usual = {"MinSize": 0, "MaxSize": 1, "AvailabilityZones": [f"{HOME}a"]}
    await add_group(here.aws.url, "configured", old)
    policy = {
        "LaunchTemplateSpecification": template("pinned", "$Latest"),
        "Overrides": [
            {"InstanceType": "t3.small", "LaunchTemplateSpecification": template("pinned", "2")},
            {"InstanceType": "t3.micro", "ImageId": middle},
        ],
    }
    for name, wanted in (
        ("web", {"LaunchTemplate": template("pinned", "2")}),
        ("mixed", {"MixedInstancesPolicy": {"LaunchTemplate": policy}}),
    ):
        await asyncio.to_thread(
            scaling.create_auto_scaling_group, AutoScalingGroupName=name, **usual, **wanted
        )
    made = await asyncio.to_thread(
        ec2.create_fleet,
        LaunchTemplateConfigs=[{"LaunchTemplateSpecification": template("pinned", "3")}],
        TargetCapacitySpecification={"TotalTargetCapacity": 0, "DefaultTargetCapacityType": "spot"},
    )
    spot = await asyncio.to_thread(
        ec2.request_spot_fleet,
        SpotFleetRequestConfig={
            "IamFleetRole": "arn:aws:iam::123456789012:role/fleet",
            "TargetCapacity": 1,
            "SpotPrice": "0.1",
            "AllocationStrategy": "lowestPrice",
            "LaunchSpecifications": [{"ImageId": middle, "InstanceType": "t3.small"}],
        },
    )
    asked = await asyncio.to_thread(
        ec2.request_spot_instances,
        Type="persistent",
        LaunchSpecification={"ImageId": old, "InstanceType": "t3.small"},
    )
    here.aws.refreshes["configured"] = [
        InstanceRefresh("pinned", "2"),
        InstanceRefresh("pinned", "3", "Cancelled"),
    ]
    found = {(str(each.number), each.by) for each in await here.images.usage(NOW)}
    second = f"(version 2 of launch template pinned) in {HOME}"
    request = f"spot request {asked['SpotInstanceRequests'][0]['SpotInstanceRequestId']} in {HOME}"
    of_fleets = {(version, by) for version, by in found if by.startswith("spot request") and by != request}
    assert {each for each in found - of_fleets if "machine" not in each[1]} == {
        (f"43.{NEW}", f"launch template pinned in {HOME}"),
        (f"43.{OLD}", f"launch configuration configured in {HOME}"),
        (f"43.{OLD}", f"Auto Scaling group web {second}"),
        (f"43.{OLD}", f"Auto Scaling group mixed {second}"),
        (f"43.{MIDDLE}", f"Auto Scaling group mixed in {HOME}"),
        (f"43.{OLD}", f"an instance refresh of Auto Scaling group configured {second}"),
        (f"43.{MIDDLE}", f"EC2 fleet {made['FleetId']} (version 3 of launch template pinned) in {HOME}"),
        (f"43.{MIDDLE}", f"spot fleet {spot['SpotFleetRequestId']} in {HOME}"),
        (f"43.{OLD}", request),
    }
    gone = Fault(
        kind=FaultKind.NOT_FOUND,
        match="DescribeLaunchTemplateVersions",
        code="InvalidLaunchTemplateId.VersionNotFound",
        after=1,  # the listing
        times=None,
    )
    here.aws.faults.add(gone)
    left = {each.by for each in await here.images.usage(NOW)}
    assert left == {by for _number, by in found if "(version" not in by}
    here.aws.faults.clear()
    for action, words in (
        ("DescribeAutoScalingGroups", "list the Auto Scaling groups in us-east-1"),
        ("DescribeInstanceRefreshes", "list the instance refreshes of configured in us-east-1"),
        ("DescribeSpotFleetRequests", "list the spot fleets in us-east-1"),
    ):
        here.aws.faults.add(Fault(kind=FaultKind.REFUSE, match=action, code="AccessDenied"))
        with pytest.raises(CloudError, match=f"AWS did not {words}: .*lacks the permission"):
            await here.images.usage(NOW)


async def test_an_image_that_is_a_version_of_several_families_is_in_use_in_each(stages: Stages) -> None:
    here = await stage(stages)
    old = await here.id(OLD, AWAY)
    ec2 = client(here.aws.url, AWAY)
    made = await asyncio.to_thread(ec2.run_instances, ImageId=old, MinCount=1, MaxCount=1)
    machine = made["Instances"][0]["InstanceId"]
    found = await stages.under_names(here, "First", "Second").usage(NOW)
    assert {(each.definition, str(each.number)) for each in found if machine in each.by} == {
        ("First", f"43.{OLD}"),
        ("Second", f"43.{OLD}"),
    }


async def test_what_came_into_use_after_the_plan_is_not_disabled(stages: Stages) -> None:
    here = await stage(stages)
    clouds = Clouds([Adapter("aws", {IMAGE_VERSIONS: here.images})])
    draft = await CleanupPlanner(Catalogue(clouds), POLICY).plan(Cleanup(), NOW)
    step = next(each for each in draft.steps if isinstance(each, DisableVersion) and OLD in each.version)
    old = await here.id(OLD)
    await asyncio.to_thread(client(here.aws.url).run_instances, ImageId=old, MinCount=1, MaxCount=1)
    with pytest.raises(CloudError, match=r"is in use by machine i-\w+ in us-east-1; it was not disabled"):
        await DisableVersionExecutor(clouds, RemovalChecks(clouds, POLICY, lambda: NOW), POLL_AT_ONCE).act(
            step, "t"
        )
    assert (await here.amis())[OLD, HOME]["state"] == "available"
    again = await CleanupPlanner(Catalogue(clouds), POLICY).plan(Cleanup(), NOW)
    assert [each.version for each in again.steps if isinstance(each, DisableVersion)] == [f"43.{MIDDLE}"]


async def test_what_was_launched_of_late_is_in_use() -> None:
    ami = read_ami(
        {
            "ImageId": "ami-1",
            "State": "available",
            "Public": False,
            "LastLaunchedTime": "2026-11-10T08:00:00.000Z",
        },
        HOME,
    )
    moment = ami.launched_at
    assert moment is not None
    (use,) = launched(FAMILY, number(OLD), ami, moment - DAY)
    assert use.by == f"a launch of 2026-11-10 in {HOME}"
    assert list(launched(FAMILY, number(OLD), ami, moment)) == []
    assert list(launched(FAMILY, number(OLD), replace(ami, launched_at=None), moment - DAY)) == []
