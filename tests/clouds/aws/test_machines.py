"""What EC2 can do beside launching and ending: telling before, stopping, looking, cleaning up behind a launch."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.aws.preflight import quota_of
from slipway.bot.clouds.aws.tags import DEPLOYMENT_TAG, TOKEN_TAG
from slipway.bot.clouds.machine_model import (
    Activity,
    Backstop,
    Health,
    HealthState,
    InstanceState,
    LaunchSpec,
    Leftover,
    Permission,
    QuotaUse,
    SshAccess,
)
from slipway.bot.clouds.ports.machines import (
    ChecksLaunches,
    FindsLeftovers,
    ShowsConsole,
    StopsMachines,
    TellsActivity,
    TellsHealth,
)
from slipway.bot.clouds.simulated.aws.answers import STANDARD_QUOTA
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from tests.support.aws import (
    aws_machines,
    boto3_client,
    call_in_thread,
    launch_spec,
    simulated_aws,
    unique_name,
)
from tests.support.quality import ROOT

SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}


@dataclass
class Account:
    """The simulated EC2, the adapter, and plain boto3 beside it."""

    aws: SimulatedAws
    ec2: AwsMachines
    boto: Any

    async def do(self, operation: str, **parameters: object) -> Any:
        return await call_in_thread(self.boto, operation, **parameters)

    async def group(self, *rules: dict[str, Any]) -> str:
        """A security group with these ingress rules, and no other."""
        vpc = (await self.do("describe_vpcs"))["Vpcs"][0]["VpcId"]
        name = unique_name("group")
        made = await self.do("create_security_group", GroupName=name, Description=name, VpcId=vpc)
        if rules:
            await self.do(
                "authorize_security_group_ingress", GroupId=made["GroupId"], IpPermissions=list(rules)
            )
        return str(made["GroupId"])

    async def template(self, **data: Any) -> str:
        """A launch template with this data; gives its name."""
        name = unique_name("template")
        data = {"InstanceType": "t3.small", **data}
        await self.do("create_launch_template", LaunchTemplateName=name, LaunchTemplateData=data)
        return name

    async def spec(self, **data: Any) -> LaunchSpec:
        """A launch of two machines by such a template."""
        found = await self.ec2.template(await self.template(**data))
        usual = await launch_spec(self.ec2, count=2)
        return replace(usual, template_id=found.id, template_version=found.version)

    async def ssh(self, **data: Any) -> SshAccess | None:
        """From where such a template's machines are reached."""
        return (await self.ec2.preflight(await self.spec(**data))).ssh


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as aws:
        yield aws


@pytest_asyncio.fixture(loop_scope="module")
async def account(_aws: SimulatedAws) -> AsyncIterator[Account]:
    _aws.faults.clear()
    _aws.quotas = {STANDARD_QUOTA: 64.0}
    async with aws_machines(_aws.url, regions=("eu-west-1",)) as ec2:
        yield Account(_aws, ec2, boto3_client(_aws.url))


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_it_can_do_all_that_a_cloud_may_be_able_to_do(account: Account) -> None:
    for ability in (
        ChecksLaunches,
        StopsMachines,
        ShowsConsole,
        TellsHealth,
        TellsActivity,
        FindsLeftovers,
    ):
        assert isinstance(account.ec2, ability)
    assert account.ec2.backstop is Backstop.GUEST_TIMER


