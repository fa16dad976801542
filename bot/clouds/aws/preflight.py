"""What is known of a launch before it: whether it is permitted, from where port 22 is reached, whether quotas hold.

It asks, and changes nothing: RunInstances with DryRun is refused in any case, and how it is refused is the answer.
Sources: EC2 API reference, RunInstances; EC2 User Guide, "Amazon EC2 instance type quotas".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.instance_types import InstanceTypes
from slipway.bot.clouds.aws.responses import Response, read_list, read_text
from slipway.bot.clouds.aws.templates import TemplateNetwork, read_network, template_data
from slipway.bot.clouds.machine_model import LaunchSpec, Permission, Preflight, QuotaUse, SshAccess
from slipway.bot.core.errors import CloudError, CloudErrorKind

_WOULD_SUCCEED = "DryRunOperation"
_SSH = 22
_ALL = "-1"  # every protocol
_TCP = ("tcp", "6")
_PAGE = 1000

_BLIND = (CloudErrorKind.UNREACHABLE, CloudErrorKind.TIMED_OUT)
_NOT_TOLD = (CloudErrorKind.REFUSED, CloudErrorKind.NOT_FOUND, CloudErrorKind.INVALID)

_STANDARD = "L-1216C47A"
_QUOTAS = {
    **dict.fromkeys(("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"), _STANDARD),
    **dict.fromkeys(("f",), "L-74FC7D96"),
    **dict.fromkeys(("g", "vt"), "L-DB2E81BA"),
    **dict.fromkeys(("inf",), "L-1945791B"),
    **dict.fromkeys(("p",), "L-417A185B"),
    **dict.fromkeys(("trn",), "L-2C3B7624"),
    **dict.fromkeys(("x",), "L-7295265B"),
}
"""Quotas of running on-demand machines, in vCPUs, by the letters that a type begins with. Source: Service Quotas,
service ``ec2``."""


class LaunchChecks:
    """Looks at launches in one region."""

    def __init__(self, account: AwsAccount, region: str, types: InstanceTypes) -> None:
        self._account = account
        self._region = region
        self._types = types

    async def preflight(self, spec: LaunchSpec, parameters: Mapping[str, Any]) -> Preflight:
        """Look at a launch.

        Args:
            spec: what is to be launched.
            parameters: of RunInstances, as it is to be sent.

        Raises:
            CloudError: the cloud cannot be reached at all.
        """
        permission, why = await self._permission(spec, parameters)
        data = await self._template(spec)
        ssh: SshAccess | None = None
        unknown = ""
        try:
            ssh = await self._ssh(read_network(data))
        except CloudError as error:
            if error.kind not in _NOT_TOLD:
                raise
            unknown = error.words
        instance_type = spec.instance_type or str(data.get("InstanceType") or "")
        quotas = await self._quotas(instance_type, spec.count) if instance_type else ()
        return Preflight(permission, why, ssh, unknown, quotas)

    async def _permission(self, spec: LaunchSpec, parameters: Mapping[str, Any]) -> tuple[Permission, str]:
        request = self._account.request(f"tell whether it would launch from {spec.image_id}")
        try:
            await self._account.calls(self._region).call(
                request, "run_instances", lambda _answer: None, **{**parameters, "DryRun": True}
            )
        except CloudError as error:
            if error.code == _WOULD_SUCCEED:
                return Permission.GRANTED, ""
            if error.kind is CloudErrorKind.REFUSED:
                return Permission.DENIED, error.words
            if error.kind in _BLIND:
                raise
            return Permission.UNKNOWN, error.words
        return Permission.UNKNOWN, "EC2 did not say whether it would."

    async def _template(self, spec: LaunchSpec) -> Response:
        found = await self._account.calls(self._region).call(
            self._account.request("show the launch template"),
            "describe_launch_template_versions",
            lambda answer: [template_data(each) for each in read_list(answer, "LaunchTemplateVersions")],
            LaunchTemplateId=spec.template_id,
            Versions=[str(spec.template_version)],
        )
        return found[0] if found else {}

    async def _ssh(self, network: TemplateNetwork) -> SshAccess:
        """By the template's security groups, or by the default group of the network where it names none."""
        subnet = await self._subnet(network.subnet) if network.subnet else {}
        groups = [*network.group_ids]
        if network.group_names:
            groups += await self._groups({"group-name": [*network.group_names]})
        if not groups:
            vpc = str(subnet.get("VpcId") or "") or await self._default_vpc()
            groups = await self._groups({"group-name": ["default"], "vpc-id": [vpc]})
        public = network.public_address
        if public is None and isinstance(subnet.get("MapPublicIpOnLaunch"), bool):
            public = subnet["MapPublicIpOnLaunch"]
        return SshAccess(await self._sources(groups), public)

    async def _subnet(self, subnet: str) -> Response:
        found = await self._list("describe_subnets", "Subnets", {"subnet-id": [subnet]}, "the subnet")
        return found[0] if found else {}

    async def _default_vpc(self) -> str:
        found = await self._list("describe_vpcs", "Vpcs", {"is-default": ["true"]}, "the default VPC")
        if not found:
            request = self._account.request("show the default VPC")
            raise request.failed(CloudErrorKind.NOT_FOUND, f"there is none in {self._region}")
        return read_text(found[0], "VpcId")

    async def _groups(self, wanted: Mapping[str, Sequence[str]]) -> list[str]:
        found = await self._list("describe_security_groups", "SecurityGroups", wanted, "security groups")
        return [read_text(each, "GroupId") for each in found]

    async def _sources(self, groups: Sequence[str]) -> tuple[str, ...]:
        rules = await self._list(
            "describe_security_group_rules",
            "SecurityGroupRules",
            {"group-id": groups},
            "security group rules",
        )
        return tuple(dict.fromkeys(_source(rule) for rule in rules if _lets_ssh_in(rule)))

    async def _list(
        self, operation: str, name: str, wanted: Mapping[str, Sequence[str]], what: str
    ) -> list[Response]:
        return await self._account.calls(self._region).pages(
            self._account.request(f"show {what}"),
            operation,
            lambda page: read_list(page, name),
            page_size=_PAGE,
            Filters=[{"Name": key, "Values": [*values]} for key, values in wanted.items()],
        )

    async def _quotas(self, instance_type: str, count: int) -> tuple[QuotaUse, ...]:
        """The one quota that counts such machines; none where it is not told."""
        code = quota_of(instance_type)
        if code is None:
            return ()
        try:
            limit = await self._account.calls(self._region, "service-quotas").call(
                self._account.request("show a quota"),
                "get_service_quota",
                _read_quota,
                ServiceCode="ec2",
                QuotaCode=code,
            )
            used = await self._vcpus_of(code)
            needed = (await self._types.get(instance_type)).vcpus * count
        except CloudError as error:
            if error.kind in _BLIND:
                raise
            return ()
        name, value = limit
        return (QuotaUse(name, used, value, needed, "vCPUs"),)

    async def _vcpus_of(self, code: str) -> int:
        """What the account's running machines take of a quota, whoever launched them."""
        kinds = await self._account.calls(self._region).pages(
            self._account.request("list machines"),
            "describe_instances",
            lambda page: [
                read_text(each, "InstanceType")
                for reservation in read_list(page, "Reservations")
                for each in read_list(reservation, "Instances")
                if not each.get("InstanceLifecycle")  # spot machines have quotas of their own
            ],
            page_size=_PAGE,
            Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}],
        )
        counted = [each for each in kinds if quota_of(each) == code]
        await self._types.learn(counted)
        return sum([(await self._types.get(each)).vcpus for each in counted])


