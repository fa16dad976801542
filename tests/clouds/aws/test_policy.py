"""``deploy/aws-policy.json`` against what is sent: each request of the adapter is allowed, and nothing else is."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.aws.tags import DEPLOYMENT_TAG
from slipway.bot.clouds.machine_model import Leftover, Template
from slipway.bot.clouds.simulated.aws.simulator import DRY_RUN
from tests.support.aws import (
    aws_settings,
    boto3_client,
    call_in_thread,
    launch_spec,
    simulated_aws,
    unique_name,
)
from tests.support.clouds import cloud_context
from tests.support.quality import ROOT

DEPLOYMENT = "slipway"
"""As the policy has it: whoever names theirs otherwise changes it there."""

Statement = Mapping[str, Any]

_OTHERS = {"ec2:CreateLaunchTemplate", "ec2:CreateNetworkInterface", "ec2:CreateVolume"}
"""What the test itself makes, with plain boto3."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


_SERVICES = {"GetMetricData": "cloudwatch", "GetServiceQuota": "servicequotas"}
"""Whose actions these are; all others are EC2's."""


@dataclass
class Sent:
    """Every request that the adapter makes, in all its calls: EC2's parameters, and the names of all actions."""

    forms: list[dict[str, str]]
    actions: set[str]

    def only(self, action: str, *, dry: bool = False) -> dict[str, str]:
        """The one request for an action."""
        (form,) = [each for each in self.forms if each["Action"] == action and ("DryRun" in each) is dry]
        return form


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sent() -> AsyncIterator[Sent]:
    """What is sent."""
    async with simulated_aws() as aws:
        ec2 = AwsMachines(aws_settings(aws.url), cloud_context("aws", deployment=DEPLOYMENT))
        try:
            await _everything(ec2, aws.url)
        finally:
            await ec2.close()
        labels = {each.label for each in aws.requests} - {DRY_RUN}
        actions = {f"{_SERVICES.get(label, 'ec2')}:{label}" for label in labels}
        yield Sent(list(aws.forms), actions)