class TestTemplates:
    async def test_a_template_tells_what_it_fixes_and_what_it_has_machines_do(self, account: Account) -> None:
        script = b"#!/bin/sh\necho ready\n"
        name = await account.template(
            UserData=base64.b64encode(script).decode(),
            KeyName="team",
            SecurityGroupIds=["sg-0a", "sg-0b"],
            IamInstanceProfile={"Name": "builders"},
            MetadataOptions={"HttpTokens": "required"},
            BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3"}}],
        )
        template = await account.ec2.template(name)
        assert template.user_data == script
        assert dict(template.fixed) == {
            "Security groups": "sg-0a, sg-0b",
            "Disk": "20 GiB gp3",
            "Role": "builders",
            "Key pair": "team",
            "Metadata": "IMDSv2 only",
        }

    async def test_a_network_interface_of_the_template_says_where_machines_stand(
        self, account: Account
    ) -> None:
        interface = {"DeviceIndex": 0, "SubnetId": "subnet-0c", "Groups": ["sg-0d"]}
        template = await account.ec2.template(await account.template(NetworkInterfaces=[interface]))
        assert dict(template.fixed) == {"Subnet": "subnet-0c", "Security groups": "sg-0d"}


class TestPreflight:
    async def test_a_launch_that_is_permitted_is_told_so_and_launches_nothing(self, account: Account) -> None:
        found = await account.ec2.preflight(await account.spec())
        assert (found.permission, found.why) == (Permission.GRANTED, "")
        assert await account.ec2.instances() == ()

    async def test_a_permission_that_lacks_is_told_with_the_clouds_reason(self, account: Account) -> None:
        spec = await account.spec()
        message = "You are not authorized to perform this. Encoded authorization failure message: xyz"
        account.aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DryRun", message=message))
        found = await account.ec2.preflight(spec)
        assert found.permission is Permission.DENIED
        assert "You are not authorized" in found.why
        assert "xyz" not in found.why

    async def test_what_is_wrong_with_the_launch_itself_is_not_taken_for_a_permission(
        self, account: Account
    ) -> None:
        spec = await account.spec()
        account.aws.faults.add(
            Fault(kind=FaultKind.CONFLICT, match="DryRun", code="InvalidSubnetID.NotFound")
        )
        found = await account.ec2.preflight(spec)
        assert found.permission is Permission.UNKNOWN
        assert "subnet" in found.why

    async def test_port_22_open_to_the_world(self, account: Account) -> None:
        group = await account.group({**SSH, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]})
        found = await account.ssh(SecurityGroupIds=[group])
        assert found is not None
        assert found.open_to_world

    async def test_port_22_from_named_ranges(self, account: Account) -> None:
        ssh = {"IpProtocol": "tcp", "FromPort": 20, "ToPort": 25, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
        web = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        found = await account.ssh(SecurityGroupIds=[await account.group(ssh, web)])
        assert found == SshAccess(("192.0.2.0/24",))
        assert not found.open_to_world

    async def test_port_22_closed(self, account: Account) -> None:
        found = await account.ssh(SecurityGroupIds=[await account.group()])
        assert found is not None
        assert found.closed

    async def test_a_rule_for_everything_lets_ssh_in(self, account: Account) -> None:
        group = await account.group({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "198.51.100.7/32"}]})
        assert await account.ssh(SecurityGroupIds=[group]) == SshAccess(("198.51.100.7/32",))

    async def test_groups_of_the_templates_interface_count_and_so_does_its_address(
        self, account: Account
    ) -> None:
        group = await account.group({**SSH, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]})
        subnet = (await account.do("describe_subnets"))["Subnets"][0]["SubnetId"]
        interface = {
            "DeviceIndex": 0,
            "SubnetId": subnet,
            "Groups": [group],
            "AssociatePublicIpAddress": False,
        }
        found = await account.ssh(NetworkInterfaces=[interface])
        assert found == SshAccess(("192.0.2.0/24",), public_address=False)

    async def test_a_template_without_groups_has_the_default_group_of_its_network(
        self, account: Account
    ) -> None:
        found = await account.ssh()
        assert found is not None
        assert all(each.startswith("machines of sg-") for each in found.sources)

    async def test_where_the_groups_cannot_be_seen_that_is_told(self, account: Account) -> None:
        spec = await account.spec(SecurityGroupIds=["sg-0a"])
        account.aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DescribeSecurityGroupRules"))
        found = await account.ec2.preflight(spec)
        assert found.ssh is None
        assert "security group rules" in found.ssh_unknown

    async def test_a_quota_that_is_not_told_for_now_keeps_nobody_from_a_launch(
        self, account: Account
    ) -> None:
        throttle = Fault(kind=FaultKind.THROTTLE, match="GetServiceQuota", times=None)
        armed = account.aws.faults.add(throttle)
        found = await account.ec2.preflight(await account.spec())
        account.aws.faults.clear()
        assert (found.permission, found.quotas) == (Permission.GRANTED, ())
        assert armed.hits

    async def test_the_quota_counts_what_runs_and_what_is_asked_for(self, account: Account) -> None:
        account.aws.quotas[STANDARD_QUOTA] = 5.0
        await account.ec2.launch(await launch_spec(account.ec2), unique_name("token"))
        (quota,) = (await account.ec2.preflight(await account.spec())).quotas
        assert isinstance(quota, QuotaUse)
        assert (quota.limit, quota.needed, quota.unit) == (5.0, 4, "vCPUs")
        assert quota.used >= 2
        assert not quota.enough

    async def test_a_quota_that_may_not_be_seen_is_left_out(self, account: Account) -> None:
        account.aws.quotas.clear()
        assert (await account.ec2.preflight(await account.spec())).quotas == ()

    @pytest.mark.parametrize(
        ("instance_type", "code"),
        [
            ("t3.small", STANDARD_QUOTA),
            ("t4g.micro", STANDARD_QUOTA),
            ("m7i-flex.large", STANDARD_QUOTA),
            ("g5.xlarge", "L-DB2E81BA"),
            ("inf2.xlarge", "L-1945791B"),
            ("p4d.24xlarge", "L-417A185B"),
            ("mac2.metal", None),
            ("u-6tb1.112xlarge", None),
        ],
    )
    async def test_which_quota_counts_a_type(self, instance_type: str, code: str | None) -> None:
        assert quota_of(instance_type) == code


