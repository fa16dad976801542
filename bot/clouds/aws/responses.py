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
from slipway.bot.clouds.machine_model import Instance, InstanceEnd, InstanceState, MachineImage

Response = Mapping[str, Any]
"""A structure of an EC2 response; botocore's stubs know no more of it."""


_AVAILABLE = "available"  # an image that can be launched

STATES = {
    "pending": InstanceState.PENDING,
    "running": InstanceState.RUNNING,
    "shutting-down": InstanceState.SHUTTING_DOWN,
    "terminated": InstanceState.TERMINATED,
    "stopping": InstanceState.STOPPING,
    "stopped": InstanceState.STOPPED,
}
"""By EC2's names for them."""


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


def read_text(response: Response, name: str) -> str:
    """A text that is always there.

    Raises:
        UnexpectedResponseError: it is not there, or empty.
    """
    found = response.get(name)
    if not isinstance(found, str) or not found:
        raise UnexpectedResponseError(name)
    return found


def read_optional_text(response: Response, name: str) -> str | None:
    """A text; None where there is none."""
    return read_text(response, name) if response.get(name) else None


def read_timestamp(found: object, name: str) -> datetime:
    """A time, in UTC.

    Raises:
        UnexpectedResponseError: it is none.
    """
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            raise UnexpectedResponseError(name) from None
    if not isinstance(found, datetime):
        raise UnexpectedResponseError(name)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def read_optional_timestamp(response: Response, name: str) -> datetime | None:
    """A time, in UTC; None where there is none."""
    return read_timestamp(response[name], name) if response.get(name) else None


def read_tags(response: Response) -> dict[str, str]:
    """The tags of a resource; one without tags has no list of them."""
    tags = read_list(response, "Tags") if response.get("Tags") else []
    return {read_text(tag, "Key"): str(tag.get("Value", "")) for tag in tags}


def read_image(response: Response, origin: Origin) -> MachineImage:
    """One image of DescribeImages; its dates come as text, with milliseconds and a Z."""
    state = read_text(response, "State")
    return MachineImage(
        id=read_text(response, "ImageId"),
        name=read_optional_text(response, "Name") or "",
        architecture=read_text(response, "Architecture"),
        state=state,
        launchable=state == _AVAILABLE,
        owner=read_text(response, "OwnerId"),
        region=origin.region,
        created_at=read_optional_timestamp(response, "CreationDate"),
        deprecated_at=read_optional_timestamp(response, "DeprecationTime"),
        cloud=origin.cloud,
    )


def read_instance(response: Response, origin: Origin) -> Instance:
    """One machine of DescribeInstances or RunInstances."""
    state = response.get("State")
    if not isinstance(state, Mapping):
        raise UnexpectedResponseError("State")
    known_state = STATES.get(read_text(state, "Name"))
    if known_state is None:
        raise UnexpectedResponseError("State")
    return Instance(
        id=read_text(response, "InstanceId"),
        image_id=read_text(response, "ImageId"),
        instance_type=read_text(response, "InstanceType"),
        state=known_state,
        region=origin.region,
        launched_at=_launched_at(response),
        address=read_optional_text(response, "PublicIpAddress")
        or read_optional_text(response, "PrivateIpAddress")
        or "",
        tags=read_tags(response),
        end=_read_end(response) if known_state.gone else None,
        cloud=origin.cloud,
    )


def _launched_at(response: Response) -> datetime:
    """Since when a machine is there.

    EC2's ``LaunchTime`` is when it was launched last, and a start after a stop sets it anew. The primary interface is
    attached once, and gone with the machine. Source: EC2's API reference, Instance, ``launchTime``.
    """
    moments = [read_timestamp(response.get("LaunchTime"), "LaunchTime")]
    for interface in read_list(response, "NetworkInterfaces") if response.get("NetworkInterfaces") else ():
        attachment = interface.get("Attachment") or {}
        if not isinstance(attachment, Mapping):
            raise UnexpectedResponseError("Attachment")
        if attachment.get("DeviceIndex") == 0 and attachment.get("AttachTime"):
            moments.append(read_timestamp(attachment["AttachTime"], "AttachTime"))
    return min(moments)


def _read_end(response: Response) -> InstanceEnd | None:
    state_reason = response.get("StateReason") or {}
    if not isinstance(state_reason, Mapping):
        raise UnexpectedResponseError("StateReason")
    return read_end(state_reason)


def read_name(response: Response) -> str:
    """The name of one launch template of DescribeLaunchTemplates."""
    return read_text(response, "LaunchTemplateName")