def quota_of(instance_type: str) -> str | None:
    """The code of the quota that counts machines of a type; None where none is known."""
    family = instance_type.partition(".")[0].lower()
    letters = family[: next((place for place, sign in enumerate(family) if sign.isdigit()), len(family))]
    return _QUOTAS.get(letters)


def _read_quota(answer: Response) -> tuple[str, float]:
    quota = answer.get("Quota")
    if not isinstance(quota, dict) or not isinstance(quota.get("Value"), int | float):
        raise UnexpectedResponseError("Quota")
    return read_text(quota, "QuotaName"), float(quota["Value"])


def _lets_ssh_in(rule: Response) -> bool:
    if rule.get("IsEgress"):
        return False
    protocol = str(rule.get("IpProtocol"))
    if protocol == _ALL:
        return True
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if protocol not in _TCP or not isinstance(first, int) or not isinstance(last, int):
        return False
    return first <= _SSH <= last or first == -1


def _source(rule: Response) -> str:
    group = rule.get("ReferencedGroupInfo")
    if isinstance(group, dict) and group.get("GroupId"):
        return f"machines of {group['GroupId']}"
    for name in ("CidrIpv4", "CidrIpv6", "PrefixListId"):
        if rule.get(name):
            return str(rule[name])
    raise UnexpectedResponseError("SecurityGroupRules")