class TestMachines:
    async def test_a_machine_is_stopped_and_started_and_again_is_no_error(self, account: Account) -> None:
        (made,) = await account.ec2.launch(await launch_spec(account.ec2), unique_name("token"))
        for verb, state in (
            (account.ec2.stop, InstanceState.STOPPED),
            (account.ec2.stop, InstanceState.STOPPED),
            (account.ec2.start, InstanceState.RUNNING),
            (account.ec2.start, InstanceState.RUNNING),
        ):
            await verb(made.id)
            seen = await account.ec2.instance(made.id)
            assert (seen.state, seen.launched_at) == (state, made.launched_at)

    async def test_tags_are_set_and_others_stay(self, account: Account) -> None:
        (made,) = await account.ec2.launch(await launch_spec(account.ec2, who="alice"), unique_name("token"))
        await account.ec2.retag(made.id, {"slipway:until": "2026-12-01T00:00:00Z"})
        tags = (await account.ec2.instance(made.id)).tags
        assert tags["slipway:until"] == "2026-12-01T00:00:00Z"
        assert tags["who"] == "alice"

    async def test_the_console_is_shown_as_text(self, account: Account) -> None:
        (made,) = await account.ec2.launch(await launch_spec(account.ec2), unique_name("token"))
        assert "BEGIN SSH HOST KEY FINGERPRINTS" in await account.ec2.console_output(made.id)
        account.aws.consoles[made.id] = ""
        assert await account.ec2.console_output(made.id) == ""

    async def test_a_machine_of_an_older_kind_shows_what_it_wrote_at_its_start(
        self, account: Account
    ) -> None:
        (made,) = await account.ec2.launch(await launch_spec(account.ec2), unique_name("token"))
        account.aws.faults.add(
            Fault(kind=FaultKind.CONFLICT, match="GetConsoleOutput", code="UnsupportedOperation", times=1)
        )
        assert "SSH HOST KEY" in await account.ec2.console_output(made.id)

    async def test_health_is_what_the_clouds_own_checks_say(self, account: Account) -> None:
        (made,) = await account.ec2.launch(await launch_spec(account.ec2), unique_name("token"))
        assert await account.ec2.health([made.id]) == {made.id: Health(HealthState.PASSED)}
        account.aws.healths[made.id] = "initializing"
        assert await account.ec2.health([made.id]) == {made.id: Health(HealthState.UNKNOWN)}
        account.aws.healths[made.id] = "impaired"
        why = "instance status check: reachability failed; system status check: reachability failed"
        assert await account.ec2.health([made.id]) == {made.id: Health(HealthState.FAILED, why)}
        await account.ec2.stop(made.id)
        assert await account.ec2.health([made.id]) == {}

    async def test_what_machines_did_is_what_cloudwatch_measured(self, account: Account) -> None:
        busy, idle = await account.ec2.launch(await launch_spec(account.ec2, count=2), unique_name("token"))
        cloudwatch = boto3_client(account.aws.url, "cloudwatch")
        at = datetime.now(UTC) - timedelta(minutes=10)
        data = [
            {
                "MetricName": name,
                "Dimensions": [{"Name": "InstanceId", "Value": busy.id}],
                "Timestamp": at,
                "Value": value,
            }
            for name, value in (("CPUUtilization", 7.5), ("NetworkIn", 1000.0), ("NetworkOut", 500.0))
        ]
        await call_in_thread(cloudwatch, "put_metric_data", Namespace="AWS/EC2", MetricData=data)
        found = await account.ec2.activity([busy.id, idle.id], timedelta(hours=1))
        assert found == {busy.id: Activity(7.5, 1500.0)}

    async def test_a_launch_may_bring_its_own_user_data_and_type(self, account: Account) -> None:
        usual = await launch_spec(account.ec2)
        spec = replace(usual, user_data=b"#cloud-config\n{}\n", instance_type="t3.micro")
        (made,) = await account.ec2.launch(spec, unique_name("token"))
        assert made.instance_type == "t3.micro"
        form = account.aws.forms[-1]
        assert base64.b64decode(form["UserData"]) == b"#cloud-config\n{}\n"

    async def test_without_them_the_templates_stay(self, account: Account) -> None:
        await account.ec2.launch(await launch_spec(account.ec2), unique_name("token"))
        assert not {"UserData", "InstanceType"} & set(account.aws.forms[-1])


