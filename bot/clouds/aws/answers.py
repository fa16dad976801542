"""Reads EC2's answers, as botocore parses them, into the words of :mod:`slipway.bot.clouds.model`.

Whatever lacks a part that EC2 always gives raises UnexpectedAnswerError: nothing is guessed, and a missing
list is never taken for an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slipway.bot.clouds.aws.errors import UnexpectedAnswerError
from slipway.bot.clouds.model import Instance, InstanceState, MachineImage, Template

Answer = Mapping[str, Any]
"""A structure of an EC2 answer; botocore's stubs know no more of it."""


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


def items(answer: Answer, name: str) -> list[Answer]:
    """The list of structures of that name.

    Raises:
        UnexpectedAnswerError: there is none; an empty list is one.
    """
    found = answer.get(name)
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise UnexpectedAnswerError(name)
    return found


def _text(answer: Answer, name: str) -> str:
    found = answer.get(name)
    if not isinstance(found, str) or not found:
        raise UnexpectedAnswerError(name)
    return found


def _optional_text(answer: Answer, name: str) -> str | None:
    return _text(answer, name) if answer.get(name) else None


def _moment(found: object, name: str) -> datetime:
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            raise UnexpectedAnswerError(name) from None
    if not isinstance(found, datetime):
        raise UnexpectedAnswerError(name)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _optional_moment(answer: Answer, name: str) -> datetime | None:
    return _moment(answer[name], name) if answer.get(name) else None


def read_tags(answer: Answer) -> dict[str, str]:
    """The tags of a resource; one without tags has no list of them."""
    tags = items(answer, "Tags") if answer.get("Tags") else []
    return {_text(tag, "Key"): str(tag.get("Value", "")) for tag in tags}


def read_image(answer: Answer, origin: Origin) -> MachineImage:
    """One image of DescribeImages; its dates come as text, with milliseconds and a Z."""
    state = _text(answer, "State")
    return MachineImage(
        id=_text(answer, "ImageId"),
        name=_optional_text(answer, "Name") or "",
        architecture=_text(answer, "Architecture"),
        state=state,
        launchable=state == _AVAILABLE,
        owner=_text(answer, "OwnerId"),
        region=origin.region,
        created_at=_optional_moment(answer, "CreationDate"),
        deprecated_at=_optional_moment(answer, "DeprecationTime"),
        cloud=origin.cloud,
    )


def read_instance(answer: Answer, origin: Origin) -> Instance:
    """One machine of DescribeInstances or RunInstances."""
    state = answer.get("State")
    if not isinstance(state, Mapping):
        raise UnexpectedAnswerError("State")
    known_state = _STATES.get(_text(state, "Name"))
    if known_state is None:
        raise UnexpectedAnswerError("State")
    return Instance(
        id=_text(answer, "InstanceId"),
        image_id=_text(answer, "ImageId"),
        instance_type=_text(answer, "InstanceType"),
        state=known_state,
        region=origin.region,
        launched_at=_moment(answer.get("LaunchTime"), "LaunchTime"),
        address=_optional_text(answer, "PublicIpAddress") or _optional_text(answer, "PrivateIpAddress") or "",
        tags=read_tags(answer),
        cloud=origin.cloud,
    )


def read_template(answer: Answer) -> Template:
    """One launch template version of DescribeLaunchTemplateVersions; architectures are not known from it."""
    version = answer.get("VersionNumber")
    data = answer.get("LaunchTemplateData")
    if not isinstance(version, int) or not isinstance(data, Mapping):
        raise UnexpectedAnswerError("VersionNumber" if not isinstance(version, int) else "LaunchTemplateData")
    return Template(
        id=_text(answer, "LaunchTemplateId"),
        name=_text(answer, "LaunchTemplateName"),
        version=version,
        instance_type=_optional_text(data, "InstanceType"),
        image_id=_optional_text(data, "ImageId"),
    )


def read_architectures(answer: Answer) -> tuple[str, ...]:
    """What one type of DescribeInstanceTypes can run, such as ``("i386", "x86_64")``."""
    processor = answer.get("ProcessorInfo")
    if not isinstance(processor, Mapping):
        raise UnexpectedAnswerError("ProcessorInfo")
    supported = processor.get("SupportedArchitectures")
    if not isinstance(supported, list) or not all(isinstance(each, str) for each in supported):
        raise UnexpectedAnswerError("SupportedArchitectures")
    return tuple(supported)


def read_name(answer: Answer) -> str:
    """The name of one launch template of DescribeLaunchTemplates."""
    return _text(answer, "LaunchTemplateName")
