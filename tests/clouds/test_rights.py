"""The tables of rights: the examples in ``deploy/`` and what `slipway permissions` prints are made of them, and
doctor names exactly what is missing at a cloud."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.aws.declaration import CLOUD as AWS
from slipway.bot.clouds.aws.probe import rights as try_aws
from slipway.bot.clouds.aws.rights.policy import example as aws_example
from slipway.bot.clouds.aws.rights.policy import wanted_actions
from slipway.bot.clouds.aws.rights.table import STATEMENTS
from slipway.bot.clouds.aws.rights.trials import Samples, Trial, trial
from slipway.bot.clouds.azure.declaration import CLOUD as AZURE
from slipway.bot.clouds.azure.probe import rights as compare_azure
from slipway.bot.clouds.azure.rights.roles import example as azure_example
from slipway.bot.clouds.azure.rights.roles import wanted
from slipway.bot.clouds.azure.rights.table import RIGHTS, Role, Scope
from slipway.bot.clouds.capabilities import Adapter
from slipway.bot.clouds.declaration import CloudDeclaration
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.clouds.rights import Policy, Purpose, Usage
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.core.probes import Check, Verdict
from tests.support.aws import aws_settings, boto3_client, call_in_thread, simulated_aws
from tests.support.azure import DESCRIBED, azure_machines, azure_settings
from tests.support.clouds import cloud_context
from tests.support.configuration import DECLARED, put, settings_of, valid_document
from tests.support.quality import ROOT

EVERYTHING = Usage(
    "aws",
    "slipway",
    {
        **dict.fromkeys(Purpose, ()),
        Purpose.POINT: ("/fedora/43",),
        Purpose.ROTATE: ("uploader",),
        Purpose.DELIVER: ("uploader",),
    },
)


@pytest.mark.parametrize("file", sorted({each.file for each in STATEMENTS}))
def test_the_policies_that_are_shipped_are_the_tables(file: str) -> None:
    assert json.loads((ROOT / "deploy" / file).read_text("utf-8")) == aws_example(file)


@pytest.mark.parametrize("role", list(Role))
def test_the_roles_that_are_shipped_are_the_tables(role: Role) -> None:
    assert json.loads((ROOT / "deploy" / role.value).read_text("utf-8")) == azure_example(role)


def _policy(document: dict[str, Any], account: str = "aws") -> Policy:
    settings = settings_of(document)
    cloud: CloudDeclaration[Any] = AWS if account.startswith("aws") else AZURE
    assert cloud.policy is not None
    return cloud.policy(
        settings.named(cloud.table)[account], DECLARED.usage(settings, account), "111122223333"
    )


def _actions(policy: Policy) -> set[str]:
    found: set[str] = set()
    for statement in policy.documents[0]["Statement"]:
        action = statement["Action"]
        found |= {action} if isinstance(action, str) else set(action)
    return found


def test_what_is_not_configured_is_not_asked_for_at_aws() -> None:
    document = valid_document()
    document.pop("profiles")
    bare = _actions(_policy(document))
    assert "ec2:DescribeInstances" in bare
    assert all(action.startswith("ec2:Describe") for action in bare)
    put(document, "family.f43.name", "Fedora-{release}-{date}.{respin}")
    images = _policy(document)
    assert "ec2:DeregisterImage" in _actions(images)
    assert not {"ssm:PutParameter", "ec2:RunInstances", "cloudtrail:LookupEvents"} & _actions(images)
    assert "ec2:EnableImageDeregistrationProtection" not in _actions(images)
    put(document, "family.f43.parameter", "/fedora/43/latest")
    put(document, "watching", {})
    document["promotion"] = {"*": {"protect": True}}
    more = _policy(document)
    assert {
        "ssm:PutParameter",
        "cloudtrail:LookupEvents",
        "ec2:EnableImageDeregistrationProtection",
    } <= _actions(more)
    (point,) = [each for each in more.documents[0]["Statement"] if each["Sid"] == "ImagesMoveTheParameter"]
    assert point["Resource"].endswith(":111122223333:parameter/fedora/43/latest")


def test_every_region_and_every_user_is_named() -> None:
    document = valid_document()
    document["aws"]["regions"] = ["us-west-2"]
    key = {
        "owner": document["person"][0]["id"],
        "user": "uploader",
        "deliver": ["secretsmanager:uploads/key"],
    }
    document["credentials"] = {"uploads": key}
    statements = {each["Sid"]: each for each in _policy(document).documents[0]["Statement"]}
    assert statements["CredentialsRotate"]["Resource"] == "arn:aws:iam::111122223333:user/uploader"
    places = statements["CredentialsDeliver"]["Resource"]
    assert [each.split(":")[3] for each in places] == [document["aws"]["region"], "us-west-2"]
    assert statements["Look"]["Condition"]["StringEquals"]["aws:RequestedRegion"][1] == "us-west-2"


def test_what_is_not_configured_is_not_asked_for_in_azure() -> None:
    document = valid_document()
    put(document, "azure.subscription_id", "s")
    (role,) = _policy(document, "azure").documents
    assert not [each for each in role["Actions"] if "Microsoft.Network" in each or each.endswith("skus/read")]
    assert "Microsoft.Compute/galleries/images/versions/write" in role["Actions"]
    put(document, "azure.protection", "lock")
    document["promotion"] = {"*": {"protect": True}}
    names = [each["Name"] for each in _policy(document, "azure").documents]
    assert names == ["Slipway image keeper", "Slipway lock keeper"]


def test_every_call_that_a_trial_makes_is_one_that_boto3_knows() -> None:
    samples = Samples(*(f"sample-{number}" for number in range(8)))
    for action in wanted_actions(EVERYTHING):
        how = trial(action, samples, EVERYTHING)
        if isinstance(how, Trial):
            client = boto3_client("http://127.0.0.1:9", how.service)
            shape = client.meta.service_model.operation_model(
                client.meta.method_to_api_mapping[how.operation]
            )
            known = set(shape.input_shape.members)
            assert set(how.parameters) <= known, action
            assert how.service != "ec2" or "DryRun" in known, action


def _failing(check: Check) -> set[str]:
    return {each.name for each in check.leaves() if each.verdict is Verdict.FAIL}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aws() -> AsyncIterator[SimulatedAws]:
    """One with a machine, an image, a volume and an interface of this deployment."""
    async with simulated_aws() as simulated:
        await _make_samples(simulated.url)
        yield simulated


async def _make_samples(url: str) -> None:
    client = boto3_client(url)
    tags = [{"Key": "slipway", "Value": "slipway"}]
    image = (await call_in_thread(client, "describe_images", MaxResults=5))["Images"][0]["ImageId"]
    made = await call_in_thread(client, "run_instances", ImageId=image, MinCount=1, MaxCount=1)
    machine = made["Instances"][0]["InstanceId"]
    volume = await call_in_thread(client, "create_volume", AvailabilityZone="us-east-1a", Size=1)
    subnet = (await call_in_thread(client, "describe_subnets"))["Subnets"][0]["SubnetId"]
    interface = await call_in_thread(client, "create_network_interface", SubnetId=subnet)
    own = [machine, volume["VolumeId"], interface["NetworkInterface"]["NetworkInterfaceId"]]
    await call_in_thread(client, "create_tags", Resources=own, Tags=tags)
    copy = await call_in_thread(client, "create_image", InstanceId=machine, Name="own")
    protected = [{"Key": "slipway:protected", "Value": "slipway"}]
    await call_in_thread(client, "create_tags", Resources=[copy["ImageId"]], Tags=protected)


@pytest.mark.asyncio(loop_scope="module")
async def test_for_each_right_that_is_taken_away_at_aws_doctor_names_exactly_that(aws: SimulatedAws) -> None:
    settings = aws_settings(aws.url)
    adapter = Adapter("aws", AWS.open(settings, cloud_context("aws")))
    try:
        all_well = await try_aws(settings, adapter, EVERYTHING)
        assert _failing(all_well) == set()
        tried = {each.name for each in all_well.leaves() if each.verdict is Verdict.PASS}
        untried = {each.name: each.says for each in all_well.leaves() if each.verdict is Verdict.UNTRIED}
        assert set(untried) == {
            *("iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:UpdateAccessKey"),
            *("iam:GetAccessKeyLastUsed", "ssm:PutParameter"),
            *("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"),
        }, untried
        assert all("no dry run" in says for says in untried.values())
        # What looks for something to ask about is taken away last: without it others cannot be tried.
        for group in _in_groups(sorted(tried)):
            aws.denied = {each.partition(":")[2] for each in group}
            found = await try_aws(settings, adapter, EVERYTHING)
            assert _failing(found) == set(group)
            (step,) = {each.next for each in found.leaves() if each.verdict is Verdict.FAIL}
            assert step == "give the credentials what `slipway permissions aws` prints"
    finally:
        aws.denied = set()
        await adapter.port(MACHINES).close()


def _in_groups(actions: Iterable[str]) -> Iterable[tuple[str, ...]]:
    """Each alone would take as many looks as there are rights; no two of a group are needed for one another."""
    looks = [
        each
        for each in actions
        if re.search(r":(Describe(Images|Instances|Volumes|Launch\w+|Net\w+))$", each)
    ]
    rest = [each for each in actions if each not in looks]
    return [*((each,) for each in rest[:3]), tuple(rest[3::2]), tuple(rest[4::2])]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_right_to_look_that_is_missing_is_named_and_leaves_untried_what_it_would_have_found(
    aws: SimulatedAws,
) -> None:
    settings = aws_settings(aws.url)
    adapter = Adapter("aws", AWS.open(settings, cloud_context("aws")))
    aws.denied = {"DescribeInstances"}
    try:
        found = await try_aws(settings, adapter, EVERYTHING)
    finally:
        aws.denied = set()
        await adapter.port(MACHINES).close()
    assert _failing(found) == {"ec2:DescribeInstances"}
    says = {each.name: each.says for each in found.leaves()}
    assert says["ec2:StopInstances"] == "Not tried: there is no machine of this Slipway to ask about."


async def test_for_each_right_that_a_role_lacks_in_azure_doctor_names_exactly_that() -> None:
    async with azure_machines(DESCRIBED) as here:
        settings = azure_settings(
            here.azure, machines_group="slipway-machines", regions=("eastus",), protection="lock"
        )
        adapter = Adapter("azure", AZURE.open(settings, cloud_context("azure")))
        usage = Usage("azure", "slipway", {**EVERYTHING.names})
        seed = here.azure.machines.seed
        try:
            assert _failing(await compare_azure(settings, adapter, usage)) == set()
            for right in wanted(settings, usage):
                if right.scope is Scope.ELSEWHERE:
                    continue
                here.azure.machines.seed = replace(seed, not_actions=(right.action,))
                found = await compare_azure(settings, adapter, usage)
                assert _failing(found) == {right.action}
        finally:
            await adapter.port(IMAGE_VERSIONS).close()


def test_every_action_has_its_place_and_purpose_once() -> None:
    names = [right.action for right in RIGHTS]
    assert len(names) == len(set(names))

    for statement in STATEMENTS:
        assert statement.actions
