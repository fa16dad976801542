"""Requests at the pace that EC2 allows, so that hundreds of them finish without being refused again and again.

EC2 counts requests by account, region and action, each in a bucket of tokens to which some are added every second
(Amazon EC2 Developer Guide, "Request throttling for the Amazon EC2 API", as of 2026). It says in no answer how many
are left, and an account may have been allowed more, which is not known here. When its seconds begin is not known,
either: a bucket that is smaller by what one second adds, and fills without steps, never has a token that EC2 lacks.

Others may use the same account. So one refusal says that EC2's bucket is empty, and holds up all that ask for the
same there. Knows no SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic

from slipway.bot.clouds.throttling import USUAL_PATIENCE, Patience, ThrottleGate
from slipway.bot.core.turns import Turn, waiting_for_turn
from slipway.bot.core.waiting import Sleep


@dataclass(frozen=True)
class Rate:
    """How many requests for one action are taken: ``size`` at once, and ``refill`` more a second."""

    size: int
    refill: float


_READS, _CHANGES, _TAGS = Rate(100, 20), Rate(50, 5), Rate(100, 10)
_OWN = Rate(100, 5)

RATES: Mapping[str, Rate] = {
    "CopyImage": Rate(100, 1),
    "CreateLaunchTemplateVersion": _OWN,
    "CreateTags": _TAGS,
    "DeleteSnapshot": _OWN,
    "DeleteTags": _TAGS,
    "DeregisterImage": _OWN,
    "DescribeImages": _READS,
    "DescribeSnapshots": _READS,
    "DisableImage": _CHANGES,
    "DisableImageDeprecation": _CHANGES,
    "DisableImageDeregistrationProtection": _CHANGES,
    "EnableImage": _CHANGES,
    "EnableImageDeprecation": _CHANGES,
    "EnableImageDeregistrationProtection": _CHANGES,
    "ListImagesInRecycleBin": _READS,
    "ListSnapshotsInRecycleBin": _READS,
    "ModifyImageAttribute": _OWN,
    "ModifyLaunchTemplate": _OWN,
    "RestoreImageFromRecycleBin": _CHANGES,
    "RestoreSnapshotFromRecycleBin": _CHANGES,
}
"""What is done to images by the hundred, by EC2's names. Those with a row of their own in its table have that, all
others what it gives to reads and to changes."""


class Bucket:
    """The tokens of one action. Pure: whoever asks says what time it is, in seconds.

    Args:
        rate: as EC2 documents it.
    """

    def __init__(self, rate: Rate) -> None:
        self._refill = rate.refill
        self._size = max(rate.size - rate.refill, 1.0)
        self._full_at = float("-inf")  # if nothing more is taken until then

    def take(self, now: float) -> float:
        """Take one token, and say when it is there: now or later. Whoever comes later gets a later one."""
        at = max(now, self._full_at - (self._size - 1) / self._refill)
        self._full_at = max(self._full_at, at) + 1 / self._refill
        return at

    def owe(self, count: int, now: float) -> None:
        """So many were taken without being asked for."""
        self._full_at = max(self._full_at, now) + count / self._refill

    def empty(self, now: float) -> None:
        """There is none, as a refusal says, and the next may come only in a second."""
        self._full_at = max(self._full_at, now + 1 + self._size / self._refill)


class Lane:
    """What all requests for one action in one region share. Belongs to one event loop.

    Args:
        gate: where all wait after a refusal.
        bucket: its tokens; None where requests are not counted ahead.
        pace: how time passes.
        why: why something waits for its turn; see :class:`slipway.bot.core.turns.Turn`.
    """

    def __init__(self, gate: ThrottleGate, bucket: Bucket | None, pace: Pace, why: str) -> None:
        self.gate = gate
        self._bucket = bucket
        self._pace = pace
        self._why = why

    async def enter(self) -> int:
        """Wait for a turn, and until nothing is held up; the gate's round in which it is sent."""
        if self._bucket is not None:
            now = self._pace.clock()
            wait = self._bucket.take(now) - now
            if wait > 0:
                with waiting_for_turn(Turn(wait, self._why)):
                    await self._pace.patience.sleep(wait)
        return await self.gate.enter()

    def owe(self, count: int) -> None:
        """So many more requests were sent than had a turn."""
        if self._bucket is not None and count > 0:
            self._bucket.owe(count, self._pace.clock())

    async def refused(self, sent_in: int) -> bool:
        """Hold all up after a refusal; False, at once, where that was done for long enough."""
        if self._bucket is not None:
            self._bucket.empty(self._pace.clock())
        return await self.gate.refused(sent_in, None)


@dataclass(frozen=True)
class Pace:
    """How time passes for an account's requests.

    Attributes:
        patience: how long requests are held up that AWS throttles, and how that time passes.
        clock: seconds, of whatever beginning.
    """

    patience: Patience = USUAL_PATIENCE
    clock: Callable[[], float] = monotonic

    @classmethod
    def by(cls, sleep: Sleep) -> Pace:
        """The usual one, where time passes by ``sleep``."""
        usual = cls()
        return replace(usual, patience=replace(usual.patience, sleep=sleep))

    def lane(self, title: str, service: str, operation: str) -> Lane:
        """A new lane.

        Args:
            title: what people call the account.
            service: boto3's name of the service.
            operation: boto3's name of what is asked for, such as ``deregister_image``.
        """
        action = "".join(part.capitalize() for part in operation.split("_"))
        rate = RATES.get(action) if service == "ec2" else None
        why = f"{title} takes {rate.refill:g} requests for {action} a second" if rate is not None else ""
        return Lane(ThrottleGate(self.patience, title), Bucket(rate) if rate is not None else None, self, why)
