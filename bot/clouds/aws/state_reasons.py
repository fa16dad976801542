"""Why a machine is gone, by EC2's ``StateReason``.

Source: Amazon EC2 API Reference, StateReason; EC2 User Guide, "Troubleshooting instance launch issues", where a
message such as “Client.VolumeLimitExceeded: Volume limit exceeded” stands beside the code Server.InternalError: the
name that begins the message says more than the code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slipway.bot.clouds.aws.error_codes import meaning_of
from slipway.bot.clouds.machine_model import InstanceEnd
from slipway.bot.core.errors import CloudErrorKind, Remedy

_NAME = re.compile(r"((?:Client|Server)\.[A-Za-z.]{1,80}?)(?::|$)")

_ANOTHER = Remedy(when="with another profile, or once that is put right")

_BY_SOMEBODY = frozenset(
    {
        "Client.InstanceInitiatedShutdown",
        "Client.InstanceTerminated",
        "Client.UserInitiatedHibernate",
        "Client.UserInitiatedShutdown",
        "Server.ScheduledStop",
    }
)

_ENDS: dict[str, tuple[CloudErrorKind, Remedy]] = {
    "Client.InternalError": (
        CloudErrorKind.CONFIGURATION,
        _ANOTHER,
    ),  # mostly the disk's key, which it may not use
    "Client.InvalidSnapshot.NotFound": (CloudErrorKind.CONFIGURATION, _ANOTHER),
    "Server.InternalError": (CloudErrorKind.BROKEN, Remedy()),
    "Server.SpotInstanceShutdown": (CloudErrorKind.CAPACITY, Remedy()),
    "Server.SpotInstanceTermination": (CloudErrorKind.CAPACITY, Remedy()),
}


def read_end(state_reason: Mapping[str, Any]) -> InstanceEnd | None:
    """The end that a StateReason tells; None where it tells nothing."""
    code, message = (str(state_reason.get(name) or "") for name in ("Code", "Message"))
    if not code and not message:
        return None
    named = _NAME.match(message)
    told = named[1] if named else code
    kind, remedy = _kind_of(told)
    return InstanceEnd(kind, message or code, told, remedy)


def _kind_of(code: str) -> tuple[CloudErrorKind, Remedy]:
    if code in _BY_SOMEBODY or not code:
        return CloudErrorKind.UNVERIFIED, Remedy()
    if code in _ENDS:
        return _ENDS[code]
    side, _, name = code.partition(".")
    meaning = meaning_of(name, 500 if side == "Server" else 400)
    return meaning.kind, meaning.remedy
