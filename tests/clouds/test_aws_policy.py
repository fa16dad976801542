"""``deploy/aws-policy.json`` against what is sent: each request of the adapter is allowed, and nothing else is."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest_asyncio

from slipway.bot.clouds.aws.machines import DEPLOYMENT_TAG, AwsMachines
from tests.support.aws import aws_settings, launch_spec, simulated_aws, unique_name
from tests.support.clouds import cloud_context
from tests.support.quality import ROOT

DEPLOYMENT = "slipway"
"""As the policy has it: whoever names theirs otherwise changes it there."""

Statement = Mapping[str, Any]


@pytest_asyncio.fixture
async def sent() -> AsyncIterator[list[dict[str, str]]]:
    """Every request that the adapter makes, in all its calls."""
    async with simulated_aws() as aws:
        ec2 = AwsMachines(aws_settings(aws.url), cloud_context("aws", deployment=DEPLOYMENT))
        try:
            await _everything(ec2)
        finally:
            await ec2.close()
        yield list(aws.forms)


async def _everything(ec2: AwsMachines) -> None:
    spec = await launch_spec(ec2, count=2, who="alice")
    token = unique_name("token")
    await ec2.launched_with(token)
    made = await ec2.launch(spec, token)
    await ec2.image(spec.image_id)
    await ec2.template_names()
    await ec2.instances()
    await ec2.instance(made[0].id)
    await ec2.launched_with(token)
    await ec2.terminate(made[0].id)


def _statements() -> list[Statement]:
    found: list[Statement] = json.loads((ROOT / "deploy/aws-policy.json").read_text("utf-8"))["Statement"]
    return found


def _of(statement: Statement, part: str) -> set[str]:
    value = statement[part]
    return {value} if isinstance(value, str) else set(value)


def _allowing(action: str) -> list[Statement]:
    return [each for each in _statements() if f"ec2:{action}" in _of(each, "Action")]


def _only(forms: list[dict[str, str]], action: str) -> dict[str, str]:
    (form,) = [form for form in forms if form["Action"] == action]
    return form


def _values(form: Mapping[str, str], pattern: str) -> list[str]:
    return [value for name, value in form.items() if re.fullmatch(pattern, name)]


def _resources(statements: list[Statement]) -> set[str]:
    """The types of resources that statements are about: ``instance``, ``image``."""
    names = (arn.rpartition(":")[2] for each in statements for arn in _of(each, "Resource"))
    return {name.partition("/")[0] for name in names}


async def test_each_action_that_is_sent_is_allowed_and_no_other(sent: list[dict[str, str]]) -> None:
    allowed = {action for each in _statements() for action in _of(each, "Action")}
    asked = {f"ec2:{form['Action']}" for form in sent}
    assert allowed - asked == {"ec2:CreateTags"}  # which EC2 asks for where RunInstances tags what it makes
    assert asked <= allowed


async def test_a_launch_may_tag_what_it_tags_and_nothing_else(sent: list[dict[str, str]]) -> None:
    form = _only(sent, "RunInstances")
    tagged = _values(form, r"TagSpecification\.\d+\.ResourceType")
    (statement,) = _allowing("CreateTags")
    assert set(tagged) == _resources([statement])
    assert statement["Condition"] == {"StringEquals": {"ec2:CreateAction": "RunInstances"}}


async def test_a_launch_meets_the_conditions_that_it_is_allowed_under(sent: list[dict[str, str]]) -> None:
    form = _only(sent, "RunInstances")
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


async def test_what_a_launch_names_besides_comes_from_the_template(sent: list[dict[str, str]]) -> None:
    """So the conditions on the template hold for networks, keys and groups: the request names none itself."""
    form = _only(sent, "RunInstances")
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


async def test_only_machines_of_the_deployment_may_be_ended(sent: list[dict[str, str]]) -> None:
    assert _values(_only(sent, "TerminateInstances"), r"InstanceId\.\d+")
    (statement,) = _allowing("TerminateInstances")
    assert _resources([statement]) == {"instance"}
    assert statement["Condition"] == {"StringEquals": {f"aws:ResourceTag/{DEPLOYMENT_TAG}": DEPLOYMENT}}


async def test_the_owners_that_may_be_launched_are_those_that_are_looked_for(
    sent: list[dict[str, str]],
) -> None:
    owners = {owner for form in sent for owner in _values(form, r"Owner\.\d+")}
    (image,) = [each for each in _allowing("RunInstances") if _resources([each]) == {"image"}]
    assert image["Condition"]["StringEquals"]["ec2:Owner"] in owners