async def _template(ec2: AwsMachines, url: str) -> tuple[Any, Template]:
    """A template that names its groups and its subnet, so that all of them are looked at."""
    client = boto3_client(url)
    subnet = (await call_in_thread(client, "describe_subnets"))["Subnets"][0]["SubnetId"]
    data = {"InstanceType": "t3.small", "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet}]}
    await call_in_thread(
        client, "create_launch_template", LaunchTemplateName="networked", LaunchTemplateData=data
    )
    return client, await ec2.template("networked")


async def _everything(ec2: AwsMachines, url: str) -> None:
    client, template = await _template(ec2, url)
    usual = await launch_spec(ec2, count=2, who="alice")
    spec = replace(usual, template_id=template.id, template_version=template.version)
    token = unique_name("token")
    await ec2.preflight(spec)
    await ec2.launched_with(token)
    made = await ec2.launch(spec, token)
    await ec2.image(spec.image_id)
    await ec2.template_names()
    await ec2.instances()
    await ec2.instance(made[0].id)
    await ec2.launched_with(token)
    await call_in_thread(
        client,
        "create_launch_template",
        LaunchTemplateName="bare",
        LaunchTemplateData={"InstanceType": "t3.small"},
    )
    bare = await ec2.template("bare")  # names no network, so that the default one counts
    await ec2.preflight(replace(usual, template_id=bare.id, template_version=bare.version))
    await ec2.retag(made[0].id, {"slipway:owner": "bob"})
    await ec2.console_output(made[0].id)
    await ec2.health([made[0].id])
    await ec2.activity([made[0].id], timedelta(hours=1))
    await ec2.stop(made[0].id)
    await ec2.start(made[0].id)
    for kind in ("volume", "network interface"):
        await ec2.remove_leftover(Leftover(await _leftover(client, kind), kind, ec2.region, cloud="aws"))
    await ec2.leftovers()
    await ec2.terminate(made[0].id)


async def _leftover(client: Any, kind: str) -> str:
    if kind == "volume":
        made = await call_in_thread(client, "create_volume", AvailabilityZone="us-east-1a", Size=1)
        return str(made["VolumeId"])
    subnet = (await call_in_thread(client, "describe_subnets"))["Subnets"][0]["SubnetId"]
    made = await call_in_thread(client, "create_network_interface", SubnetId=subnet)
    return str(made["NetworkInterface"]["NetworkInterfaceId"])


def _statements() -> list[Statement]:
    """Those about machines; tests/clouds/aws/images/test_policy.py has those about images."""
    found: list[Statement] = json.loads((ROOT / "deploy/aws-policy.json").read_text("utf-8"))["Statement"]
    return [each for each in found if not each["Sid"].startswith("Images")]


def _of(statement: Statement, part: str) -> set[str]:
    value = statement[part]
    return {value} if isinstance(value, str) else set(value)


def _allowing(action: str) -> list[Statement]:
    return [each for each in _statements() if f"ec2:{action}" in _of(each, "Action")]


def _values(form: Mapping[str, str], pattern: str) -> list[str]:
    return [value for name, value in form.items() if re.fullmatch(pattern, name)]


def _resources(statements: list[Statement]) -> set[str]:
    """The types of resources that statements are about: ``instance``, ``image``."""
    names = (arn.rpartition(":")[2] for each in statements for arn in _of(each, "Resource"))
    return {name.partition("/")[0] for name in names}


async def test_each_action_that_is_sent_is_allowed_and_no_other(sent: Sent) -> None:
    allowed = {action for each in _statements() for action in _of(each, "Action")}
    assert sent.actions - _OTHERS == allowed


async def test_a_launch_may_tag_what_it_tags_and_nothing_else(sent: Sent) -> None:
    form = sent.only("RunInstances")
    tagged = _values(form, r"TagSpecification\.\d+\.ResourceType")
    (statement,) = [each for each in _allowing("CreateTags") if "ec2:CreateAction" in str(each["Condition"])]
    assert set(tagged) == _resources([statement])
    assert statement["Condition"] == {"StringEquals": {"ec2:CreateAction": "RunInstances"}}


async def test_a_launch_meets_the_conditions_that_it_is_allowed_under(sent: Sent) -> None:
    form = sent.only("RunInstances")
    assert form["LaunchTemplate.LaunchTemplateId"].startswith("lt-")
    machines = [each for each in _allowing("RunInstances") if "instance" in _resources([each])]
    (statement,) = machines
    asked = statement["Condition"]["StringEquals"]
    assert asked == {f"aws:RequestTag/{DEPLOYMENT_TAG}": DEPLOYMENT}
    assert fnmatchcase(
        f"arn:aws:ec2:eu-west-1:111122223333:launch-template/{form['LaunchTemplate.LaunchTemplateId']}",
        statement["Condition"]["ArnLike"]["ec2:LaunchTemplate"],
    )
    keys = _values(form, r"TagSpecification\.1\.Tag\.\d+\.Key")
    values = _values(form, r"TagSpecification\.1\.Tag\.\d+\.Value")
    assert dict(zip(keys, values, strict=True))[DEPLOYMENT_TAG] == DEPLOYMENT


async def test_what_a_launch_names_besides_comes_from_the_template(sent: Sent) -> None:
    """So the conditions on the template hold for networks, keys and groups: the request names none itself."""
    form = sent.only("RunInstances")
    given = {re.sub(r"\.\d+", "", name).partition(".")[0] for name in form} - {"Action", "Version"}
    assert given == {
        "LaunchTemplate",
        "ImageId",
        "MinCount",
        "MaxCount",
        "ClientToken",
        "InstanceInitiatedShutdownBehavior",
        "TagSpecification",
    }
    (image,) = [each for each in _allowing("RunInstances") if _resources([each]) == {"image"}]
    assert set(image["Condition"]["StringEquals"]) == {"ec2:Owner"}


@pytest.mark.parametrize(
    ("action", "resources"),
    [
        ("TerminateInstances", {"instance"}),
        ("StopInstances", {"instance"}),
        ("StartInstances", {"instance"}),
        ("GetConsoleOutput", {"instance"}),
        ("DeleteVolume", {"volume", "network-interface"}),
        ("DeleteNetworkInterface", {"volume", "network-interface"}),
    ],
)
async def test_only_what_the_deployment_made_may_be_changed(
    sent: Sent, action: str, resources: set[str]
) -> None:
    assert sent.only(action)
    (statement,) = _allowing(action)
    assert _resources([statement]) == resources
    assert statement["Condition"] == {"StringEquals": {f"aws:ResourceTag/{DEPLOYMENT_TAG}": DEPLOYMENT}}


async def test_only_machines_of_the_deployment_may_be_tagged_anew(sent: Sent) -> None:
    assert sent.only("CreateTags")
    (statement,) = [each for each in _allowing("CreateTags") if "ResourceTag" in str(each["Condition"])]
    assert _resources([statement]) == {"instance"}


async def test_the_owners_that_may_be_launched_are_those_that_are_looked_for(
    sent: Sent,
) -> None:
    owners = {owner for form in sent.forms for owner in _values(form, r"Owner\.\d+")}
    (image,) = [each for each in _allowing("RunInstances") if _resources([each]) == {"image"}]
    assert image["Condition"]["StringEquals"]["ec2:Owner"] in owners