class TestRegions:
    async def test_another_region_has_machines_of_its_own_and_one_list_shows_all(
        self, account: Account
    ) -> None:
        (here,) = await account.ec2.launch(await launch_spec(account.ec2), unique_name("token"))
        there = account.ec2.at("eu-west-1")
        name = unique_name("template")
        boto = boto3_client(account.aws.url, region="eu-west-1")
        data = {"InstanceType": "t3.small"}
        await call_in_thread(boto, "create_launch_template", LaunchTemplateName=name, LaunchTemplateData=data)
        template = await there.template(name)
        images = await there.images()
        spec = LaunchSpec(template.id, template.version, images[0].id, 1, {})
        (other,) = await there.launch(spec, unique_name("token"))
        assert (here.region, other.region) == ("us-east-1", "eu-west-1")
        assert {each.id for each in await account.ec2.instances()} == {here.id, other.id}
        assert await there.instance(other.id)
        with pytest.raises(CloudError) as caught:
            await account.ec2.instance(other.id)
        assert caught.value.kind is CloudErrorKind.NOT_FOUND

    async def test_a_region_that_is_not_configured_is_told(self, account: Account) -> None:
        with pytest.raises(UserError, match="configured for us-east-1 and eu-west-1, and not for ap-south-1"):
            account.ec2.at("ap-south-1")


