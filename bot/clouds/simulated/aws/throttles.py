"""How many requests a simulated EC2 takes: buckets of tokens by region and action, as EC2 documents them.

Source: Amazon EC2 Developer Guide, "Request throttling for the Amazon EC2 API", the tables of request token buckets
as of 2026: those of categories, and of the actions on images that have their own. Tokens are added at every full
second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

Clock = Callable[[], datetime]

_READS = ("Describe", "List", "Search", "Get")

_BARE_READS = {
    "DescribeInstances",
    "DescribeInstanceStatus",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSnapshots",
    "DescribeVolumes",
}
"""They have a smaller bucket where neither a filter nor a page is asked for."""

_OWN = {
    "CopyImage": (100, 1.0),
    "CreateLaunchTemplateVersion": (100, 5.0),
    "CreateTags": (100, 10.0),
    "DeleteSnapshot": (100, 5.0),
    "DeleteTags": (100, 10.0),
    "DeregisterImage": (100, 5.0),
    "ModifyImageAttribute": (100, 5.0),
    "ModifyLaunchTemplate": (100, 5.0),
    "RunInstances": (5, 2.0),
    "StartInstances": (5, 2.0),
    "TerminateInstances": (100, 5.0),
}


@dataclass
class _Bucket:
    tokens: float
    filled_at: int  # the full second


@dataclass
class Throttles:
    """What is left.

    Attributes:
        clock: the simulated EC2's own.
    """

    clock: Clock
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def takes(self, region: str, form: Mapping[str, str]) -> bool:
        """Count a request; False where it is one too many."""
        action = form.get("Action", "")
        size, refill = limits(action, form)
        second = int(self.clock().astimezone(UTC).timestamp())
        bare = "" if (size, refill) == limits(action, {"MaxResults": ""}) else " bare"
        bucket = self._buckets.setdefault((region, action + bare), _Bucket(float(size), second))
        bucket.tokens = min(float(size), bucket.tokens + refill * (second - bucket.filled_at))
        bucket.filled_at = second
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def limits(action: str, form: Mapping[str, str]) -> tuple[int, float]:
    """The size of an action's bucket, and what is added a second."""
    if action in _OWN:
        return _OWN[action]
    if not action.startswith(_READS):
        return 50, 5.0
    filtered = any(name == "MaxResults" or name.startswith("Filter.") for name in form)
    return (50, 10.0) if action in _BARE_READS and not filtered else (100, 20.0)
