"""Reads launch templates: what they fix, in words, and what of them a launch has to know."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.responses import Response, read_list, read_optional_text, read_text
from slipway.bot.clouds.machine_model import Template


@dataclass(frozen=True)
class TemplateNetwork:
    """Where a template puts its machines.

    Attributes:
        subnet: its id; None where EC2 chooses.
        group_ids, group_names: of the security groups; neither where EC2 takes the VPC's default group.
        public_address: whether machines get one; None where the subnet decides.
    """

    subnet: str | None = None
    group_ids: tuple[str, ...] = ()
    group_names: tuple[str, ...] = ()
    public_address: bool | None = None


def read_template(response: Response) -> Template:
    """One launch template version of DescribeLaunchTemplateVersions; architectures are not known from it."""
    version = response.get("VersionNumber")
    if not isinstance(version, int):
        raise UnexpectedResponseError("VersionNumber")
    data = template_data(response)
    return Template(
        id=read_text(response, "LaunchTemplateId"),
        name=read_text(response, "LaunchTemplateName"),
        version=version,
        instance_type=read_optional_text(data, "InstanceType"),
        image_id=read_optional_text(data, "ImageId"),
        user_data=_user_data(data),
        fixed=tuple(_fixed(data)),
    )


def template_data(response: Response) -> Response:
    """What a version has machines be like.

    Raises:
        UnexpectedResponseError: it does not say.
    """
    data = response.get("LaunchTemplateData")
    if not isinstance(data, dict):
        raise UnexpectedResponseError("LaunchTemplateData")
    return data


def read_network(data: Response) -> TemplateNetwork:
    """Where a template's data puts machines: by its first network interface, or else by what stands beside it."""
    interfaces = _several(data, "NetworkInterfaces")
    if not interfaces:
        return TemplateNetwork(
            group_ids=_texts(data, "SecurityGroupIds"), group_names=_texts(data, "SecurityGroups")
        )
    first = min(interfaces, key=lambda each: int(each.get("DeviceIndex") or 0))
    public = first.get("AssociatePublicIpAddress")
    return TemplateNetwork(
        subnet=read_optional_text(first, "SubnetId"),
        group_ids=_texts(first, "Groups"),
        public_address=public if isinstance(public, bool) else None,
    )


def _fixed(data: Response) -> Iterator[tuple[str, str]]:
    network = read_network(data)
    if network.subnet:
        yield "Subnet", network.subnet
    if groups := (*network.group_ids, *network.group_names):
        yield "Security groups", ", ".join(groups)
    if disks := [_disk(each) for each in _several(data, "BlockDeviceMappings") if each.get("Ebs")]:
        yield "Disk", ", ".join(disks)
    profile = data.get("IamInstanceProfile")
    if isinstance(profile, dict) and (role := profile.get("Name") or profile.get("Arn")):
        yield "Role", str(role).rpartition("/")[2]
    if key := read_optional_text(data, "KeyName"):
        yield "Key pair", key
    metadata = data.get("MetadataOptions")
    if isinstance(metadata, dict) and metadata.get("HttpTokens") == "required":
        yield "Metadata", "IMDSv2 only"


def _disk(mapping: Response) -> str:
    ebs = mapping["Ebs"]
    size, kind = ebs.get("VolumeSize"), ebs.get("VolumeType")
    return " ".join(filter(None, (f"{size} GiB" if size else "as large as the image", str(kind or ""))))


def _user_data(data: Response) -> bytes:
    encoded = read_optional_text(data, "UserData")
    try:
        return base64.b64decode(encoded, validate=True) if encoded else b""
    except (binascii.Error, ValueError):
        raise UnexpectedResponseError("UserData") from None


def _several(data: Response, name: str) -> list[Response]:
    return read_list(data, name) if data.get(name) else []


def _texts(data: Response, name: str) -> tuple[str, ...]:
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise UnexpectedResponseError(name)
    return tuple(found)