class TestLeftovers:
    async def volume(self, account: Account, **tags: str) -> str:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        made = await account.do(
            "create_volume",
            AvailabilityZone="us-east-1a",
            Size=1,
            TagSpecifications=[{"ResourceType": "volume", "Tags": pairs}],
        )
        return str(made["VolumeId"])

    async def test_only_what_carries_the_deployments_tag_and_belongs_to_no_machine(
        self, account: Account
    ) -> None:
        (machine,) = await account.ec2.launch(await launch_spec(account.ec2), unique_name("token"))
        deployment = (await account.ec2.instance(machine.id)).tags[DEPLOYMENT_TAG]
        mine = await self.volume(account, **{DEPLOYMENT_TAG: deployment, TOKEN_TAG: "op-abcd:1"})
        await self.volume(account, **{DEPLOYMENT_TAG: "another"})
        found = await account.ec2.leftovers()
        assert found == (Leftover(mine, "volume", "us-east-1", "op-abcd:1", cloud="aws"),)

        await account.ec2.remove_leftover(found[0])
        assert await account.ec2.leftovers() == ()
        await account.ec2.remove_leftover(found[0])  # gone already

    async def test_what_was_detached_from_a_machine_that_lives_is_no_leftover_until_it_ends(
        self, account: Account
    ) -> None:
        token = unique_name("token")
        (machine,) = await account.ec2.launch(await launch_spec(account.ec2), token)
        deployment = (await account.ec2.instance(machine.id)).tags[DEPLOYMENT_TAG]
        volume = await self.volume(account, **{DEPLOYMENT_TAG: deployment, TOKEN_TAG: token})
        assert await account.ec2.leftovers() == ()
        await account.ec2.terminate(machine.id)
        assert [each.id for each in await account.ec2.leftovers()] == [volume]
        await account.ec2.remove_leftover(Leftover(volume, "volume", "us-east-1", token, cloud="aws"))

    async def test_one_that_belongs_to_a_machine_by_now_is_left_alone(self, account: Account) -> None:
        (machine,) = await account.ec2.launch(await launch_spec(account.ec2), unique_name("token"))
        deployment = (await account.ec2.instance(machine.id)).tags[DEPLOYMENT_TAG]
        volume = await self.volume(account, **{DEPLOYMENT_TAG: deployment})
        (found,) = await account.ec2.leftovers()
        await account.do("attach_volume", VolumeId=volume, InstanceId=machine.id, Device="/dev/sdf")
        with pytest.raises(CloudError) as caught:
            await account.ec2.remove_leftover(found)
        assert caught.value.kind is CloudErrorKind.CONFLICT


class TestDeployed:
    """`deploy/aws/launch-template.yaml`, as CloudFormation makes it."""

    async def test_its_machines_are_reached_by_ssh_from_the_named_range_and_from_nowhere_else(
        self, account: Account
    ) -> None:
        name = unique_name("deployed")
        subnet = (await account.do("describe_subnets"))["Subnets"][0]
        parameters = {"Name": name, "Vpc": subnet["VpcId"], "Subnet": subnet["SubnetId"]}
        parameters["SshFrom"] = "192.0.2.0/24"
        cloudformation = boto3_client(account.aws.url, "cloudformation")
        await call_in_thread(
            cloudformation,
            "create_stack",
            StackName=name,
            TemplateBody=(ROOT / "deploy/aws/launch-template.yaml").read_text("utf-8"),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        template = await account.ec2.template(name)
        assert (template.instance_type, template.architectures) == ("t3.small", ("x86_64",))
        spec = replace(
            await launch_spec(account.ec2), template_id=template.id, template_version=template.version
        )
        found = await account.ec2.preflight(spec)
        assert found.permission is Permission.GRANTED
        assert found.ssh == SshAccess(("192.0.2.0/24",), public_address=True)
        assert dict(template.fixed)["Metadata"] == "IMDSv2 only"
