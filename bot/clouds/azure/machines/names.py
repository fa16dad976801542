"""How machines, and what belongs to them, are called. Pure.

A machine's name is made of the deployment's and of its launch's token, so that asking for the same launch again asks
for the same machines: ``vm-1f3c9a02b7de-1``. What belongs to it begins with its name.
"""

from __future__ import annotations

import re
from hashlib import sha256

from slipway.bot.clouds.azure.documents import is_azure_number, is_definition_name
from slipway.bot.clouds.model import VersionNumber

DEPLOYMENT_TAG = "slipway"
"""On everything that Slipway makes: the name of the deployment that made it."""

TOKEN_TAG = "slipway:token"  # noqa: S105 - the name of a tag, no secret
"""On everything that Slipway makes: the token of the launch that made it."""

_DEPLOYMENT_DIGITS = 4
_TOKEN_DIGITS = 8
_NAME = re.compile(r"vm-[0-9a-f]{12}-[1-9][0-9]?", re.ASCII)
_PART = re.compile(rf"(?P<machine>{_NAME.pattern})-(?:nic|ip|os)[A-Za-z0-9_.-]*", re.ASCII)
_SCHEDULE = "shutdown-computevm-"


def machine_names(deployment: str, token: str, count: int) -> tuple[str, ...]:
    """The names of the machines of a launch."""
    first = f"{_beginning(deployment)}{_digest(token, _TOKEN_DIGITS)}"
    return tuple(f"{first}-{number}" for number in range(1, count + 1))


def is_machine_name(text: str) -> bool:
    """Whether machines of Slipway's are called like this."""
    return _NAME.fullmatch(text) is not None


def interface_name(machine: str) -> str:
    """Its network interface; Azure may add to it."""
    return f"{machine}-nic"


def address_name(machine: str) -> str:
    """Its public address; Azure may add to it."""
    return f"{machine}-ip"


def disk_name(machine: str) -> str:
    """The disk with its system."""
    return f"{machine}-os"


def schedule_name(machine: str) -> str:
    """Its auto-shutdown schedule, which Azure finds by this very name."""
    return f"{_SCHEDULE}{machine}"


def owner_of(name: str, deployment: str) -> str | None:
    """Which machine of this deployment something is a part of, by its name; None for what is nobody's.

    Disks made with a machine carry no tags, so their names have to tell.
    """
    found = _PART.fullmatch(name)
    machine = found["machine"] if found else name.removeprefix(_SCHEDULE)
    if found is None and not (name.startswith(_SCHEDULE) and is_machine_name(machine)):
        return None
    return machine if machine.startswith(_beginning(deployment)) else None


def is_part(name: str, machine: str) -> bool:
    """Whether something is called as a part of this machine."""
    found = _PART.fullmatch(name)
    return found is not None and found["machine"] == machine


def image_id(definition: str, number: VersionNumber) -> str:
    """An image as people write it: ``Fedora-Cloud-43-x64/43.20261118.0``."""
    return f"{definition}/{number}"


def read_image_id(text: str) -> tuple[str, VersionNumber] | None:
    """Definition and version of an image's id; None where it is none."""
    definition, slash, version = text.partition("/")
    if not slash or not is_definition_name(definition):
        return None
    try:
        number = VersionNumber.parse(version)
    except ValueError:
        return None
    return (definition, number) if is_azure_number(number) else None


def _beginning(deployment: str) -> str:
    return f"vm-{_digest(deployment, _DEPLOYMENT_DIGITS)}"


def _digest(text: str, digits: int) -> str:
    return sha256(text.encode()).hexdigest()[:digits]
