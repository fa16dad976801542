"""Reads EC2's responses, as botocore parses them, into the words of :mod:`slipway.bot.clouds.model`.

Whatever lacks a part that EC2 always gives raises UnexpectedResponseError: nothing is guessed, and a missing
list is never taken for an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.state_reasons import read_end
from slipway.bot.clouds.model import Instance, InstanceEnd, InstanceState, MachineImage, Template

Response = Mapping[str, Any]
"""A structure of an EC2 response; botocore's stubs know no more of it."""


_AVAILABLE = "available"  # an image that can be launched

_STATES = {
    "pending": InstanceState.PENDING,
    "running": InstanceState.RUNNING,
    "shutting-down": InstanceState.SHUTTING_DOWN,
    "terminated": InstanceState.TERMINATED,
    "stopping": InstanceState.STOPPING,
    "stopped": InstanceState.STOPPED,
}


@dataclass(frozen=True)
class Origin:
    """Where what is read was found: the adapter's name, and its region."""

    cloud: str
    region: str


def read_list(response: Response, name: str) -> list[Response]:
    """The list of structures of that name.

    Raises:
        UnexpectedResponseError: there is none; an empty list is one.
    """
    found = response.get(name)
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise UnexpectedResponseError(name)
    return found


def _text(response: Response, name: str) -> str:
    found = response.get(name)
    if not isinstance(found, str) or not found:
        raise UnexpectedResponseError(name)
    return found


def _optional_text(response: Response, name: str) -> str | None:
    return _text(response, name) if response.get(name) else None


def _timestamp(found: object, name: str) -> datetime:
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            raise UnexpectedResponseError(name) from None
    if not isinstance(found, datetime):
        raise UnexpectedResponseError(name)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _optional_timestamp(response: Response, name: str) -> datetime | None:
    return _timestamp(response[name], name) if response.get(name) else None


def read_tags(response: Response) -> dict[str, str]:
    """The tags of a resource; one without tags has no list of them."""
    tags = read_list(response, "Tags") if response.get("Tags") else []
    return {_text(tag, "Key"): str(tag.get("Value", "")) for tag in tags}


def read_image(response: Response, origin: Origin) -> MachineImage:
    """One image of DescribeImages; its dates come as text, with milliseconds and a Z."""
    state = _text(response, "State")
    return MachineImage(
        id=_text(response, "ImageId"),
        name=_optional_text(response, "Name") or "",
        architecture=_text(response, "Architecture"),
        state=state,
        launchable=state == _AVAILABLE,
        owner=_text(response, "OwnerId"),
        region=origin.region,
        created_at=_optional_timestamp(response, "CreationDate"),
        deprecated_at=_optional_timestamp(response, "DeprecationTime"),
        cloud=origin.cloud,
    )


def read_instance(response: Response, origin: Origin) -> Instance:
    """One machine of DescribeInstances or RunInstances."""
    state = response.get("State")
    if not isinstance(state, Mapping):
        raise UnexpectedResponseError("State")
    known_state = _STATES.get(_text(state, "Name"))
    if known_state is None:
        raise UnexpectedResponseError("State")
    return Instance(
        id=_text(response, "InstanceId"),
        image_id=_text(response, "ImageId"),
        instance_type=_text(response, "InstanceType"),
        state=known_state,
        region=origin.region,
        launched_at=_timestamp(response.get("LaunchTime"), "LaunchTime"),
        address=_optional_text(response, "PublicIpAddress")
        or _optional_text(response, "PrivateIpAddress")
        or "",
        tags=read_tags(response),
        end=_read_end(response) if known_state.gone else None,
        cloud=origin.cloud,
    )


def _read_end(response: Response) -> InstanceEnd | None:
    state_reason = response.get("StateReason") or {}
    if not isinstance(state_reason, Mapping):
        raise UnexpectedResponseError("StateReason")
    return read_end(state_reason)


def read_template(response: Response) -> Template:
    """One launch template version of DescribeLaunchTemplateVersions; architectures are not known from it."""
    version = response.get("VersionNumber")
    data = response.get("LaunchTemplateData")
    if not isinstance(version, int) or not isinstance(data, Mapping):
        raise UnexpectedResponseError(
            "VersionNumber" if not isinstance(version, int) else "LaunchTemplateData"
        )
    return Template(
        id=_text(response, "LaunchTemplateId"),
        name=_text(response, "LaunchTemplateName"),
        version=version,
        instance_type=_optional_text(data, "InstanceType"),
        image_id=_optional_text(data, "ImageId"),
    )


def read_architectures(response: Response) -> tuple[str, ...]:
    """What one type of DescribeInstanceTypes can run, such as ``("i386", "x86_64")``."""
    processor = response.get("ProcessorInfo")
    if not isinstance(processor, Mapping):
        raise UnexpectedResponseError("ProcessorInfo")
    supported = processor.get("SupportedArchitectures")
    if not isinstance(supported, list) or not all(isinstance(each, str) for each in supported):
        raise UnexpectedResponseError("SupportedArchitectures")
    return tuple(supported)


def read_name(response: Response) -> str:
    """The name of one launch template of DescribeLaunchTemplates."""
    return _text(response, "LaunchTemplateName")
